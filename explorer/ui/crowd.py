"""Of many visitors at once: only a few pages with networks are drawn at the same moment.

Python runs one thread at a time. Were the pages of all who use networks drawn at once, each would
take as long as all together, and so would the front page of whoever comes in meanwhile. That one is
drawn at once; the others wait for a turn. Their jobs go on in the workers all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.settings import get_settings

TURNS = 2
# A page that has waited for so long is drawn anyway: no fault of another may hold it up for good.
LONGEST_WAIT = 5.0  # seconds

_turns = threading.BoundedSemaphore(TURNS)


@contextmanager
def turn(*, front: bool) -> Iterator[None]:
    """Holds one of the turns in public mode; at once for the front page, and outside of it.

    Args:
        front: Whether the page is the front page.
    """
    if front or not get_settings().public:
        yield
        return
    taken = _turns.acquire(timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        if taken:
            _turns.release()
