"""The model picker: a short list, a search over all 1,467 architectures, and the weights."""

from __future__ import annotations

import streamlit as st

from explorer.catalog import CATALOG, families
from explorer.catalog.spec import ModelSpec
from explorer.engine import get_engine
from explorer.errors import UnknownModelError
from explorer.i18n import _
from explorer.offered import default_model, find_offered, is_offered, search_offered
from explorer.ui.forms import form_switch
from explorer.ui.fragment import fragment
from explorer.ui.own_weights import draw_own_weights
from explorer.ui.params import rerun
from explorer.ui.selection import (
    UNTRAINED,
    Selection,
    choose_model,
    choose_weights,
    curated_ids,
    offered_weights,
    take_choices,
    with_weights,
)
from explorer.ui.text import plain, said
from explorer.ui.units import si
from explorer.weights import default_weights

HITS_SHOWN = 12
DEVICE_POLL_SECONDS = 2.0


def pick_model(place: st.delta_generator.DeltaGenerator) -> Selection:
    """Draws the picker into ``place``; the choice is bound to the URL.

    Returns:
        The selection of this run; unknown values were said and replaced.
    """
    take_choices()
    _check_address()
    with place:
        spec = _pick_architecture()
        form_switch(spec)
        fragment(_search, key="model-search")()
        weights_id = _pick_weights(spec)
        draw_own_weights(spec)
        st.caption(_facts(spec))
    return with_weights(spec, weights_id)


def _check_address() -> None:
    """Takes an unknown model out of a cold link: a bound widget guards its parameter later."""
    asked = st.query_params.get("model")
    if "model" in st.session_state or asked is None:
        return
    try:
        find_offered(asked)
    except UnknownModelError as error:
        st.session_state["_notice_model"] = error.text(_)
        del st.query_params["model"]


def _pick_architecture() -> ModelSpec:
    options = curated_ids()
    current = st.session_state.get("model") or st.query_params.get("model")
    if isinstance(current, str) and current in CATALOG and current not in options:
        options += [current] if is_offered(current) else []
    asked = st.selectbox(
        _("Model"),
        options,
        index=options.index(default_model()),
        key="model",
        accept_new_options=True,
        bind="query-params",
        on_change=_model_changed,
        help=_("Type to search these, or open the search below for all of timm."),
    )
    try:
        return find_offered(asked)
    except UnknownModelError as error:
        st.session_state["_notice_model"] = error.text(_)
        choose_model(default_model())
        rerun()


def _pick_weights(spec: ModelSpec) -> str:
    offered = [weights.id for weights in offered_weights(spec)] + [UNTRAINED]
    default = default_weights(spec) or UNTRAINED
    # With new options accepted, a wrong value in the URL reaches us and can be said.
    asked = st.selectbox(
        _("Weights"),
        offered,
        index=offered.index(default),
        key="weights",
        accept_new_options=True,
        bind="query-params",
        help=_("“untrained” runs the network with random weights (seed 0)."),
    )
    if asked not in offered:
        st.session_state["_notice_weights"] = _(
            "{model} has no weights “{weights}”; {default} is shown instead."
        ).format(model=spec.name, weights=asked, default=default)
        choose_weights(default)
        rerun()
    return str(asked)


def show_notices() -> None:
    """Says what was wrong in the URL, until the visitor chooses something else."""
    for key in ("_notice_model", "_notice_weights"):
        if key in st.session_state:
            st.warning(plain(st.session_state[key]), icon=":material/search_off:")


def _model_changed() -> None:
    st.session_state.pop("_notice_model", None)
    st.session_state.pop("_notice_weights", None)
    try:
        choose_model(st.session_state["model"])
    except UnknownModelError:
        choose_weights(UNTRAINED)  # the model is said when the picker is drawn


def _facts(spec: ModelSpec) -> str:
    parts = [
        _("{count} parameters").format(count=si(spec.params)),
        "×".join(str(size) for size in spec.input_size),
    ]
    if spec.macs is not None:
        parts.insert(1, si(spec.macs, _("MACs")))
    return " · ".join(parts)


def _search() -> None:
    if st.session_state.pop("_found_model", False):
        rerun()  # the whole app, not only this fragment
    # A new key after each choice makes a new popover, which is closed. What is in it is made when
    # somebody opens it: it was a third of what every page sends, and no page change needs it.
    opened = f"_search_{st.session_state.get('_searches', 0)}"
    popover = st.popover(
        _("Search all models"), icon=":material/search:", width="stretch", key=opened,
        on_change="rerun",
    )  # fmt: skip
    if popover.open is not False:
        with popover:
            _search_panel()


def _search_panel() -> None:
    query = st.text_input(
        _("Name, family or year"),
        key="_search",
        live=True,
        type="search",
        placeholder="convnext 2022",
    )
    left, right = st.columns(2)
    family = left.selectbox(_("Family"), families(), index=None, key="_search_family")
    limit = right.selectbox(
        _("At most"), [1, 5, 10, 25, 50, 100], index=None, key="_search_params",
        format_func=lambda millions: _("{millions} M parameters").format(millions=millions),
    )  # fmt: skip
    found = search_offered(
        query or "", family=family, max_params=None if limit is None else int(limit * 1e6),
        limit=HITS_SHOWN,
    )  # fmt: skip
    st.caption(_("{shown} of {total} models").format(shown=len(found.hits), total=found.total))
    for spec in found.hits:
        size = f"{spec.params / 1e6:.1f} M"
        label = f"{spec.id} · {size}" + (f" · {spec.year}" if spec.year else "")
        st.button(
            label, key=f"_hit_{spec.id}", on_click=_choose_hit, args=(spec.id,), width="stretch",
            type="tertiary",
        )  # fmt: skip


def _choose_hit(model_id: str) -> None:
    choose_model(model_id)
    # Said to the fragment, not by the button: its popover is replaced, and it is not drawn again.
    st.session_state["_found_model"] = True
    st.session_state["_searches"] = st.session_state.get("_searches", 0) + 1


def device_badge() -> None:
    """Where the networks run; a line that waits until the worker has looked."""
    if get_engine().info().device is None:
        fragment(_await_device, run_every=DEVICE_POLL_SECONDS, key="device")()
    else:
        _show_device()


def _await_device() -> None:
    info = get_engine().info()
    if info.device is not None:
        rerun()  # once: the page that follows has no fragment that polls
    if info.device_error is not None:
        st.caption(":material/memory: " + said(info.device_error))
    else:
        st.caption(_(":material/memory: The device is being looked up."))


def _show_device() -> None:
    info = get_engine().info()
    device = info.device
    if len(info.nodes) > 1:
        ready = sum(node.worker in ("idle", "busy") for node in info.nodes)
        st.caption(
            ":material/lan: "
            + _("Cluster: {ready} of {count} devices ready").format(
                ready=ready, count=len(info.nodes)
            )
        )
    elif device is not None:
        size = device.memory_bytes
        memory = "" if size is None else f" · {size / 2**30:.0f} GiB"
        st.caption(f":material/memory: {device.kind.upper()} · {plain(device.name)}{memory}")
