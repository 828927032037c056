"""The actor on a node: one worker process for one device, shared by all servers of the cluster.

Ray runs nothing of a task itself: a map that crashes, or has to be killed, would take the actor
with it and with that the place where the other servers wait. The worker is the one of the local
engine (``explorer.worker``), so that results are the same to the last bit.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import queue
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.engine.cluster.versions import installed
from explorer.engine.failures import pack_error
from explorer.engine.process import WorkerProcess, WorkerSetup
from explorer.engine.workers import WorkerGone

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
# A server that has not asked for so long is gone; it asks every two seconds.
LEASE_SECONDS = 30.0
# How long the task of a server that is gone may go on after it was cancelled.
GRACE_SECONDS = 5.0
# With nothing to linger for, a host whose first server never came stays for so long.
FIRST_SECONDS = 60.0
LAST = ("done", "failed", "cancelled")
# What is sent at once; progress and words for the log wait for more, for a fifth of a second.
URGENT = frozenset({*LAST, "ready", "gone"})
GONE = ("gone", "the node no longer knows this server")
GATHER_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class HostSetup:
    """How a host works.

    Attributes:
        worker: How its worker process is started.
        environment: Variables that hold in it besides those of the node.
        log_level: Records below it are not sent to the servers.
        linger: Seconds without a server after which the host ends; networks stay loaded so long.
    """

    worker: WorkerSetup
    environment: Mapping[str, str] = field(default_factory=dict)
    log_level: int = logging.INFO
    linger: float = 600.0


@dataclass(slots=True)
class _Client:
    seen: float
    outbox: queue.SimpleQueue[tuple[Any, ...]] = field(default_factory=queue.SimpleQueue)


@dataclass(frozen=True, slots=True)
class Letter:
    """A task that waits for the worker.

    Attributes:
        client: Which server sent it.
        number: What that server calls it.
        skeleton: See ``parcels.Parcel``.
        blobs: Its large parts, or what ``fetch`` makes them of.
        files: Path on the server and content (or what ``fetch`` makes it of), for each file.
        label: What is being done, in words.
    """

    client: str
    number: int
    skeleton: bytes
    blobs: tuple[Any, ...]
    files: tuple[tuple[str, Any], ...]
    label: str


class Host:
    """Takes the servers' tasks in the order in which they come, one at a time.

    Every server has at most one task here (``crew``), so that they take turns. Messages are those
    of ``workers.Worker``, and three more: ("gone", reason) when the worker has ended, and
    ("log", level, logger, text) for what it wrote.

    Args:
        setup: See there.
        fetch: Turns references of the object store into what they refer to.
        end: Ends this process.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        setup: HostSetup,
        fetch: Callable[[Sequence[Any]], list[bytes]],
        end: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        os.environ.update(setup.environment)
        self._setup = setup
        self._fetch = fetch
        self._end = end
        self._clock = clock
        self._changed = threading.Condition()
        self._clients: dict[str, _Client] = {}
        self._waiting: deque[Letter] = deque()
        self._running: tuple[Letter, int] | None = None
        self._last_client = ""  # whose task the worker ran last
        self._numbers = itertools.count(1)
        self._worker: WorkerProcess | None = None
        self._ready: tuple[Any, ...] | None = None
        self._wanted = False
        self._given_up: float | None = None
        self._alone_since = clock()
        self._over = False
        self._folder = Path(tempfile.mkdtemp(prefix="explorer-host-"))
        logging.getLogger().addHandler(_ToServers(self._say_log))
        logging.getLogger().setLevel(setup.log_level)
        threading.Thread(target=self._serve, name="explorer-host", daemon=True).start()

    # --- what servers call ----------------------------------------------------------------------

    def hello(self) -> dict[str, str]:
        """What is installed here (``versions.installed``)."""
        return installed()

    def join(self, client: str, former: str = "") -> None:
        """A server begins to use the worker, which is started unless it runs.

        Args:
            client: Its name from now on.
            former: Its name so far; what was for that one is dropped.
        """
        with self._changed:
            self._drop(former)
            self._clients[client] = _Client(self._clock())
            if self._ready is not None:
                self._clients[client].outbox.put(self._ready)
            else:
                self._wanted = True
            self._changed.notify_all()

    def run(self, letter: Letter) -> None:
        """Puts a task at the end of the queue."""
        with self._changed:
            if letter.client in self._clients:
                self._waiting.append(letter)
                self._wanted = True
                self._changed.notify_all()

    def cancel(self, client: str, number: int) -> None:
        """Ends a task: now where it waits, else at its next step."""
        with self._changed:
            for letter in self._waiting:
                if (letter.client, letter.number) == (client, number):
                    self._waiting.remove(letter)
                    self._tell(client, "cancelled", number)
                    return
            if self._is_running(client, number):
                self._cancel_running()

    def receive(self, client: str, timeout: float) -> tuple[int, int, list[tuple[Any, ...]]]:
        """Waits for messages.

        Args:
            client: Who asks.
            timeout: Seconds after which an empty list comes.

        Returns:
            The worker's process id, 0 for none; its resident memory in bytes; the messages.
        """
        with self._changed:
            found = self._clients.get(client)
            if found is not None:
                found.seen = self._clock()
        if found is None:
            return 0, 0, [GONE]
        messages: list[tuple[Any, ...]] = []
        with suppress(queue.Empty):
            messages.append(found.outbox.get(timeout=timeout))
            # A journey for each word would have the last one wait for those before it.
            end = time.monotonic() + GATHER_SECONDS
            while messages[-1][0] not in URGENT:
                messages.append(found.outbox.get(timeout=max(0.0, end - time.monotonic())))
            while True:
                messages.append(found.outbox.get_nowait())
        worker = self._worker
        pid, nbytes = (worker.pid, worker.memory_bytes) if worker is not None else (0, 0)
        return pid, nbytes, messages

    def kill(self, client: str) -> None:
        """Ends the worker at once, where it starts or runs a task of this server."""
        with self._changed:
            worker, running = self._worker, self._running
            mine = running is not None and running[0].client == client
            if worker is None or not (mine or self._ready is None):
                return
        worker.kill()

    def leave(self, client: str) -> None:
        """A server no longer uses the worker; the last one ends it, at once or after a while."""
        with self._changed:
            self._drop(client)
            if self._clients or self._setup.linger > 0:
                return
            self._over = True
            self._changed.notify_all()
        self._stop_worker()
        # Only after this call has been answered.
        threading.Timer(0.1, self._end).start()

    # --- the thread that serves -----------------------------------------------------------------

    def _serve(self) -> None:
        while not self._over:
            try:
                self._step()
            except Exception as error:
                log.exception("the host could not go on")
                self._stop_worker()
                self._lost(str(error))

    def _step(self) -> None:
        """One start of a worker, one task, or one look around."""
        self._look_around()
        with self._changed:
            worker = self._worker
            if worker is None:
                if not self._wanted:
                    self._changed.wait(TICK_SECONDS)
                    return
                self._wanted = False
            else:
                if not self._waiting and worker.alive:
                    self._changed.wait(TICK_SECONDS)
                if self._waiting and worker.alive:
                    self._running = self._waiting.popleft(), next(self._numbers)
                    self._last_client = self._running[0].client
            running = self._running
        if worker is None:
            self._start()
        elif running is not None:
            self._run(worker, *running)
        elif not worker.alive:
            log.warning("the worker ended while it had nothing to do; another one is started")
            worker.stop()
            self._lost("it ended while it had nothing to do")

    def _start(self) -> None:
        try:
            worker = WorkerProcess(self._setup.worker)
        except OSError as error:
            self._lost(str(error), everybody=True)
            return
        with self._changed:
            if self._over:
                worker.kill()
                return
            self._worker, self._last_client = worker, ""
        try:
            message = None
            while message is None or message[0] != "ready":
                message = worker.receive(TICK_SECONDS)
                self._look_around()
        except WorkerGone as gone:
            self._lost(str(gone), everybody=True)
            return
        with self._changed:
            self._ready = message
            for client in self._clients:
                self._tell(client, *message)

    def _run(self, worker: WorkerProcess, letter: Letter, number: int) -> None:
        """One task from its start to its end."""
        files: list[Path] = []
        try:
            try:
                blobs = self._fetch(letter.blobs)
                files = self._unpack_files(letter.files)
            except Exception as error:  # noqa: BLE001 - the server that sent them may be gone
                self._tell(
                    letter.client, "failed", letter.number, pack_error(letter.label, error), ""
                )
                return
            payload = letter.skeleton, blobs, [str(file) for file in files]
            worker.send("run", number, payload, letter.label)
            del payload, blobs
            while True:
                message = worker.receive(TICK_SECONDS)
                self._look_around()
                if message is None or message[1] != number:
                    continue
                self._tell(letter.client, message[0], letter.number, *message[2:])
                if message[0] in LAST:
                    return
        except WorkerGone as gone:
            self._lost(str(gone), letter.client)
        finally:
            with self._changed:
                self._running = self._given_up = None
            for file in files:
                shutil.rmtree(file.parent, ignore_errors=True)

    def _unpack_files(self, files: Sequence[tuple[str, Any]]) -> list[Path]:
        """Writes files to this node's disk, for as long as the task runs."""
        found = []
        for path, content in files:
            data = self._fetch([content])[0]
            # The same name for the same content: the worker knows loaded networks by it.
            folder = self._folder / hashlib.blake2b(data, digest_size=16).hexdigest()
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / Path(path).name).write_bytes(data)
            found.append(folder / Path(path).name)
        return found

    def _lost(self, reason: str, whose: str = "", *, everybody: bool = False) -> None:
        """The worker is gone: says so to all but those whose tasks wait, for whom it is restarted.

        Args:
            reason: How it ended.
            whose: Server whose task it ran.
            everybody: Whether also those who wait are told, because it did not start.
        """
        with self._changed:
            self._worker = self._ready = None
            waiting = set() if everybody else {letter.client for letter in self._waiting}
            for client in self._clients:
                if client == whose or client not in waiting:
                    self._tell(client, "gone", reason)
            self._waiting = deque(one for one in self._waiting if one.client in waiting)
            self._wanted = self._wanted or bool(self._waiting)

    def _look_around(self) -> None:
        """Lets go of servers that are silent, and ends the host when nobody has come for long."""
        now = self._clock()
        with self._changed:
            silent = [n for n, one in self._clients.items() if now - one.seen > LEASE_SECONDS]
            for client in silent:
                log.warning("a server has not asked for %.0f s; its task is ended", LEASE_SECONDS)
                self._drop(client)
            deaf = self._given_up is not None and now - self._given_up > GRACE_SECONDS
            worker = self._worker
            if self._clients:
                self._alone_since = now
            alone = now - self._alone_since > (self._setup.linger or FIRST_SECONDS)
            self._over = self._over or (alone and self._running is None)
        if deaf and worker is not None:
            worker.kill()
        if self._over:
            self._stop_worker()
            self._end()

    # --- called under the lock ------------------------------------------------------------------

    def _drop(self, client: str) -> None:
        gone = self._clients.pop(client, None)
        if gone is None:
            return
        gone.outbox.put(GONE)  # for whoever waits for its messages just now
        self._waiting = deque(one for one in self._waiting if one.client != client)
        if self._running is not None and self._running[0].client == client:
            self._cancel_running()
            self._given_up = self._clock()

    def _is_running(self, client: str, number: int) -> bool:
        running = self._running
        return running is not None and (running[0].client, running[0].number) == (client, number)

    def _cancel_running(self) -> None:
        if self._worker is not None and self._running is not None:
            self._worker.send("cancel", self._running[1])

    # --- from any thread ------------------------------------------------------------------------

    def _tell(self, client: str, *message: Any) -> None:
        found = self._clients.get(client)
        if found is not None:
            found.outbox.put(message)

    def _say_log(self, level: int, name: str, text: str) -> None:
        # What a task writes may arrive after its end, and concerns no other server even then.
        for client in [self._last_client] if self._last_client else list(self._clients):
            self._tell(client, "log", level, name, text)

    def _stop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()
        if self._over:
            shutil.rmtree(self._folder, ignore_errors=True)


class _ToServers(logging.Handler):
    """Hands records to the servers, whose operators read one log and not one a node."""

    def __init__(self, say: Callable[[int, str, str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Sends a record, with its traceback."""
        if not record.name.startswith("ray"):
            self._say(record.levelno, record.name, self.format(record))
