"""Pasting an image, or dragging one here from another tab: it goes the uploader's way."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.i18n import _

_STYLE = """
p { margin: 0; font-size: 0.875rem; opacity: 0.65; color: var(--st-text-color); }
"""

_component = None


def paste_and_drop() -> None:
    """Draws a line that says how; listens on the whole page, of which one may do so."""
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        script = Path(__file__).with_name("taking.js").read_text("utf-8")
        _component = st.components.v2.component(
            "explorer_taking", html="<p></p>", css=_STYLE, js=script
        )
    _component(
        key="_taking",
        data={
            "hint": _("Or paste one, or drag one here from another tab."),
            "refused": _("That site does not give its image away; copy the image and paste it."),
            "none": _("What was dragged here is no image; drag an image or its file."),
        },
    )
