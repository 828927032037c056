"""``?embed=1``: the chart alone, for a slide."""

from __future__ import annotations

from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

# The controls are still drawn, out of sight, since they read the address.
_STYLE = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stSidebarCollapsedControl"],
[data-testid="stExpandSidebarButton"], .st-key-bubble-controls { display: none !important; }
.stMainBlockContainer { padding: 0.5rem 0.75rem 0 !important; max-width: none !important; }
</style>"""


def embedded() -> bool:
    """Whether the address asks for the chart alone; Streamlit keeps this parameter to itself."""
    context = get_script_run_ctx()
    query = parse_qs(context.query_string) if context is not None else {}
    return query.get("embed", ["0"])[-1] == "1"


def hide_frame() -> None:
    """Takes sidebar, header and controls out of sight."""
    st.html(_STYLE)
