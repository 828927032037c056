"""The parts that every page has: its head, how it is computed, its downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.i18n import _
from explorer.ui.selection import Selection


def page_head(title: str, what_to_look_at: str, selection: Selection | None = None) -> None:
    """Title, one sentence on what to look at, and the chosen model's name.

    In a talk, whose bar has the words, a single line: the room belongs to the picture.
    """
    if st.session_state.get("_talk") is not None:
        name = "" if selection is None else f" · **{selection.spec.name}**"
        st.markdown(f"{title}{name}")
        return
    st.title(title, anchor=False)
    if selection is None:
        st.markdown(what_to_look_at)
        return
    spec = selection.spec
    weights = _("untrained") if selection.weights is None else selection.weights.id
    facts = [f"**{spec.name}**", spec.family]
    if spec.year:
        facts.append(str(spec.year))
    if selection.weights is not None and selection.weights.uploaded:
        weights = _("{weights} (own weights, not verified)").format(weights=weights)
    facts.append(_("weights: {weights}").format(weights=weights))
    st.markdown(what_to_look_at + "  \n" + " · ".join(facts))


def how_computed(text: str) -> None:
    """The expander with formula and source at the end of a page."""
    with st.expander(_("How this is computed"), icon=":material/functions:"):
        st.markdown(text)


def table_downloads(name: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """CSV and JSON of a table.

    Args:
        name: File name without ending.
        rows: One mapping per row, all with the same keys.
        about: What the numbers are: model, convention, versions; goes into the JSON.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    left, right, _rest = st.columns([1, 1, 4])
    left.download_button(
        _("CSV"), text.getvalue(), f"{name}.csv", "text/csv", icon=":material/download:",
        on_click="ignore", width="stretch",
    )  # fmt: skip
    document = {"about": dict(about), "rows": [dict(row) for row in rows]}
    right.download_button(
        _("JSON"), json.dumps(document, indent=1, ensure_ascii=False), f"{name}.json",
        "application/json", icon=":material/download:", on_click="ignore", width="stretch",
    )  # fmt: skip
