"""One step of the timeline: its ideas, what it borrowed, its block as traced, its networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.catalog import find
from explorer.catalog.history import HistoryEntry, builders_on
from explorer.catalog.history import timeline as all_entries
from explorer.charts.history import timeline as timeline_figure
from explorer.claims import claims
from explorer.explainers import EXPLAINERS
from explorer.i18n import _, language
from explorer.ui.charts import show_figure
from explorer.ui.history.block import show_block
from explorer.ui.history.words import VERDICT_ICONS, claim_address
from explorer.ui.history.words import go as go_to
from explorer.ui.kept import kept_figure
from explorer.ui.links import open_row
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.text import plain
from explorer.ui.units import si

if TYPE_CHECKING:
    import plotly.graph_objects as go


def show_timeline(entries: Sequence[HistoryEntry], selection: Selection, width: int) -> None:
    """The graph of influences over time, and the step that is chosen in it."""
    picture = st.container()
    names = {entry.id: f"{entry.year} · {entry.name}" for entry in entries}
    chosen = choice("entry", _("Step"), names)
    with picture:
        show_figure(kept_figure(_figure, width, chosen), "timeline", on_click=_choose)
    _show_entry(next(entry for entry in entries if entry.id == chosen), entries, selection)


def _figure(width: int, chosen: str) -> go.Figure:
    return timeline_figure(all_entries(), width=width, chosen=chosen)


def _choose(customdata: list[Any]) -> None:
    """Makes the clicked step the chosen one; the control takes it over in the run that follows."""
    if customdata:
        st.session_state["_w_entry"] = customdata[0]


def _show_entry(entry: HistoryEntry, entries: Sequence[HistoryEntry], selection: Selection) -> None:
    ideas, drawing = st.columns([1.25, 1], gap="large")
    with ideas:
        st.subheader(f"{entry.name} ({entry.year})", anchor=False)
        st.caption(f"{_authors(entry)}: [{plain(entry.title)}]({entry.paper})")
        st.markdown("\n".join(f"- {plain(idea)}" for idea in entry.sentences))
        _show_origins(entry, entries)
        _show_folklore(entry)
    with drawing:
        show_block(entry)
    _show_networks(entry, selection)


def _authors(entry: HistoryEntry) -> str:
    names = entry.authors
    if len(names) <= 4:
        return ", ".join(names)
    return _("{first} et al. ({count} authors)").format(first=names[0], count=len(names))


def _show_origins(entry: HistoryEntry, entries: Sequence[HistoryEntry]) -> None:
    names = {other.id: other.name for other in entries}
    if entry.builds_on:
        lines = [
            f"- **{plain(names[source])}**: {plain(entry.borrowed[source][language()])}"
            for source in entry.builds_on
        ]
        st.markdown(f"**{_('Borrowed from')}**\n" + "\n".join(lines))
    later = [plain(other.name) for other in builders_on(entry.id)]
    if later:
        st.markdown(f"**{_('Taken up by')}** " + ", ".join(later))
    if entry.explainers:
        with st.container(horizontal=True):
            for idea in entry.explainers:
                st.button(
                    _("Try: {idea}").format(idea=_(EXPLAINERS[idea].title)),
                    key=f"try-{idea}", icon=":material/tune:", on_click=go_to,
                    kwargs={"view": "ideas", "idea": idea},
                )  # fmt: skip


def _show_folklore(entry: HistoryEntry) -> None:
    """The sentences that circulate about it, each leading to its check."""
    if not entry.claims:
        return
    known = claims()
    lines = [
        f"- {VERDICT_ICONS[known[name].verdict]} [{plain(known[name].claim[language()])}]"
        f"({claim_address(name)})"
        for name in entry.claims
    ]
    st.markdown(f"**{_('Folklore, checked')}**\n" + "\n".join(lines))


def _show_networks(entry: HistoryEntry, selection: Selection) -> None:
    """What opens, with the catalog's numbers."""
    specs = [find(model) for model in entry.models]
    st.dataframe(
        [
            {
                _("Network"): spec.name,
                _("Source"): spec.source,
                _("Parameters"): si(spec.params),
                _("Multiply–accumulates"): "" if spec.macs is None else si(spec.macs, _("MACs")),
                _("Input"): "×".join(str(length) for length in spec.input_size),
            }
            for spec in specs
        ],
        hide_index=True,
    )
    chosen = [spec for spec in specs if spec.id == selection.spec.id]
    with st.container(horizontal=True):
        for spec in specs:
            if spec not in chosen:
                open_row(spec.id, spec.name, selection)
    for spec in chosen:
        open_row(spec.id, spec.name, selection)
