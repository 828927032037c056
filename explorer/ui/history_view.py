"""One step of the history: its ideas, what it borrowed, the networks that open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.catalog import find
from explorer.catalog.history import HistoryEntry
from explorer.i18n import _, language
from explorer.ui.links import open_row
from explorer.ui.selection import Selection
from explorer.ui.units import si


def choose_entry(customdata: list[Any]) -> None:
    """Makes the clicked step the chosen one; the control takes it over in the run that follows."""
    if customdata:
        st.session_state["_w_entry"] = customdata[0]


def show_entry(entry: HistoryEntry, entries: Sequence[HistoryEntry], selection: Selection) -> None:
    """Draws a step: ideas on the left, borrowings and networks on the right."""
    ideas, origins = st.columns([1.6, 1], gap="large")
    with ideas:
        st.subheader(f"{entry.name} ({entry.year})", anchor=False)
        st.markdown("\n".join(f"- {idea}" for idea in entry.ideas[language()]))
        st.markdown(f"[{_('Paper')}]({entry.paper})")
    with origins:
        names = {other.id: other.name for other in entries}
        if entry.builds_on:
            st.markdown(f"**{_('Builds on')}**")
            for source in entry.builds_on:
                reason = entry.borrowed.get(source, {}).get(language(), "")
                st.markdown(f"- **{names[source]}**: {reason}" if reason else f"- {names[source]}")
        if not entry.models:
            st.info(_("No library has this network ready-made; its layer table is in the paper."))
        for model_id in entry.models:
            spec = find(model_id)
            facts = _("{count} parameters").format(count=si(spec.params))
            if spec.macs is not None:
                facts += " · " + si(spec.macs, _("MACs"))
            st.markdown(f"**{spec.name}** · {facts}")
            open_row(model_id, spec.name, selection)
