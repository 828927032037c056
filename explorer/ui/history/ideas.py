"""The ideas to try out: one or two sliders, a figure, a sentence with the numbers."""

from __future__ import annotations

import streamlit as st

from explorer.catalog.history import HistoryEntry
from explorer.charts.explainers import explain
from explorer.explainers import EXPLAINERS
from explorer.i18n import _
from explorer.ui.charts import show_figure
from explorer.ui.history.words import go
from explorer.ui.params import choice, number


def show_ideas(entries: tuple[HistoryEntry, ...], width: int) -> None:
    """The chosen idea at the chosen values."""
    titles = {name: _(explainer.title) for name, explainer in EXPLAINERS.items()}
    idea = choice("idea", _("Idea"), titles, kind="select" if width < 600 else "segmented")
    explainer = EXPLAINERS[idea]
    picture = st.container()
    values: dict[str, float] = {}
    columns = st.columns(len(explainer.sliders))
    for column, slider in zip(columns, explainer.sliders, strict=True):
        with column:
            values[slider.name] = number(
                f"{idea}_{slider.name}", _(slider.label), (slider.low, slider.high),
                default=slider.default, step=slider.step,
            )  # fmt: skip
    with picture:
        explained = explain(idea, values, width=width)
        st.markdown(explained.sentence)
        show_figure(explained.figure, f"idea-{idea}")
    _links(idea, next(entry for entry in entries if entry.id == explainer.entry), values)


def _links(idea: str, entry: HistoryEntry, values: dict[str, float]) -> None:
    with st.container(horizontal=True):
        st.button(
            _("On the timeline: {name}").format(name=entry.name), key="to-entry", on_click=go,
            kwargs={"view": "timeline", "entry": entry.id}, icon=":material/timeline:",
        )  # fmt: skip
        query = calculator_query(idea, values)
        if query:
            page = st.session_state["_pages"]["complexity.py"]
            st.page_link(
                page, label=_("In the bottleneck calculator"), icon=page.icon, query_params=query,
            )  # fmt: skip


def calculator_query(idea: str, values: dict[str, float]) -> dict[str, str]:
    """The same design on the complexity page; empty where the calculator does not have it."""
    patterns = {"bottleneck": "bottleneck", "separable": "separable", "factorised": "factorised"}
    if idea not in patterns:
        return {}
    channels = int(values["channels"])
    query = {"view": "calculator", "pattern": patterns[idea], "cin": channels, "cout": channels}
    if idea == "bottleneck":
        query |= {"mid": max(1, round(channels / values["reduction"]))}
    else:
        query |= {"kernel": int(values["kernel"])}
    return {name: str(value) for name, value in query.items()}
