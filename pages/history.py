"""History: from LeNet-5 on, what each network brought and what it borrowed."""

import streamlit as st

from explorer.catalog.history import timeline
from explorer.charts.history import timeline as timeline_figure
from explorer.i18n import _
from explorer.ui.charts import show_figure
from explorer.ui.history_view import choose_entry, show_entry
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width


def main(selection: Selection) -> None:
    page_head(
        _("History"),
        _(
            "Fourteen steps from LeNet-5 to Xception: click one to read its idea and "
            "open its network."
        ),
    )
    entries = timeline()
    width = viewport_width()
    show_figure(timeline_figure(entries, width=width), "timeline", on_click=choose_entry)
    names = {entry.id: f"{entry.year} · {entry.name}" for entry in entries}
    chosen = choice("entry", _("Step"), names)
    show_entry(next(entry for entry in entries if entry.id == chosen), entries, selection)
    how_computed(
        _(
            "Years are of first publication; the ideas were checked against the papers that each "
            "entry links. Parameters and multiply–accumulates are those of the network that opens."
        )
    )


main(st.session_state["_selection"])
