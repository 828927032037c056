"""One worker process: started, spoken to, watched, ended."""

from __future__ import annotations

import logging
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import psutil

from explorer.engine.channel import LINE_MARK, Channel
from explorer.engine.workers import WorkerGone, ending

log = logging.getLogger(__name__)
worker_log = logging.getLogger("explorer.worker")

ROOT = Path(__file__).resolve().parents[2]
LOG_LINE = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ([\w.]+): (.*)")
KILL_WAIT_SECONDS = 1.0
# How many kernels oneDNN keeps compiled, and how many descriptions of convolutions PyTorch's layer
# over it: 1,024 of each unless told otherwise. A worker meets far more shapes than one network has,
# and the older ones stay resident beside the budget: after 80 networks some 60 MB more than with
# these. 256 hold what DenseNet-201 runs forward; without any they cost it 15 % of its time.
KEPT_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256", "LRU_CACHE_CAPACITY": "16"}


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """How a worker process is started.

    Attributes:
        threads: Intra-op threads of torch; None leaves OMP_NUM_THREADS if it is set, else takes the
            number of physical cores.
        preload: Whether it imports torch before it says that it is ready.
        nice: By how much it gives way to other processes, 0 to 19, as in nice(1).
        python_path: Folders that it can import from, besides the project's.
        command: What is run instead of ``explorer.worker``, for tests.
    """

    threads: int | None = None
    preload: bool = True
    nice: int = 0
    python_path: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()


class WorkerProcess:
    """A running worker; the server reads its messages from a queue, its stderr goes to the log."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._process = subprocess.Popen(
            _command(setup),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(setup),
        )
        self.pid = self._process.pid
        self._channel = Channel(cast(Any, self._process.stdout), cast(Any, self._process.stdin))
        self._inbox: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._read, name="explorer-worker-messages", daemon=True),
            threading.Thread(
                target=_forward,
                args=(self._process.stderr,),
                name="explorer-worker-log",
                daemon=True,
            ),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the process in bytes; 0 once it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.alive else 0
        except psutil.Error:
            return 0

    def send(self, *message: Any) -> bool:
        """Sends a message; False when the worker is gone."""
        try:
            self._channel.send(*message)
        except OSError:
            return False
        return True

    def receive(self, timeout: float) -> tuple[Any, ...] | None:
        """The next message; None after ``timeout`` seconds or after ``wake``.

        Raises:
            WorkerGone: The process has ended and everything it said has been read.
        """
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            if self.alive:
                return None
            # A child of the worker may hold the pipe open after its end: then no end is ever read.
            try:
                message = self._inbox.get(timeout=KILL_WAIT_SECONDS)
            except queue.Empty:
                message = ("end",)
        if message == ("end",):
            raise WorkerGone(ending(self._wait()))
        return message

    def wake(self) -> None:
        """Makes a ``receive`` in another thread return now."""
        self._inbox.put(None)

    def stop(self) -> None:
        """Ends an idle worker: it leaves by itself when its input ends, else it is killed."""
        self._channel.close()
        self._wait()

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()
        self._channel.close()
        self._wait()

    def _wait(self) -> int | None:
        try:
            status = self._process.wait(KILL_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                status = self._process.wait(KILL_WAIT_SECONDS)
            except subprocess.TimeoutExpired:  # stuck in the kernel; nobody can end it now
                log.error("worker %d does not end", self.pid)
                return None
        self._channel.close()
        # What it said last (a crash, say) is in the log before anybody is told of the end.
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(KILL_WAIT_SECONDS)
        return status

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._channel.receive())
        except (EOFError, OSError):
            self._inbox.put(("end",))
        finally:
            cast(IO[bytes], self._process.stdout).close()


def _command(setup: WorkerSetup) -> Sequence[str]:
    if setup.command:
        return setup.command
    level = logging.getLogger("explorer").getEffectiveLevel()
    command = [sys.executable, "-X", "faulthandler", "-m", "explorer.worker"]
    command += ["--log-level", str(level), "--nice", str(setup.nice)]
    return [*command, "--preload"] if setup.preload else command


def _environment(setup: WorkerSetup) -> dict[str, str]:
    found = dict(os.environ)
    paths = [str(ROOT), *map(str, setup.python_path), found.get("PYTHONPATH", "")]
    found["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    found = KEPT_KERNELS | found
    if setup.threads is not None or "OMP_NUM_THREADS" not in found:
        threads = setup.threads or psutil.cpu_count(logical=False) or os.cpu_count() or 1
        found["OMP_NUM_THREADS"] = found["MKL_NUM_THREADS"] = str(threads)
    return found


def _forward(stream: IO[bytes]) -> None:
    """Writes the worker's log lines to this process's log; anything else it says is a warning."""
    with stream:
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            match = LOG_LINE.fullmatch(text)
            if match:
                level, name, message = match.groups()
                message = message.replace(LINE_MARK, "\n")
                logging.getLogger(name).log(getattr(logging, level), "%s", message)
            elif text:
                worker_log.warning("%s", text)
