"""Controls in a closed popover: they still say what was chosen, and are not drawn.

A control costs the server as much as a line of text, and the front page has a dozen of them that
few visitors ever open. In public mode (``public.when_opened``) a popover tells when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

_folded: ContextVar[bool] = ContextVar("_folded", default=False)


@contextmanager
def in_popover(popover: PopoverContainer) -> Iterator[None]:
    """Draws the controls of ``params`` in a popover, or only reads them where it is closed.

    One that does not tell whether it is open (``on_change="ignore"``) has them drawn always.
    """
    token = _folded.set(popover.open is False)
    try:
        with popover:
            yield
    finally:
        _folded.reset(token)


def folded() -> bool:
    """Whether nobody would see what is drawn here."""
    return _folded.get()


def shown(widget: str, draw: Callable[[], Any]) -> Any:
    """What a control says: ``draw()``, or where it is folded away what the session has for it.

    Args:
        widget: Key of the control in the session's state, where its value has been put.
        draw: Draws the control; gives its value.
    """
    return st.session_state[widget] if _folded.get() else draw()
