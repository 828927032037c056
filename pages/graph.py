"""Layer graph: the network as it runs, open to the last operation."""

import streamlit as st

from explorer.i18n import _
from explorer.tasks import TorchinfoSummary, Trace
from explorer.ui.graph_exports import show_graph_exports
from explorer.ui.graph_page import layer_seconds, show_graph
from explorer.ui.jobs import run_task
from explorer.ui.layer_panel import show_layer_panel
from explorer.ui.outline import show_outline
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice, flag
from explorer.ui.selection import Selection
from explorer.ui.trace_view import choose_input_size, say_method


def main(selection: Selection) -> None:
    page_head(
        _("Layer graph"),
        _("Every box runs once for one image: double-click to open it, click to see inside."),
        selection,
    )
    left, middle, right = st.columns([2.4, 1, 1.2], vertical_alignment="bottom")
    with left:
        view = choice(
            "view",
            _("View"),
            {"graph": _("Graph"), "outline": _("Outline"), "torchinfo": _("torchinfo")},
            kind="segmented",
        )
    with middle:
        timed = flag("timed", _("Time the layers")) and view == "graph"
    with right:
        size = choose_input_size(selection.spec)
    graph = run_task(Trace(selection.spec.id, size), _("Tracing"))
    if graph is None:
        return
    say_method(graph)
    if view == "graph":
        drawing, panel = st.columns([1.75, 1], gap="medium")
        with drawing:
            seconds = layer_seconds(selection.spec.id) if timed and size is None else None
            selected = show_graph(graph, seconds)
        with panel:
            show_layer_panel(graph, selected, selection)
        show_graph_exports(graph, selection)
    elif view == "outline":
        show_outline(graph)
    else:
        summary = run_task(TorchinfoSummary(selection.spec.id), _("Summarising"))
        if summary is not None:
            st.caption(
                _("As torchinfo prints it; it sees modules, not functions, and may miss attention.")
            )
            st.code(summary.text, language=None, height=600)
    how_computed(
        _(
            "The network is traced with `torch.export` on fake tensors: shapes and operations are "
            "those of one forward pass, batch 1. Multiply–accumulates follow PyTorch's flop "
            "counter; normalisation, activation and pooling count as zero. The receptive field is "
            "that of Araujo et al. 2019, the arithmetic intensity is FLOPs per byte moved once."
        )
    )


main(st.session_state["_selection"])
