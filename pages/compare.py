"""Compare: two to four models side by side in everything."""

import streamlit as st

from explorer.i18n import _
from explorer.ui.compare.clock import show_clock
from explorer.ui.compare.costs import show_costs
from explorer.ui.compare.lineup import choose_lineup, traced
from explorer.ui.compare.numbers import show_numbers
from explorer.ui.compare.report import show_report
from explorer.ui.compare.same_image import show_same_image
from explorer.ui.compare.structure import show_structure
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection


def main(selection: Selection) -> None:
    page_head(
        _("Compare"),
        _("Two to four models on one screen: what each costs, how they differ, what they say."),
        None,
    )
    entries = choose_lineup(selection)
    view = choice(
        "view",
        _("View"),
        {
            "numbers": _("Numbers"),
            "structure": _("Structure"),
            "costs": _("Costs"),
            "image": _("Same image"),
            "latency": _("Latency"),
            "report": _("Report"),
        },
        kind="segmented",
    )
    if view == "image":
        show_same_image(entries)
    elif view == "latency":
        show_clock(entries)
    else:
        graphs = traced(entries)
        if len(graphs) >= 2:
            shows = {
                "numbers": show_numbers,
                "structure": show_structure,
                "costs": show_costs,
                "report": show_report,
            }
            shows[view](entries, graphs)
    how_computed(
        _(
            "Parameters, multiply–accumulates and activation memory are counted on the traced "
            "networks (batch 1, fp32). The structure is compared by a global alignment of the "
            "operations in order of execution (Needleman & Wunsch 1970); only operations of the "
            "same type are matched. Times are ratios of medians within rounds; the 95 % interval "
            "is a bootstrap over rounds (Efron & Tibshirani 1993). Models that do not fit into "
            "memory together are loaded in turn and compared by blocks instead of rounds. All "
            "models get the same file, each through its own preprocessing."
        )
    )


main(st.session_state["_selection"])
