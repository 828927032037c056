"""The store of measurements as the page asks it: where it fails, one sentence and no answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from explorer.engine import get_engine
from explorer.errors import MeasurementError
from explorer.results import named_device
from explorer.settings import get_settings
from explorer.ui.text import said

if TYPE_CHECKING:
    from explorer.measurements import MeasurementStore, Row

T = TypeVar("T")
U = TypeVar("U")
_DOWN = "_store_down"
#: Seconds for which a store that did not answer is not asked again: each page run would wait.
PATIENCE = 15.0


def keeps() -> bool:
    """Whether what a visitor measures goes into the store.

    Not in public mode: there it would be shown to other visitors, and strangers would fill it.
    """
    return not get_settings().public


def begin() -> None:
    """At the start of a page run: nothing was said yet about the store."""
    st.session_state["_store_said"] = False


def ask(question: Callable[[MeasurementStore], T], otherwise: U) -> T | U:
    """What the store answers; where it cannot, the sentence stands in the page, once a run."""
    since, known = st.session_state.get(_DOWN, (0.0, None))
    if known is not None and time.monotonic() - since < PATIENCE:
        _say(known)
        return otherwise
    from explorer.measurements import MeasurementStore

    try:
        answer = question(MeasurementStore(timeout=2.0))
    except MeasurementError as error:
        st.session_state[_DOWN] = (time.monotonic(), error)
        _say(error)
        return otherwise
    st.session_state.pop(_DOWN, None)
    return answer


def _say(error: MeasurementError) -> None:
    if not st.session_state.get("_store_said"):
        st.session_state["_store_said"] = True
        st.warning(said(error), icon=":material/database_off:")


def own_devices() -> frozenset[str]:
    """The devices that networks run on here, as results call them; none until a worker has looked.

    On a cluster they are those of its nodes.
    """
    info = get_engine().info()
    if info.nodes:
        return frozenset(
            named_device(node.device.name, node.name) for node in info.nodes if node.device
        )
    return frozenset() if info.device is None else frozenset({info.device.name})


def here(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Those of the devices here; while they are unknown, of the one measured on last."""
    measured = [row for row in rows if row.origin == "measured"]
    names = own_devices() or {row.device for row in measured[:1]}
    return tuple(row for row in measured if row.device in names)
