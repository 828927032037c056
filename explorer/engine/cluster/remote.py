"""A worker on a node, as its driver sees it: the protocol of ``workers.Worker`` over an actor."""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from explorer.engine.cluster.host import Letter
from explorer.engine.cluster.parcels import Parcel
from explorer.engine.failures import pack_error
from explorer.engine.workers import WorkerGone
from explorer.errors import ClusterError
from explorer.i18n import N_

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
# Large parts kept in the object store, so that the next task on the same photo sends nothing.
DEPOT_BYTES = 256 * 2**20
LEAVE_SECONDS = 1.5
JOIN_SECONDS = 60.0


class LostPlaceError(Exception):
    """The actor cannot be reached any more; the text says why."""


class Place(Protocol):
    """The host of one device on one node, wherever it is (``connection.RemoteHost``)."""

    node: str

    def call(self, method: str, *arguments: Any) -> None:
        """Calls a method of the host without waiting for it; calls arrive in their order."""

    def ask(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Calls a method of the host and returns its answer.

        Raises:
            LostPlaceError: The host, its node or the cluster is gone.
            TimeoutError: No answer within ``timeout`` seconds.
        """


class Depot:
    """Large parts in the object store, each put there once while it is used again and again.

    Args:
        put: Puts bytes into the object store and returns a reference, which keeps them there.
        most: Bytes kept; beyond, what was used longest ago goes.
    """

    def __init__(self, put: Callable[[bytes], Any], most: int = DEPOT_BYTES) -> None:
        self._put = put
        self._most = most
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def place(self, blob: bytes) -> Any:
        """A reference to these bytes."""
        name = hashlib.blake2b(blob, digest_size=16).digest()
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name][0]
        reference = self._put(blob)
        with self._lock:
            self._kept[name] = reference, len(blob)
            self._nbytes = sum(size for _reference, size in self._kept.values())
            while self._nbytes > self._most and len(self._kept) > 1:
                _name, (_reference, size) = self._kept.popitem(last=False)
                self._nbytes -= size
        return reference

    def forget(self) -> None:
        """Lets go of everything; what is on its way stays until it has arrived."""
        with self._lock:
            self._kept.clear()
            self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes kept."""
        return self._nbytes

    def __len__(self) -> int:
        return len(self._kept)


class RemoteWorker:
    """One server's view of a worker that may serve others too.

    Args:
        place: The host.
        depot: Where large parts go.
        former: Name of the worker that this one takes the place of, on the same host.
        patience: Seconds for which an answer is waited for.

    Raises:
        LostPlaceError: The host, its node or the cluster is gone.
        TimeoutError: No answer within ``patience`` seconds.
    """

    def __init__(
        self, place: Place, depot: Depot, former: str = "", patience: float = JOIN_SECONDS
    ) -> None:
        self.pid = 0
        self.memory_bytes = 0
        self.name = uuid.uuid4().hex
        self._place = place
        self._depot = depot
        self._inbox: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._gone: WorkerGone | None = None
        self._left = threading.Event()
        # Messages are asked for beside everything else there: not before this name is known.
        place.ask("join", self.name, former, timeout=patience)
        self._reader = threading.Thread(
            target=self._read, name="explorer-cluster-messages", daemon=True
        )
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether it can be sent to."""
        return self._gone is None and not self._left.is_set()

    def send(self, *message: Any) -> bool:
        """Sends a message; False when the worker is gone."""
        kind, number, *rest = message
        if not self.alive:
            return False
        try:
            if kind == "run":
                parcel, label = rest
                self._run(number, parcel, label)
            else:
                self._place.call(kind, self.name, number)
        except LostPlaceError:  # the reader finds out by itself, and says how
            return False
        return True

    def receive(self, timeout: float) -> tuple[Any, ...] | None:
        """The next message; None after ``timeout`` seconds or after ``wake``.

        Raises:
            WorkerGone: It has ended and everything it said has been read.
        """
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return None
        if message is not None and message[0] == "gone":
            self._inbox.put(message)  # for whoever asks again
            assert self._gone is not None
            raise self._gone
        return message

    def wake(self) -> None:
        """Makes a ``receive`` in another thread return now."""
        self._inbox.put(None)

    def stop(self) -> None:
        """Lets go of the worker, which ends when no server uses it any more."""
        self._leave()
        # Its host answers now what is asked of it: nothing is on its way once this returns.
        self._reader.join(LEAVE_SECONDS)

    def kill(self) -> None:
        """Ends it at once, where it starts or runs a task of this server."""
        try:
            self._place.ask("kill", self.name, timeout=LEAVE_SECONDS)
        except (LostPlaceError, TimeoutError) as error:
            log.warning("a worker of node %s could not be ended: %s", self._place.node, error)

    def _leave(self) -> None:
        if self._left.is_set():
            return
        self._left.set()
        try:
            self._place.ask("leave", self.name, timeout=LEAVE_SECONDS)
        except (LostPlaceError, TimeoutError):  # its lease runs out
            log.info("node %s could not be told that this server leaves", self._place.node)

    def _run(self, number: int, parcel: Parcel, label: str) -> None:
        try:
            blobs = tuple(self._depot.place(blob) for blob in parcel.blobs)
            files = tuple(
                (path, self._depot.place(Path(path).read_bytes())) for path in parcel.files
            )
        except LostPlaceError:
            raise
        except Exception as error:
            # Ray says in many ways that its store is full: memory, and the disk it spills to.
            log.exception("“%s” could not be put into the cluster's object store", label)
            refused = ClusterError(
                N_(
                    "“{task}” could not be sent to the cluster ({reason}); wait until other jobs "
                    "have ended, or give its object store more memory (ray start "
                    "--object-store-memory)."
                ),
                task=label,
                reason=f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"[:200],
            )
            self._inbox.put(("failed", number, pack_error(label, refused), ""))
            return
        letter = Letter(self.name, number, parcel.skeleton, blobs, files, label)
        self._place.call("run", letter)

    def _read(self) -> None:
        """Takes messages until the worker is gone."""
        while not self._left.is_set():
            try:
                pid, nbytes, messages = self._place.ask("receive", self.name, POLL_SECONDS)
            except LostPlaceError:
                if self._left.is_set():
                    return
                log.warning("node %s does not answer any more", self._place.node, exc_info=True)
                self._end(WorkerGone(f"node {self._place.node} is gone", elsewhere=True))
                return
            if pid:
                self.pid = pid
            self.memory_bytes = nbytes
            for message in messages:
                if message[0] == "log":
                    _kind, level, name, text = message
                    logging.getLogger(name).log(level, "%s", text, extra={"node": self._place.node})
                elif message[0] == "gone":
                    self._end(WorkerGone(message[1]))
                    return
                else:
                    self._inbox.put(message)

    def _end(self, gone: WorkerGone) -> None:
        self.memory_bytes = 0
        self._gone = gone
        self._inbox.put(("gone",))
