"""History: from LeNet-5 on, what each network brought, what it borrowed, what is told of it."""

import streamlit as st

from explorer.catalog.history import timeline
from explorer.i18n import _
from explorer.ui.history.folklore import asked_claim, first_view, leave_claim, show_folklore
from explorer.ui.history.ideas import show_ideas
from explorer.ui.history.steps import show_timeline
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width

HEADS = {
    "timeline": lambda: _(
        "Who took what from whom: click a step to read its idea, see its block and open it."
    ),
    "ideas": lambda: _("Move the sliders: each idea with its numbers, from the paper's values on."),
    "claims": lambda: _(
        "Sentences that circulate about these networks, with what holds and the number behind it."
    ),
}


def main(selection: Selection) -> None:
    claim = asked_claim()
    entries = timeline()
    head = st.container()
    views = {
        "timeline": _("Timeline"),
        "ideas": _("Ideas to try"),
        "claims": _("Folklore, checked"),
    }
    view = choice("view", _("View"), views, default=first_view(claim), kind="segmented")
    with head:
        page_head(_("History"), HEADS[view]())
    width = viewport_width()
    if view == "timeline":
        show_timeline(entries, selection, width)
    elif view == "ideas":
        show_ideas(entries, width)
    else:
        show_folklore(entries, selection, claim)
    if view != "claims":
        leave_claim()
    how_computed(
        _(
            "Years are of first publication; ideas and borrowings were checked against the papers "
            "that each step links. Parameters and multiply–accumulates are counted on the networks "
            "that open; blocks are cut out of the traced network. Costs of ideas are per output "
            "position; the experiments with random layers run here, with a fixed seed. Statements "
            "marked as recomputed take their number and their verdict from a check on these "
            "networks, the catalog or the published tables; the others say their source."
        )
    )


main(st.session_state["_selection"])
