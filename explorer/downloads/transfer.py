"""One download under watch: progress, cancel, stall and size limit around a library's own loader.

The loader runs in a thread of its own and reports every chunk; the caller's thread looks at it a
few times a second. So a caller can cancel, and a stall is noticed, also while a connection hangs.
"""

from __future__ import annotations

import contextvars
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlparse

from explorer.errors import ExplorerError, WeightsUnavailableError
from explorer.i18n import N_

T = TypeVar("T")
ProgressCallback = Callable[[int, int | None], None]
POLL_SECONDS = 0.2
CHUNK_BYTES = 1 << 17
SLACK_BYTES = 1 << 20
UNKNOWN_LIMIT = 16 << 30

_log = logging.getLogger(__name__)
current: ContextVar[Transfer | None] = ContextVar("explorer_transfer", default=None)
"""The transfer that the calling thread works for."""


class TransferCutError(OSError):
    """The connection ended before the announced number of bytes."""


class Transfer:
    """The state of one download.

    Args:
        what: The weights, for the sentences.
        url: Where they come from.
        expected: Bytes that the catalog expects, to within a mebibyte; None where unknown.
        stall_seconds: Time without a byte after which it is given up.
        progress: Called in the caller's thread with (done, total or None).

    Attributes:
        done: Bytes received.
        total: Bytes announced or else expected.
        partial: The unfinished file, where the loader tells; removed if its thread hangs.
    """

    def __init__(
        self,
        what: str,
        url: str,
        expected: int | None,
        stall_seconds: float,
        progress: ProgressCallback | None,
    ) -> None:
        self.what = what
        self.url = url
        self.host = urlparse(url).netloc
        self.stall_seconds = stall_seconds
        self.done = 0
        self.total = expected
        self.partial: Path | None = None
        self._limit = expected + SLACK_BYTES if expected is not None else UNKNOWN_LIMIT
        self._announced = False
        self._progress = progress
        self._error: BaseException | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def run(self, function: Callable[[], T]) -> T:
        """The result of ``function``, which downloads in a thread of its own.

        Raises:
            WeightsUnavailableError: It stalled or brought too much.
            BaseException: Whatever ``function`` or the progress callback raised.
        """
        results: list[T] = []
        failures: list[BaseException] = []

        def work() -> None:
            current.set(self)
            try:
                results.append(function())
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name="download", daemon=True)
        thread.start()
        try:
            self._watch(thread)
        except BaseException as error:
            self._abort(error)
            thread.join(1.0)
            if thread.is_alive():
                _log.warning("%s: the connection hangs; its thread ends by itself", self.url)
                if self.partial is not None:
                    self.partial.unlink(missing_ok=True)
            raise
        if failures:
            raise self._error or failures[0]
        return results[0]

    def _watch(self, thread: threading.Thread) -> None:
        """Reports until the thread ends; raises on a stall or when the callback does."""
        seen, since = -1, time.monotonic()
        while True:
            thread.join(POLL_SECONDS)
            alive = thread.is_alive()
            if self.done != seen:
                seen, since = self.done, time.monotonic()
            if self._progress is not None:
                self._progress(self.done, self.total)
            if not alive:
                return
            if self.done and self.total and self.done >= self.total:
                since = time.monotonic()  # all is here; checksum and move take their time
            elif time.monotonic() - since > self.stall_seconds:
                raise WeightsUnavailableError(
                    N_(
                        "{what} could not be downloaded: {host} sent nothing for {seconds} s; "
                        "check the connection and try again, or explore the untrained network."
                    ),
                    what=self.what,
                    host=self.host,
                    seconds=f"{self.stall_seconds:g}",
                )

    def _abort(self, error: BaseException) -> None:
        with self._lock:
            self._error = error
            if self._socket is not None:
                try:
                    # Wakes the thread that waits in recv; closing alone would not.
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _log.debug("%s: the socket was closed already", self.url)

    def connected(self, connection: socket.socket | None) -> None:
        """The download hands over its socket, so that it can be woken up."""
        with self._lock:
            self._socket = connection
        self.stop_if_aborted()

    def announced(self, size: int | None) -> None:
        """The download says how many bytes the server announces; None where it does not.

        Raises:
            WeightsUnavailableError: More is announced than expected.
        """
        self.stop_if_aborted()
        if size is not None:
            if size > self._limit:
                raise self._too_much()
            self.total, self._announced = size, True
            self._limit = size

    def received(self, count: int) -> None:
        """The download says that a chunk has come.

        Raises:
            WeightsUnavailableError: More has come than announced or expected.
        """
        self.stop_if_aborted()
        self.done += count
        if self.done > self._limit:
            raise self._too_much()

    def ended(self) -> None:
        """The download says that the stream is at its end.

        Raises:
            TransferCutError: Bytes are missing.
        """
        self.stop_if_aborted()
        if self._announced and self.total is not None and self.done < self.total:
            raise TransferCutError(f"{self.done} of {self.total} bytes")

    def stop_if_aborted(self) -> None:
        """Ends the download's thread where the caller has given up."""
        if self._error is not None:
            raise self._error

    def _too_much(self) -> ExplorerError:
        return WeightsUnavailableError(
            N_(
                "{what} could not be downloaded: {host} sends more than the {size} MB expected, so "
                "nothing was kept; try again later, or explore the untrained network."
            ),
            what=self.what,
            host=self.host,
            size=f"{self._limit / 1e6:.1f}",
        )


def content_length(response: Any) -> int | None:
    """Content-Length of a response; None where there is none or nonsense."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else None
