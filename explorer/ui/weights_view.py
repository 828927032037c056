"""Weights that are not on this machine: what they are, where from, and the untrained network."""

from __future__ import annotations

import streamlit as st

from explorer.engine import Job
from explorer.i18n import _
from explorer.tasks import LoadWeights
from explorer.ui.banners import untrained_banner, unverified_banner
from explorer.ui.jobs import submit, watch
from explorer.ui.params import rerun
from explorer.ui.selection import UNTRAINED, Selection, choose_weights
from explorer.weights import weights_status


def weights_ready(selection: Selection, slot: str = "weights") -> bool:
    """Whether the network can run as chosen; otherwise what is missing is said and offered here.

    Args:
        selection: The model with its weights; an untrained one gets its banner and is ready.
        slot: Tells several models on one page apart.
    """
    if selection.weights is None:
        untrained_banner(selection)
        return True
    if selection.weights.uploaded:
        unverified_banner(selection)
        return True
    status = weights_status(selection.spec, selection.weights.id)
    if status.local:
        return True
    st.info(
        _("The weights {weights} of {model} are not on this machine. Source: {place}").format(
            weights=selection.weights.id, model=selection.spec.name, place=status.place or "–"
        ),
        icon=":material/cloud_download:",
    )
    jobs: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    size = "" if status.size_bytes is None else f" ({status.size_bytes / 2**20:.0f} MiB)"
    with st.container(horizontal=True):
        fetch = status.kind == "download" and st.button(
            _("Download") + size, type="primary", icon=":material/download:", key=f"get-{slot}"
        )
        st.button(
            _("Use the untrained network"), icon=":material/casino:", key=f"untrained-{slot}",
            on_click=choose_weights, args=(UNTRAINED,),
        )  # fmt: skip
    if fetch:
        label = _("Downloading {weights}").format(weights=selection.weights.id)
        jobs[slot] = submit(LoadWeights(selection.ref), label)
    if slot in jobs and watch(jobs[slot], slot, jobs[slot].label) is not None:
        rerun()
    return False
