"""Compare: two models side by side, in numbers and on one image."""

import streamlit as st

from explorer.i18n import _
from explorer.tasks import Trace
from explorer.ui.compare_view import pick_other, show_costs, show_numbers, show_predictions
from explorer.ui.jobs import run_task
from explorer.ui.page import how_computed, page_head
from explorer.ui.photo import choose_photo
from explorer.ui.selection import Selection
from explorer.ui.weights_view import weights_ready


def main(selection: Selection) -> None:
    page_head(
        _("Compare"),
        _("Two models on one screen: what each costs, and what each says of the same image."),
        selection,
    )
    other = pick_other(selection)
    pair = (selection, other)
    graphs = [
        run_task(Trace(one.spec.id), _("Tracing {model}").format(model=one.spec.name))
        for one in pair
    ]
    if all(graph is not None for graph in graphs):
        show_costs(pair, graphs)
        show_numbers(pair, graphs)
    st.subheader(_("The same image"), anchor=False)
    if selection.spec.dataset != other.spec.dataset:
        st.info(
            _(
                "{a} classifies {a_data}, {b} classifies {b_data}: their predictions cannot be "
                "compared."
            ).format(
                a=selection.spec.name, a_data=selection.spec.dataset,
                b=other.spec.name, b_data=other.spec.dataset,
            ),
            icon=":material/compare_arrows:",
        )  # fmt: skip
    ready = [weights_ready(one, f"weights-{number}") for number, one in enumerate(pair)]
    show_predictions(pair, ready, choose_photo)
    how_computed(
        _(
            "Parameters, multiply–accumulates and activation memory are counted on the traced "
            "networks (batch 1, fp32); accuracies are published with the weights, each at its own "
            "crop. Both networks get the same file, each through its own preprocessing."
        )
    )


main(st.session_state["_selection"])
