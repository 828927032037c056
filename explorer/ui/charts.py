"""Plotly figures on a page: the visitor's theme, a download that is large enough for print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from explorer.charts.dressing import dressed
from explorer.charts.enlarging import enlarged

if TYPE_CHECKING:
    import plotly.graph_objects as go

Mode = Literal["points", "box", "lasso"]
# In a talk, from this width of the page on, letters grow; below, they have no room to.
TALK_WIDTH, TALK_LETTERS = 1400, 1.35


def is_dark() -> bool:
    """Whether the visitor's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def for_room(drawn: go.Figure) -> go.Figure:
    """A dressed figure with larger letters where it is shown in a talk on a large screen."""
    state = st.session_state
    large = state.get("_talk") is not None and state.get("_width", 0) >= TALK_WIDTH
    return enlarged(drawn, TALK_LETTERS) if large else drawn


def show_figure(
    figure: go.Figure,
    key: str,
    *,
    on_click: Callable[[list[Any]], None] | None = None,
    on_box: Callable[[tuple[float, float, float, float]], None] | None = None,
) -> None:
    """Draws a figure in its own template over the whole width.

    Args:
        figure: From ``explorer.charts``; what it shows is said to screen readers.
        key: Unique on the page; also the name of the downloaded picture.
        on_click: Called before the rerun with the ``customdata`` of the point that was clicked.
        on_box: Called before the rerun with the corners (x0, y0, x1, y1) of the box that was drawn;
            instead of ``on_click``.
    """
    config = {
        "displaylogo": False,
        "responsive": True,
        "toImageButtonOptions": {"format": "svg", "filename": key},
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    }
    widget = f"figure-{key}"

    def clicked() -> None:
        selection = st.session_state[widget]["selection"]
        if on_box is not None:
            for box in selection["box"]:
                on_box((box["x"][0], box["y"][0], box["x"][1], box["y"][1]))
            return
        points = selection["points"]
        if points and on_click is not None:
            on_click(list(points[0].get("customdata", ())))

    selectable = on_click is not None or on_box is not None
    modes: tuple[Mode, ...] = ("box",) if on_box else ("points",)
    drawn = dressed(figure, is_dark(), modes_of(modes) if selectable else None)
    st.plotly_chart(
        for_room(drawn), key=widget,
        theme=None, config=config, alt=figure.layout.meta["alt"] or None,
        on_select=clicked if selectable else "ignore", selection_mode=modes,
    )  # fmt: skip


def modes_of(selection: Sequence[str]) -> dict[str, str]:
    """What Streamlit sets on a chart once it is drawn, so that it finds it set: no second drawing.

    Args:
        selection: ``selection_mode`` of the chart.
    """
    points = "points" in selection
    return {
        "clickmode": "event+select" if points else "none",
        "hovermode": "closest",
        "dragmode": "pan" if points else "select",
    }
