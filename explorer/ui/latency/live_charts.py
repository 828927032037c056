"""The charts of a measurement that goes on: replaced as a whole, several times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.live_timing import STYLE, live_charts

if TYPE_CHECKING:
    from explorer.results import LatencySeries

# ``st.html`` takes the paths of SVG away. The text holds our own numbers and escaped words only.
_SCRIPT = """
export default function ({ parentElement, data }) {
  parentElement.querySelector(".place").innerHTML = data.charts;
}
"""

_component = None


def show_live_charts(series: LatencySeries) -> None:
    """Draws what has been measured so far.

    Args:
        series: At least one run of one batch size; still growing.
    """
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        _component = st.components.v2.component(
            "explorer_live_charts", html='<div class="place"></div>', css=STYLE, js=_SCRIPT
        )
    _component(key="live-charts", data={"charts": live_charts(series)})
