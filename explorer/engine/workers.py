"""What a driver asks of a worker, wherever it runs: on this machine or on a node of a cluster."""

from __future__ import annotations

import signal
from typing import Any, Protocol


class WorkerGone(Exception):  # noqa: N818 - an event, not a fault of the caller
    """The worker has ended; the text says how.

    Args:
        reason: "SIGKILL", "exit status 3", "the node is gone".
        elsewhere: Whether it was lost with its place (a node, say) and not over its task, so that
            the same task may be run once more somewhere else.
        for_good: Whether no other worker can be started in its place.
    """

    def __init__(self, reason: str, *, elsewhere: bool = False, for_good: bool = False) -> None:
        super().__init__(reason)
        self.elsewhere = elsewhere
        self.for_good = for_good


class Worker(Protocol):
    """A process that runs one task after another and says how it goes.

    Messages to it: ("run", number, payload, label) and ("cancel", number). From it: ("ready",
    device), then for a job's number "started", "progress", "pool" and last one of "done", "failed"
    and "cancelled"; ``explorer.worker`` has what they carry.
    """

    pid: int

    @property
    def alive(self) -> bool:
        """Whether it can be sent to."""

    @property
    def memory_bytes(self) -> int:
        """Resident memory in bytes; 0 once it has ended."""

    def send(self, *message: Any) -> bool:
        """Sends a message; False when the worker is gone."""

    def receive(self, timeout: float) -> tuple[Any, ...] | None:
        """The next message; None after ``timeout`` seconds or after ``wake``.

        Raises:
            WorkerGone: It has ended and everything it said has been read.
        """

    def wake(self) -> None:
        """Makes a ``receive`` in another thread return now."""

    def stop(self) -> None:
        """Ends an idle worker."""

    def kill(self) -> None:
        """Ends it at once."""


def ending(status: int | None) -> str:
    """How a process ended, in words.

    Args:
        status: Its exit status, negative for a signal; None when it could not be ended.
    """
    if status is None or status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
