"""Names of other libraries that are replaced for a while, by several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Replacement = tuple[Any, str, Any]
"""(module, name, what it is replaced by)."""


class Patch:
    """Replaces module attributes while at least one thread is inside; then puts them back.

    What is put in must itself find out (from a context variable) whether the calling thread is
    inside, and else do what the original does.

    Args:
        replacements: Called when the first thread enters.
    """

    def __init__(self, replacements: Callable[[], Iterable[Replacement]]) -> None:
        self._replacements = replacements
        self._lock = threading.Lock()
        self._users = 0
        self._originals: list[Replacement] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Inside, the names are replaced; they are restored when the last thread leaves."""
        with self._lock:
            if self._users == 0:
                for holder, name, replacement in list(self._replacements()):
                    self._originals.append((holder, name, getattr(holder, name)))
                    setattr(holder, name, replacement)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                while self._users == 0 and self._originals:
                    setattr(*self._originals.pop())
