"""The chart on the page: a click chooses a model, a lasso lists networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.catalog import CATALOG, find
from explorer.charts.bubble import BubbleRow
from explorer.charts.dressing import dressed
from explorer.i18n import _, ngettext
from explorer.ui.bubble.sources import table_rows
from explorer.ui.charts import Mode, for_room, is_dark, modes_of
from explorer.ui.page import table_downloads
from explorer.ui.selection import choose_model

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_COMPARED = 4
_LASSO = "_bubble_lasso"


def show_bubbles(figure: go.Figure, key: str) -> None:
    """Draws the figure; its widget's key is ``figure-bubbles-…``."""
    widget = f"figure-bubbles-{key}"
    config = {
        "displaylogo": False,
        "responsive": True,
        "toImageButtonOptions": {"format": "svg", "filename": widget},
        "modeBarButtonsToRemove": ["autoScale2d"],
    }

    def chosen() -> None:
        selection = st.session_state[widget]["selection"]
        points = [list(point.get("customdata", ())) for point in selection["points"]]
        ids = [point[2] for point in points if len(point) > 2]
        if selection["box"] or selection["lasso"]:
            st.session_state[_LASSO] = ids
        elif points:
            choose_clicked(points[0])

    with st.container(key="bubble-figure"):
        modes: tuple[Mode, ...] = ("points", "box", "lasso")
        drawn = for_room(dressed(figure, is_dark(), modes_of(modes)))
        st.plotly_chart(
            drawn, key=widget, theme=None, config=config,
            alt=figure.layout.meta["alt"] or None, on_select=chosen, selection_mode=modes,
        )  # fmt: skip


def choose_clicked(customdata: Sequence[Any]) -> None:
    """Makes the clicked bubble's model the chosen one; networks without an entry stay a picture."""
    model, weights = customdata[0], customdata[1]
    if model and model in CATALOG:
        known = {one.id for one in find(model).weights}
        choose_model(model, weights if weights in known else None)


def show_lasso(rows: Sequence[BubbleRow]) -> None:
    """What was drawn around, as a table with its downloads and a link to the comparison."""
    ids = set(st.session_state.get(_LASSO, ()))
    inside = [row for row in rows if row.id in ids]
    if not inside:
        return
    st.subheader(
        ngettext("{count} network selected", "{count} networks selected", len(inside)).format(
            count=len(inside)
        ),
        anchor=False,
    )
    table = table_rows(inside)
    st.dataframe(table, hide_index=True)
    table_downloads("selected-networks", table, {"selected": len(inside)})
    compared = list(dict.fromkeys(row.model for row in inside if row.model))
    with st.container(horizontal=True):
        if len(compared) > 1:
            pages: dict[str, st.Page] = st.session_state["_pages"]
            first = compared[:MOST_COMPARED]
            st.page_link(
                pages["compare.py"], icon=":material/compare:",
                label=_("Compare {names}").format(names=", ".join(find(m).name for m in first)),
                query_params={"compare": ",".join(first)},
            )  # fmt: skip
        st.button(
            _("Clear the selection"), key="lasso-clear", icon=":material/deselect:",
            type="tertiary", on_click=lambda: st.session_state.pop(_LASSO, None),
        )  # fmt: skip
