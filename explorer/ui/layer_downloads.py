"""Downloads of a table in a narrow panel: the buttons are as wide as their words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.i18n import _


def panel_downloads(name: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """CSV and JSON of a table.

    Args:
        name: File name without ending.
        rows: One mapping a row, all with the same keys.
        about: What the numbers are; goes into the JSON.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    document = {"about": dict(about), "rows": [dict(row) for row in rows]}
    with st.container(horizontal=True):
        st.download_button(
            _("CSV"), text.getvalue(), f"{name}.csv", "text/csv", icon=":material/download:",
            on_click="ignore", key="panel-csv",
        )  # fmt: skip
        st.download_button(
            _("JSON"), json.dumps(document, indent=1, ensure_ascii=False), f"{name}.json",
            "application/json", icon=":material/download:", on_click="ignore", key="panel-json",
        )  # fmt: skip
