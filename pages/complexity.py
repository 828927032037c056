"""Complexity: where parameters, multiply–accumulates and activation memory go."""

import streamlit as st

from explorer.charts.costs import kind_shares, layer_costs, profile
from explorer.charts.nested import treemap
from explorer.i18n import _
from explorer.tasks import Trace
from explorer.ui.charts import show_figure
from explorer.ui.cost_view import cost_table, headline
from explorer.ui.jobs import run_task
from explorer.ui.page import how_computed, page_head, table_downloads
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width


def main(selection: Selection) -> None:
    page_head(
        _("Complexity"),
        _("Where the network spends: a bar is a layer, in the order of the forward pass."),
        selection,
    )
    graph = run_task(Trace(selection.spec.id), _("Tracing"))
    if graph is None:
        return
    headline(graph)
    quantity = choice(
        "by",
        _("Show"),
        {
            "macs": _("multiply–accumulates"),
            "params": _("parameters"),
            "activation_bytes": _("activation memory"),
        },
        kind="segmented",
    )
    rows = layer_costs(graph)
    width = viewport_width()
    along, nested, kinds = st.tabs([_("Along the depth"), _("Nested"), _("By kind")])
    with along:
        show_figure(profile(rows, quantity, width=width), "profile")
    with nested:
        show_figure(treemap(rows, quantity, title=selection.spec.name), "treemap")
    with kinds:
        show_figure(kind_shares(rows, width=width), "kinds")
    table = cost_table(graph, rows)
    st.dataframe(table, hide_index=True)
    about = {
        "model": graph.model, "input": list(graph.input_shape), "convention": "MACs, batch 1, fp32",
        "complete": graph.complete, "versions": graph.versions,
    }  # fmt: skip
    table_downloads(f"complexity-{graph.model.replace('/', '-')}", table, about)
    how_computed(
        _(
            "Counted on the traced operations: a convolution is out channels × kernel × "
            "in channels / "
            "groups × output positions, a linear layer inputs × outputs; attention is counted, "
            "normalisation, activation and pooling are zero by convention. One FLOP "
            "count is 2 × MACs. "
            "Activation memory is the bytes that all operations write, fp32, batch 1."
        )
    )


main(st.session_state["_selection"])
