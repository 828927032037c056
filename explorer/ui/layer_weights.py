"""Weights of the selected layer: kernels, histogram, norms."""

from __future__ import annotations

import streamlit as st

from explorer.charts.inspection import channel_norms, weight_histogram
from explorer.i18n import _
from explorer.inspection.choosing import Chosen
from explorer.inspection.tiles import diverging, mosaic, symmetric
from explorer.inspection.types import LayerWeights
from explorer.tasks import LayerWeights as Task
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.layer_downloads import panel_downloads
from explorer.ui.pictures import in_page
from explorer.ui.selection import Selection
from explorer.ui.weights_view import weights_ready

COLUMNS, SIDE = 8, 46


def show_weights(chosen: Chosen, selection: Selection) -> None:
    """Draws the part; runs its task."""
    if not weights_ready(selection, slot="panel"):
        return
    if chosen.op is not None and not chosen.op.params:
        st.info(
            _("This operation has no weights; select a convolution or a linear layer."),
            icon=":material/info:",
        )
        return
    path = chosen.module.path
    found: LayerWeights | None = run_task(Task(selection.ref, path), _("Reading the weights"))
    if found is None:
        return
    sizes = "×".join(map(str, found.shape))
    st.markdown(f"`{found.parameter}` · {sizes}")
    _kernels(found)
    numbers = _("mean {mean:.4g} · standard deviation {std:.4g} · {low:.4g} to {high:.4g}")
    st.caption(
        numbers.format(mean=found.mean, std=found.std, low=found.low, high=found.high)
        + (_(" · {zeros:.1%} are zero").format(zeros=found.zeros) if found.zeros else "")
    )
    show_figure(weight_histogram(found.counts, found.edges), "weight-histogram")
    if len(found.norms) > 1:
        show_figure(channel_norms(found.norms), "weight-norms")
    rows = [{"channel": n, "l2_norm": float(norm)} for n, norm in enumerate(found.norms)]
    panel_downloads(
        f"{found.model.replace('/', '-')}-{found.parameter}", rows,
        {"model": found.model, "weights": found.weights, "parameter": found.parameter},
    )  # fmt: skip


def _kernels(found: LayerWeights) -> None:
    """Small pictures of the kernels, or one of the whole matrix."""
    if found.kind == "none":
        return
    if found.kind == "matrix":
        # Sides differ by hundreds of times in a 1×1 convolution: no smaller than can be seen.
        picture = diverging(found.kernels[0])[None]
        caption = _(
            "The matrix, outputs down, inputs across: blue is negative, orange positive, each "
            "point the value of largest magnitude of its block."
        )
        st.image(in_page(mosaic(picture, 1, 400)), caption=caption, width="stretch")
        return
    columns = min(COLUMNS, len(found.kernels))
    sheet = mosaic(symmetric(found.kernels), columns, SIDE)
    if found.kind == "rgb":
        caption = _(
            "{shown} of {total} kernels in colour, largest norm first; middle grey is 0, each has "
            "its own scale."
        )
    else:
        caption = _(
            "{shown} of {total} kernels (one per output and input channel), largest norm first; "
            "middle grey is 0, each has its own scale."
        )
    caption = caption.format(shown=len(found.kernels), total=f"{found.kernels_total:,}")
    st.image(in_page(sheet), caption=caption, width="stretch")
