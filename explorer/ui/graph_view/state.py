"""What the visitor looks at in a layer graph, kept in the session under the component's key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explorer.layout import Arrangement, Expanded

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GraphViewState:
    """What is selected, open and coloured.

    Attributes:
        selected: Id of a box, op or module; None for nothing.
        expanded: What is open, as ``layout.arrange`` takes it.
        colour: "kind" or the id of a metric.
    """

    selected: str | None = None
    expanded: Expanded = frozenset()
    colour: str = "kind"


@dataclass
class _Record:
    """The session's note: the state, the last event answered, the drawing that it was sent from."""

    state: GraphViewState
    seen: int = 0
    arrangement: Arrangement | None = None


def _record(key: str, default: GraphViewState | None = None) -> _Record:
    name = f"_{key}_graph"
    if name not in st.session_state:
        st.session_state[name] = _Record(default or GraphViewState())
    record: _Record = st.session_state[name]
    return record


def graph_state(key: str, default: GraphViewState | None = None) -> GraphViewState:
    """The present state of a graph; call it before ``layout.arrange``.

    Args:
        key: Of the component. Put the model's id into it, so that each model keeps its own.
        default: Taken the first time, for instance from the URL.
    """
    return _record(key, default).state


def set_graph_state(key: str, state: GraphViewState) -> None:
    """Replaces the state from outside, for instance when a link names another layer."""
    _record(key).state = state


def remember(key: str, arrangement: Arrangement) -> int:
    """Notes what is drawn, for the next event; the number of the last event answered."""
    record = _record(key)
    record.arrangement = arrangement
    return record.seen


def receive(key: str, then: Callable[[GraphViewState], None] | None) -> None:
    """Takes an event of the component, before the script runs."""
    event = st.session_state[key].get("event")
    record = _record(key)
    if not isinstance(event, Mapping) or record.arrangement is None:
        return
    number = event.get("n")
    record.seen = number if isinstance(number, int) else record.seen
    state = apply_event(record.state, record.arrangement, event)
    if state != record.state:
        record.state = state
        if then is not None:
            then(state)


def apply_event(
    state: GraphViewState, arrangement: Arrangement, event: Mapping[str, Any]
) -> GraphViewState:
    """The state after an event; what the browser sent is not trusted to make sense."""
    kind, name = event.get("type"), event.get("id")
    if kind == "select" and (name is None or isinstance(name, str)):
        return replace(state, selected=name)
    if kind == "colour" and isinstance(name, str):
        return replace(state, colour=name)
    if kind == "toggle" and isinstance(name, str):
        return replace(state, expanded=arrangement.toggled(name, bool(event.get("deep"))))
    if kind == "reveal" and isinstance(name, str):
        return replace(state, expanded=arrangement.revealing(name), selected=name)
    if kind == "expand":
        depth = event.get("depth")
        if depth == "all":
            return replace(state, expanded="all")
        if isinstance(depth, int):
            return replace(state, expanded=arrangement.to_depth(depth))
    logger.warning("Graph view sent an event that is not known: %r", event)
    return state
