"""Finished results under a byte budget, least recently used out first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any


class ResultCache:
    """Results by the key of their task; safe to use from several threads.

    Values are handed out as they are, not copied: results are frozen, so treat them as such.

    Args:
        max_bytes: Budget for the sum of the sizes given to ``put``.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Any | None:
        """The value, which becomes the most recently used; None when it is not there."""
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key][0]

    def put(self, key: str, value: Any, nbytes: int) -> None:
        """Keeps a value; one that is larger than the whole budget is not kept.

        Args:
            key: Content key of the task.
            value: Its result.
            nbytes: Size of the result in bytes, as pickled.
        """
        with self._lock:
            self._drop(key)
            if nbytes > self._max_bytes:
                return
            self._items[key] = (value, nbytes)
            self._nbytes += nbytes
            while self._nbytes > self._max_bytes:
                self._drop(next(iter(self._items)))

    def drop(self, key: str) -> None:
        """Forgets one value, where it is there."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._items.clear()
            self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the values kept."""
        with self._lock:
            return self._nbytes

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)

    def _drop(self, key: str) -> None:
        if key in self._items:
            self._nbytes -= self._items.pop(key)[1]
