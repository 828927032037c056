"""The block that stands for a step, cut out of the traced network and drawn as a layer graph."""

from __future__ import annotations

import streamlit as st

from explorer.catalog import find
from explorer.catalog.history import HistoryEntry
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.layout import Arrangement, Expanded, arrange
from explorer.subgraph import subgraph
from explorer.tasks import Trace
from explorer.ui.graph_view import GraphOptions, GraphViewState, graph_state, graph_view
from explorer.ui.jobs import run_task
from explorer.ui.text import plain
from explorer.ui.units import si

MOST_BOXES = 30  # of the first view: what is legible beside the text
HEIGHT = 560


def show_block(entry: HistoryEntry) -> None:
    """Draws the step's block; while the network is traced, the progress stands here."""
    spec = find(entry.block.model)
    whole = run_task(Trace(spec.id), _("Tracing"))
    if whole is None:
        return
    block = subgraph(whole, entry.block.modules)
    st.markdown(_caption(spec.name, entry, whole, block))
    key = f"block-{entry.id}"
    state = graph_state(key, GraphViewState(expanded=first_view(block)))
    arrangement = arrange(block, state.expanded)
    graph_view(arrangement, key=key, options=GraphOptions(height=HEIGHT))
    if entry.block.modules:
        page = st.session_state["_pages"]["graph.py"]
        query = {"model": spec.id, "select": entry.block.modules[0]}
        st.page_link(
            page, label=_("In the whole network"), icon=page.icon, query_params=query,
        )  # fmt: skip


def _caption(name: str, entry: HistoryEntry, whole: LayerGraph, block: LayerGraph) -> str:
    if not entry.block.modules:
        return _("**{name}** as traced: {params} parameters, {macs}").format(
            name=plain(name), params=si(block.total_params), macs=si(block.total_macs, _("MACs"))
        )
    first, last = entry.block.modules[0], entry.block.modules[-1]
    part = first if first == last else f"{first} … {last}"
    return _(
        "`{part}` of **{name}** as traced: {params} parameters ({params_share:.1f} %), {macs} "
        "({macs_share:.1f} %)"
    ).format(
        part=part, name=plain(name), params=si(block.total_params),
        params_share=100 * block.total_params / whole.total_params,
        macs=si(block.total_macs, _("MACs")),
        macs_share=100 * block.total_macs / whole.total_macs,
    )  # fmt: skip


def first_view(block: LayerGraph) -> Expanded:
    """As deep as stays legible in half a page."""
    expanded: Expanded = frozenset()
    closed: Arrangement = arrange(block, expanded)
    for depth in range(1, closed.levels + 1):
        deeper = closed.to_depth(depth)
        if len(arrange(block, deeper).boxes) > MOST_BOXES:
            break
        expanded = deeper
    return expanded
