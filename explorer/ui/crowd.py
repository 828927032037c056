"""Of many visitors at once: one page is drawn at a time, the front page first.

Python runs one thread at a time. Were the pages of a hundred visitors drawn at once, each would
take as long as all together. In turn, half of them are there in half of that time, and whoever
comes in does not wait for the pages of those who use networks, whose jobs go on all the same. Not
even two are drawn at once: what a page sends goes through the event loop, one message after
another, and beside two busy threads the loop had to wait for each of them.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum

from explorer.settings import get_settings

TURNS = 1
# A page that takes longer (seconds) is not stopped, but others no longer wait for it.
LONGEST_TURN = 1.0
# How often those who wait look for that.
LOOK_SECONDS = 0.25


class Rank(IntEnum):
    """Who goes first: the front page, then parts of a page (progress bars), then other pages."""

    FRONT = 0
    PART = 1
    PAGE = 2


# What has waited for so long (seconds) is drawn anyway: no fault of another may hold it up for
# good, and those who use networks are not shut out by a stream of new visitors.
LONGEST_WAIT = {Rank.FRONT: 15.0, Rank.PART: 2.0, Rank.PAGE: 3.0}


class Turns:
    """A semaphore whose waiters go by rank, and by order of arrival within one.

    Args:
        count: Turns that can be held at once.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._numbers = itertools.count()
        self._held: dict[int, float] = {}
        self._waiting: list[tuple[int, int, threading.Event]] = []

    @property
    def wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def acquire(self, rank: int, timeout: float) -> int | None:
        """Takes a turn; gives its number, None where there was none within ``timeout`` seconds."""
        with self._lock:
            number, given = next(self._numbers), threading.Event()
            heapq.heappush(self._waiting, (rank, number, given))
            self._hand_out()
        deadline = time.monotonic() + timeout
        while not given.wait(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))):
            with self._lock:
                self._take_back()
                if given.is_set():
                    break
                if time.monotonic() >= deadline:
                    self._waiting.remove((rank, number, given))
                    heapq.heapify(self._waiting)
                    return None
        return number

    def release(self, number: int) -> None:
        """Gives a turn back: to the first of those who wait."""
        with self._lock:
            if self._held.pop(number, None) is not None:  # else it was taken back
                self._free += 1
            self._hand_out()

    def _take_back(self) -> None:
        late = time.monotonic() - LONGEST_TURN
        for number in [number for number, since in self._held.items() if since < late]:
            del self._held[number]
            self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            _rank, number, given = heapq.heappop(self._waiting)
            self._free -= 1
            self._held[number] = time.monotonic()
            given.set()


_turns = Turns(TURNS)
_drawing: ContextVar[bool] = ContextVar("_drawing", default=False)


@contextmanager
def turn(rank: Rank) -> Iterator[None]:
    """Holds one of the turns in public mode; outside of it nobody waits.

    A part that is drawn with its page has the page's turn.
    """
    if _drawing.get() or not get_settings().public:
        yield
        return
    taken = _turns.acquire(rank, LONGEST_WAIT[rank])
    token = _drawing.set(True)
    try:
        yield
    finally:
        _drawing.reset(token)
        if taken is not None:
            _turns.release(taken)


def others_wait() -> bool:
    """Whether somebody waits for a turn: whoever has one then makes haste."""
    return _turns.wanted
