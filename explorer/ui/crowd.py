"""Of many visitors at once: only a few pages are drawn at the same moment, the front page first.

Python runs one thread at a time. Were the pages of a hundred visitors drawn at once, each would
take as long as all together. In turn, half of them are there in half of that time, and whoever
comes in does not wait for the pages of those who use networks, whose jobs go on all the same.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.settings import get_settings

TURNS = 2
# A page that has waited for so long (seconds) is drawn anyway: no fault of another may hold it up
# for good, and those who use networks are not shut out by a stream of new visitors.
LONGEST_WAIT, LONGEST_WAIT_FRONT = 5.0, 15.0


class Turns:
    """A semaphore whose waiters go by rank, and by order of arrival within one.

    Args:
        count: Turns that can be held at once.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._arrivals = itertools.count()
        self._waiting: list[tuple[int, int, threading.Event]] = []

    def acquire(self, rank: int, timeout: float) -> bool:
        """Takes a turn; False where none came within ``timeout`` seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            given = threading.Event()
            waiter = (rank, next(self._arrivals), given)
            heapq.heappush(self._waiting, waiter)
        if given.wait(timeout):
            return True
        with self._lock:
            if given.is_set():  # at the last moment
                return True
            self._waiting.remove(waiter)
            heapq.heapify(self._waiting)
            return False

    def release(self) -> None:
        """Gives a turn back: to the first of those who wait."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()
            else:
                self._free += 1


_turns = Turns(TURNS)


@contextmanager
def turn(*, front: bool) -> Iterator[None]:
    """Holds one of the turns in public mode; outside of it nobody waits.

    Args:
        front: Whether the page is the front page, which goes before the others.
    """
    if not get_settings().public:
        yield
        return
    taken = _turns.acquire(0 if front else 1, LONGEST_WAIT_FRONT if front else LONGEST_WAIT)
    try:
        yield
    finally:
        if taken:
            _turns.release()
