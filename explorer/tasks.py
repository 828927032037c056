"""Heavy calls as picklable requests: built on the script thread, run by the engine in a worker.

A task is frozen data and imports nothing heavy until ``run``; its ``key`` names its content, so that
identical requests share one run and one cached result.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from explorer.pool import ModelPool


class Context(Protocol):
    """What a task may use while it runs in a worker."""

    @property
    def pool(self) -> ModelPool:
        """The loaded models of this worker."""

    def progress(self, done: float, total: float, partial: Any = None) -> None:
        """Says how far the task is, and hands out a partial result; call it between steps.

        Raises:
            JobCancelled: Nobody waits for the result any more; let it pass through.
        """


class Task(Protocol):
    """One heavy call.

    A task whose result must not be kept (a timing) returns "" from ``key``.
    """

    def key(self) -> str:
        """Hex digest of everything that the result depends on; "" when it must not be shared."""

    def run(self, context: Context) -> Any:
        """Does the work in a worker process; the result can be pickled without torch."""


def digest(*parts: object) -> str:
    """A stable hex key of plain data: strings, numbers, bytes, tuples, dicts and frozen dataclasses."""
    found = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()
