"""A worker process: takes tasks from its standard input one after another, runs them, answers.

Started by the engine as ``python -m explorer.worker``; it ends when its input ends, be it in the
middle of a task, so that none outlives the server.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from explorer.engine.channel import LINE_MARK, Channel
from explorer.engine.failures import out_of_memory, pack_error
from explorer.engine.jobs import cancelled_error
from explorer.errors import ExplorerError, JobCancelled
from explorer.memory import give_back

if TYPE_CHECKING:
    from explorer.pool import ModelPool

log = logging.getLogger(__name__)

# A pickled task; or its skeleton, large parts and files (``explorer.engine.cluster.parcels``).
Payload = bytes | tuple[bytes, list[bytes], list[str]]

# At most twenty messages a second: more than an eye follows, less than a timing notices.
PROGRESS_SECONDS = 0.05


class OneLine(logging.Formatter):
    """A record with its traceback in one line, which the server takes apart again."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return super().format(record).replace("\n", LINE_MARK)


class Reporter:
    """Sends a job's progress, not too often, and never loses the last word.

    Args:
        channel: To the server.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._changed = threading.Condition()
        self._number: int | None = None
        self._stage = ""
        self._fraction: float | None = None
        self._partial: Any = None
        self._pending = False
        self._due = 0.0
        threading.Thread(target=self._send_late, name="progress", daemon=True).start()

    def begin(self, number: int) -> None:
        """From now on the reports are about this job."""
        with self._changed:
            self._number, self._stage, self._fraction, self._partial = number, "", None, None
            self._pending, self._due = False, 0.0

    def report(self, fraction: float | None, partial: Any = None, stage: str | None = None) -> None:
        """Sends this now, or as soon as the last message is old enough unless more comes first."""
        with self._changed:
            self._fraction = fraction
            self._partial = self._partial if partial is None else partial
            self._stage = self._stage if stage is None else stage
            if time.monotonic() >= self._due:
                self._send()
            elif not self._pending:
                self._pending = True
                self._changed.notify()

    def end(self) -> None:
        """Sends what is still pending; no report leaves after this."""
        with self._changed:
            if self._pending:
                self._send()
            self._number = None

    def _send(self) -> None:
        data = None if self._partial is None else pickle.dumps(self._partial)
        self._channel.send("progress", self._number, self._fraction, self._stage, data)
        self._partial, self._pending = None, False
        self._due = time.monotonic() + PROGRESS_SECONDS

    def _send_late(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending)
                left = self._due - time.monotonic()
                if left <= 0:
                    try:
                        self._send()
                    except Exception:
                        self._pending = False
                        log.exception("a progress report could not be sent")
            time.sleep(max(left, 0))


class WorkerContext:
    """What a task may use while it runs here; see ``explorer.tasks.Context``."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number

    @property
    def pool(self) -> ModelPool:
        """The loaded models of this worker."""
        return self._worker.pool

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        """See ``explorer.tasks.Context.progress``."""
        self._check()
        self._worker.reporter.report(done / total if total else None, partial)

    def stage(self, name: str) -> None:
        """See ``explorer.tasks.Context.stage``."""
        self._check()
        self._worker.reporter.report(None, stage=name)

    def _check(self) -> None:
        if self._number in self._worker.cancelled:
            raise cancelled_error()


class Worker:
    """Runs tasks one after another on the main thread; another thread listens meanwhile.

    Args:
        channel: To the server.
    """

    def __init__(self, channel: Channel) -> None:
        self.cancelled: set[int] = set()
        self.reporter = Reporter(channel)
        self._channel = channel
        self._inbox: queue.SimpleQueue[tuple[int, Payload, str]] = queue.SimpleQueue()
        self._pool: ModelPool | None = None

    @property
    def pool(self) -> ModelPool:
        """The loaded models, on the device of the settings; made on first use."""
        if self._pool is None:
            from explorer.pool import ModelPool

            self._pool = ModelPool()
        return self._pool

    def serve(self, *, preload: bool) -> None:
        """Runs tasks until the input ends, which ends the process."""
        threading.Thread(target=self._listen, name="messages", daemon=True).start()
        self._channel.send("ready", _preload() if preload else pickle.dumps(None))
        # What is imported stays; looked at after every task, it would cost a quarter of a second.
        gc.collect()
        gc.freeze()
        while True:
            number, payload, label = self._inbox.get()
            self._channel.send("started", number)
            self.reporter.begin(number)
            answer = self._run(number, payload, label)
            self.reporter.end()
            if self._pool is not None:
                held = self._pool.resident
                nbytes = sum(size for _ref, size in held)
                refs = [(ref.model, ref.weights, ref.file) for ref, _size in held]
                self._channel.send("pool", number, len(held), nbytes, self._pool.budget_bytes, refs)
            self._channel.send(*answer)
            self.cancelled.discard(number)
            # After the answer, so that nobody waits for it. One map may leave more behind than the
            # networks take that are loaded, and the next one finds no use for blocks of its sizes.
            del payload, answer
            give_back()

    def _run(self, number: int, payload: Payload, label: str) -> tuple[Any, ...]:
        try:
            task = _unpack(payload)
            result = task.run(WorkerContext(self, number))
            return "done", number, pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)
        except JobCancelled:
            return "cancelled", number
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the server logs the traceback
            expected = isinstance(error, ExplorerError) and error.__cause__ is None
            trace = "" if expected else traceback.format_exc()
            answer = "failed", number, pack_error(label, error), trace
            short = out_of_memory(error)
        # Outside the except clause, which would keep the task's frames and their tensors alive.
        if short:
            self._free_memory()
        return answer

    def _free_memory(self) -> None:
        """Unloads all models and gives their memory back, so that the next task has room."""
        if self._pool is not None:
            self._pool.clear()
        give_back()
        torch = sys.modules.get("torch")
        if torch is not None and torch.accelerator.is_available():
            torch.accelerator.empty_cache()

    def _listen(self) -> None:
        status = 0
        try:
            while True:
                kind, number, *rest = self._channel.receive()
                if kind == "run":
                    self._inbox.put((number, *rest))
                elif kind == "cancel":
                    self.cancelled.add(number)
        except (EOFError, OSError):  # the server closed the pipe, or is gone
            logging.shutdown()
        except Exception:
            log.exception("the server sent what is no message")
            status = 1
        # The main thread may be deep inside a task, perhaps in native code: nothing else ends it.
        os._exit(status)


def _unpack(payload: Payload) -> Any:
    """The task that a server sent: pickled whole, or on a cluster with its large parts apart."""
    if isinstance(payload, bytes):
        return pickle.loads(payload)  # noqa: S301 - from the server that started this process
    from explorer.engine.cluster.parcels import unpack

    return unpack(*payload)


def _preload() -> bytes:
    """Imports torch and what the tasks need.

    Returns:
        The pickled ``DeviceInfo``, or the ``ExplorerError`` that says why there is none.
    """
    import explorer.pool  # noqa: F401 - with torch, which takes seconds
    from explorer.device import describe, pick_device
    from explorer.settings import get_settings

    try:
        return pickle.dumps(describe(pick_device(get_settings().device)))
    except ExplorerError as error:
        log.exception("there is no device to run on")
        return pickle.dumps(error)


def _take_over_pipes() -> Channel:
    """The standard input and output as a channel of our own.

    Tasks, and the libraries that they call, find an empty input; what they print goes to the log.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # line by line, and nothing is lost at the end
    return Channel(reader, writer)


def main() -> None:
    """Serves the engine that started this process."""
    parser = argparse.ArgumentParser(prog="explorer.worker", description=__doc__)
    parser.add_argument("--preload", action="store_true", help="import torch before being ready")
    parser.add_argument("--log-level", type=int, default=logging.INFO, metavar="N")
    parser.add_argument("--nice", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    if arguments.nice and hasattr(os, "nice"):  # not on Windows
        os.nice(arguments.nice)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=arguments.log_level, handlers=[handler])
    logging.captureWarnings(capture=True)
    # Ctrl-C goes to the whole group; the server ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Worker(_take_over_pipes()).serve(preload=arguments.preload)


if __name__ == "__main__":
    main()
