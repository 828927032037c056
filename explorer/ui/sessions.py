"""Sessions: how many are open, and that what visitors brought goes with them.

Streamlit keeps a session that was left for a reconnect (``server.disconnectedSessionTTL``), and
looks for what has expired only when another one is put away: the last visitor's uploads would stay
for as long as nobody comes. Here is who looks every few seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import weakref
from collections import deque
from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit import runtime

from explorer import memory
from explorer.engine import get_engine
from explorer.images import SAMPLES, sample_bytes
from explorer.tasks import Task

log = logging.getLogger(__name__)

LOOK_SECONDS, LOOKS_A_SWEEP = 1.0, 10

# Filled when a session's objects are freed, which may be in the middle of anything: no lock is
# taken there, and the engine is told at the next look.
_ended: deque[Collection[str]] = deque()


def visitors() -> int:
    """Open sessions; 0 where no server runs (a test, a script)."""
    # Streamlit counts them for its own metrics and has no public word for it.
    manager = _manager()
    return 0 if manager is None else int(manager.num_active_sessions())


def _manager() -> Any | None:
    """Streamlit's list of sessions; None where no server runs."""
    if not runtime.exists():
        return None
    # What stands in for the runtime in an AppTest has no sessions.
    return getattr(runtime.get_instance(), "_session_mgr", None)


class OwnResults:
    """Keys of kept results that were made of one visitor's own files; dropped with the session."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        weakref.finalize(self, _ended.append, self.keys).atexit = False


def remember(task: Task) -> None:
    """Has the result of a task forgotten with this session, where it shows the visitor's own."""
    if _of_visitor(task):
        if "_own_results" not in st.session_state:
            st.session_state["_own_results"] = OwnResults()
        st.session_state["_own_results"].keys.add(task.key())


def _of_visitor(task: Task) -> bool:
    """Whether a task is about an uploaded image or uploaded weights."""
    ref, image = getattr(task, "ref", None), getattr(task, "image", None)
    own_weights = getattr(ref, "file", None) or getattr(task, "file", None)
    own_image = image is not None and all(image != sample_bytes(one) for one in SAMPLES)
    return bool(own_weights) or own_image


class Caretaker:
    """Ends the sessions that were left; to be used on the event loop's thread alone."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._away: set[str] = set()

    async def stay(self) -> None:
        """Looks every second who has left, and sometimes what has expired; until cancelled."""
        for number in itertools.count(1):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.see_off()
                if number % LOOKS_A_SWEEP == 0 and self.look():
                    await asyncio.to_thread(memory.trim)
            except Exception:
                log.exception("sessions that were left could not be ended")

    def see_off(self) -> None:
        """Tells the engine whose connection is gone since the last look.

        A closed tab says no goodbye: the next visitor would wait for a whole lease for what it had
        asked for.
        """
        manager = _manager()
        if manager is None:
            return
        present = {info.session.id for info in manager.list_active_sessions()}
        away = {one.session.id: one.session for one in manager.list_sessions()
                if one.session.id not in present}  # fmt: skip
        for name in away.keys() - self._away:
            state = away[name].session_state
            if "_owner" in state:
                get_engine().away(state["_owner"])
        self._away = set(away)

    def look(self) -> int:
        """Ends the sessions that have expired, or gone since the last look; how many."""
        manager = _manager()
        if manager is None:
            return 0
        # Streamlit has no other word for it; a test holds this against its version.
        for name, info in manager._session_storage._cache.expire():
            self._known[name] = info.session
        there = {info.session.id: info.session for info in manager.list_sessions()}
        left = self._known.keys() - there.keys()
        for name in left:
            session = self._known[name]
            session.shutdown()
            # Emptied, not left to the collector: a session and what it holds refer to each other.
            session.session_state.clear()
        self._known = there
        while _ended:
            get_engine().forget(_ended.popleft())
        return len(left)
