"""Pictures made in the browser, files made here, and the address of a slide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from explorer.charts.bubble import BubbleRow
from explorer.i18n import _, language
from explorer.ui.bubble.sources import table_rows
from explorer.ui.page import table_downloads

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HERE = Path(__file__).parent
_component = None


def show_exports(figure: go.Figure, rows: Sequence[BubbleRow], name: str) -> None:
    """PNG, SVG and PDF of what is seen, HTML that stays alive, CSV and JSON, and a slide.

    Args:
        figure: As drawn.
        rows: Its rows.
        name: File name without ending.
    """
    _pictures(name)
    with st.container(horizontal=True):
        st.download_button(
            _("HTML, works offline"), lambda: _page(figure), f"{name}.html", "text/html",
            icon=":material/download:", on_click="ignore", key="bubble-html",
        )  # fmt: skip
        # The address is relative: it holds wherever the app is served from.
        query = {**st.query_params.to_dict(), "lang": language(), "embed": "1"}
        st.link_button(
            _("Chart alone, for a slide"), "?" + urlencode(query), icon=":material/slideshow:"
        )
    table = table_rows(rows)
    st.dataframe(table, hide_index=True)
    table_downloads(name, table, {"data": name})
    st.caption(
        _(
            "SVG, PNG and PDF show the chart as it stands, zoomed or played. PDF opens the "
            "browser's print window on a page of the chart's size: choose “Save as PDF”."
        )
    )


def _page(figure: go.Figure) -> str:
    """A page that needs nothing else: Plotly's script is inside (about 4.5 MB)."""
    return str(figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False}))


def _pictures(name: str) -> None:
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        _component = st.components.v2.component(
            "explorer_bubble_pictures",
            js=(_HERE / "pictures.js").read_text(encoding="utf-8"),
            css=(_HERE / "pictures.css").read_text(encoding="utf-8"),
        )
    buttons = [["png", "PNG"], ["svg", "SVG"], ["pdf", _("PDF (print)")]]
    data = {"selector": ".st-key-bubble-figure", "name": name, "buttons": buttons}
    _component(key="bubble-pictures", data=data)
