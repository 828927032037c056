"""What keeps a worker going and gives it one job after another, on a thread of its own."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.engine import WorkerState
from explorer.engine.board import JobBoard
from explorer.engine.failures import failure, unpack
from explorer.engine.jobs import Job, cancelled_error, stop_jobs
from explorer.engine.limits import too_long
from explorer.engine.process import WorkerProcess, WorkerSetup, worker_log
from explorer.engine.workers import Worker, WorkerGone
from explorer.errors import ExplorerError, WorkerLostError
from explorer.i18n import N_
from explorer.requests import ModelRef
from explorer.result_cache import ResultCache
from explorer.results import DeviceInfo

log = logging.getLogger(__name__)

START_ATTEMPTS = 3
# So often a job is begun that can be repeated, where its node is lost.
PLACE_ATTEMPTS = 2
NO_POOL: tuple[int, int, None] = (0, 0, None)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine behaves; times in seconds.

    Attributes:
        cache_bytes: Budget of the kept results.
        threads: Intra-op threads of torch; None for OMP_NUM_THREADS or the physical cores.
        preload: Whether a worker imports torch before its first task.
        nice: By how much workers give way to other processes, 0 to 19: then pages are drawn
            promptly while all cores compute.
        python_path: Folders that workers can import from, besides the project's.
        command: What is run as a worker instead of ``explorer.worker``, for tests.
        lease: How long an owner counts as waiting after last asking for the status.
        cancel_grace: How long a cancelled task may go on before its worker is killed.
        stop_grace: The same at ``shutdown``.
        start_limit: How long a worker may take until it is ready.
        tick: Longest time between two looks at leases and deadlines.
        job_seconds: For which a job may run; None for as long as it takes.
    """

    cache_bytes: int = 256 * 2**20
    threads: int | None = None
    preload: bool = True
    nice: int = 0
    python_path: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()
    lease: float = 15.0
    cancel_grace: float = 5.0
    stop_grace: float = 1.5
    start_limit: float = 120.0
    tick: float = 0.5
    job_seconds: float | None = None

    @property
    def setup(self) -> WorkerSetup:
        """How its worker processes are started."""
        return WorkerSetup(self.threads, self.preload, self.nice, self.python_path, self.command)


class Driver:
    """One worker and the thread that drives it; its times go by the board's clock.

    Args:
        board: Where jobs come from; its lock guards the fields here too.
        cache: Where results go.
        options: Times and sizes.
        make: Starts a worker; may raise ``OSError`` and ``WorkerGone``.

    Attributes:
        worker: The process; None while there is none.
        job: What it runs; None while it runs nothing.
        state: Of the worker; "idle" also while it runs a job.
        device: Where it runs networks; None until it has said so.
        device_error: Why there is no device.
        starts: Processes started so far.
        pool: Networks loaded in the worker, their bytes, their budget, as it last said.
        holds: Which networks these are.
    """

    def __init__(
        self,
        board: JobBoard,
        cache: ResultCache,
        options: EngineOptions,
        make: Callable[[], Worker] | None = None,
    ) -> None:
        self.worker: Worker | None = None
        self.job: Job | None = None
        self.state: WorkerState = "stopped"
        self.device: DeviceInfo | None = None
        self.device_error: ExplorerError | None = None
        self.starts = 0
        self.pool: tuple[int, int, int | None] = NO_POOL
        self.holds: frozenset[ModelRef] = frozenset()
        self._board = board
        self._cache = cache
        self._options = options
        self._make = make or (lambda: WorkerProcess(options.setup))
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failed_starts = 0
        self._start_reason = ""

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """All drivers: this one."""
        return (self,)

    @property
    def closing(self) -> bool:
        """Whether it takes no jobs any more."""
        return self._closing

    def start(self) -> None:
        """Starts the thread, and with it the worker, unless it runs; new jobs are seen."""
        with self._board.lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._drive, name="explorer-engine", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            self._board.changed.notify_all()

    def close(self) -> None:
        """Cancels all jobs and ends the worker; returns when it has ended."""
        self.begin_close()
        self.end_close()

    def begin_close(self) -> None:
        """Cancels all jobs and takes no more."""
        with self._board.lock:
            self._closing = True
            stop_jobs(self._board.abandon_all())
            self._board.changed.notify_all()
            if self.worker is not None:
                self.worker.wake()
        atexit.unregister(self.close)

    def end_close(self) -> None:
        """Waits for the worker's end, and ends it where it takes too long."""
        thread, worker = self._thread, self.worker
        if thread is not None:
            thread.join(self._options.stop_grace + 1)
            if thread.is_alive() and worker is not None:
                worker.kill()

    def refusal(self, label: str) -> ExplorerError | None:
        """Why no job is taken; None when jobs are taken."""
        if self.state == "broken":
            return WorkerLostError(
                N_(
                    "“{task}” cannot run because the worker process ended {count} times while it "
                    "started ({reason}); see “{log}” in the server's log and restart the app."
                ),
                task=label,
                count=self._failed_starts,
                reason=self._start_reason,
                log=worker_log.name,
            )
        if self._closing:
            return WorkerLostError(
                N_("“{task}” cannot run because the app is shutting down; open it again later."),
                task=label,
            )
        return None

    def _drive(self) -> None:
        try:
            while self._go_on():
                pass
        finally:
            worker = self.worker
            if worker is not None:
                worker.stop()
            with self._board.lock:
                self.worker = None
                self.state = "broken" if self.state == "broken" else "stopped"
                self._closing = True
                self._ended()

    def _go_on(self) -> bool:
        """A step; a fault of the engine's own costs the running job, not all that come after."""
        try:
            return self._step()
        except Exception as error:
            log.exception("the engine could not go on with its job")
            if self.worker is not None:
                self.worker.kill()
            with self._board.lock:
                self.worker, self.state = None, "stopped"
                if self.job is not None:
                    self._board.finish(self.job, "failed", error=failure(self.job.label, error))
                    self.job = None
            return True

    def _step(self) -> bool:
        """One start of a worker, or one job; False when there is nothing to do any more."""
        job = None
        with self._board.lock:
            if self._closing or self.state == "broken":
                return False
            worker = self.worker
            if worker is not None and worker.alive:
                job = self._board.take(self._wants)
                if job is None:
                    self._board.changed.wait(self._options.tick)
                    return True
                self.job, job.stop = job, lambda: _tell(worker, job.number)
        if worker is None or job is None:
            self._start_worker()
            return True
        try:
            self._run(worker, job)
        except WorkerGone as gone:
            self._lost(job, gone)
        with self._board.lock:
            self.job = None
        return True

    def _start_worker(self) -> None:
        if self.worker is not None:
            log.warning("the worker ended while it had nothing to do; another one is started")
            self.worker.stop()
        try:
            worker = self._make()
            with self._board.lock:
                self.worker, self.state = worker, "starting"
                self.pool, self.holds = NO_POOL, frozenset()
                self.starts += 1
            ready = self._await_ready(worker)
        except OSError as error:
            self._start_failed(str(error))
        except WorkerGone as gone:
            self._start_failed(str(gone), for_good=gone.for_good)
        else:
            with self._board.lock:
                self.state = "idle" if ready else "stopped"
                self._failed_starts = 0

    def _start_failed(self, reason: str, *, for_good: bool = False) -> None:
        log.error("a worker ended while it started: %s", reason, exc_info=True)
        with self._board.lock:
            self.worker, self.state = None, "stopped"
            self._failed_starts += 1
            self._start_reason = reason
            if for_good or self._failed_starts >= START_ATTEMPTS:
                self.state = "broken"
                self._gave_up()

    def _await_ready(self, worker: Worker) -> bool:
        """Whether the worker came up; False when the engine is closed meanwhile.

        Raises:
            WorkerGone: The worker ended, or was ended because it took too long.
        """
        deadline = self._board.clock() + self._options.start_limit
        while not self._closing:
            message = worker.receive(self._options.tick)
            self._reap()
            if message is not None and message[0] == "ready":
                found = unpack(message[1])
                with self._board.lock:
                    self.device = found if isinstance(found, DeviceInfo) else None
                    self.device_error = found if isinstance(found, ExplorerError) else None
                return True
            if self._board.clock() > deadline:
                worker.kill()
        worker.kill()
        return False

    def _run(self, worker: Worker, job: Job) -> None:
        """One job from its start to its end.

        Raises:
            WorkerGone: The worker ended before the job did.
        """
        job.attempts += 1
        # A worker that is gone cannot be sent to, and is found gone by the first ``receive``.
        worker.send("run", job.number, job.payload, job.label)
        while True:
            message = worker.receive(self._options.tick)
            self._reap()
            if message is not None and message[1] == job.number and self._take_in(job, message):
                return
            with self._board.lock:
                self._stop_if_long(job)
                since = job.cancelled_at
                grace = self._options.stop_grace if self._closing else self._options.cancel_grace
                now = self._board.clock()
                if since is None or since > now:  # the clock jumped back: the grace begins here
                    job.cancelled_at = None if since is None else now
                    continue
                if now - since < grace:
                    continue
            log.warning("“%s” did not stop within %.1f s; its worker is ended", job.label, grace)
            worker.kill()
            with self._board.lock:
                self.worker, self.state = None, "stopped"
                self._board.finish_stopped(job)
            return

    def _stop_if_long(self, job: Job) -> None:
        most = self._options.job_seconds
        if most is None or job.started is None or job.cancelled_at is not None:
            return
        if self._board.clock() - job.started > most:
            log.warning("“%s” ran for more than %g s and is stopped", job.label, most)
            self._board.stop(job, too_long(job.label, most))
            stop_jobs([job])

    def _take_in(self, job: Job, message: tuple[Any, ...]) -> bool:
        """Takes a message of a job; True when it was the last one."""
        kind, _number, *rest = message
        if kind == "started":
            job.begun = True
            with self._board.lock:
                # A worker that others use too may have had their tasks to do first.
                job.started = self._board.clock()
        elif kind == "progress":
            fraction, stage, data = rest
            partial = None if data is None else unpack(data)
            with self._board.lock:
                job.progress(
                    fraction, stage, None if isinstance(partial, ExplorerError) else partial
                )
        elif kind == "pool":
            self.pool = (rest[0], rest[1], rest[2])
            self.holds = frozenset(ModelRef(*one) for one in rest[3])
        elif kind == "done":
            self._finished(job, rest[0])
        elif kind == "failed":
            data, trace = rest
            if trace:
                log.error("“%s” failed\n%s", job.label, trace)
            with self._board.lock:
                self._board.finish(job, "failed", error=unpack(data))
        elif kind == "cancelled":
            with self._board.lock:
                self._board.finish_stopped(job)
        return kind in ("done", "failed", "cancelled")

    def _finished(self, job: Job, data: bytes) -> None:
        outcome = unpack(data)
        with self._board.lock:
            if isinstance(outcome, ExplorerError):
                self._board.finish(job, "failed", error=outcome)
                return
            if job.cacheable:
                self._cache.put(job.key, outcome, len(data))
            if job.cancelled_at is None:
                self._board.finish(job, "done", outcome)
            else:  # it ended before it noticed; whoever cancelled was told so already
                self._board.finish_stopped(job)

    def _lost(self, job: Job, gone: WorkerGone) -> None:
        with self._board.lock:
            self.worker, self.state = None, "stopped"
            if job.cancelled_at is not None:
                self._board.finish_stopped(job)
            elif job.attempts < START_ATTEMPTS and not job.begun:
                self._board.put_back(job)  # the worker was gone before it came to this job
            elif job.attempts < PLACE_ATTEMPTS and gone.elsewhere and job.key:
                # What has a key gives the same again. It may itself be what ended the place.
                log.warning("“%s” is run again elsewhere: %s", job.label, gone)
                self._board.put_back(job)
                self._board.changed.notify_all()
            else:
                log.error("the worker ended while it ran “%s”: %s", job.label, gone)
                self._board.finish(job, "failed", error=_lost_error(job.label, gone))

    def _wants(self, job: Job) -> bool:
        """Whether this worker is the one to run the job; called under the lock."""
        return True

    def _gave_up(self) -> None:
        """What follows when no worker can be started any more; called under the lock."""
        for job in self._board.jobs():
            self._board.finish(job, "failed", error=self.refusal(job.label))

    def _ended(self) -> None:
        """What follows when the thread has ended; called under the lock."""
        for job in self._board.jobs():
            self._board.finish(job, "cancelled", error=cancelled_error())

    def _reap(self) -> None:
        with self._board.lock:
            stop_jobs(self._board.lapse())


def _tell(worker: Worker, number: int) -> None:
    worker.send("cancel", number)
    worker.wake()


def _lost_error(label: str, gone: WorkerGone) -> WorkerLostError:
    return WorkerLostError(
        N_(
            "The worker process ended while it ran “{task}” ({reason}) and was started again; try "
            "once more, with a smaller model or batch if memory is short."
        ),
        task=label,
        reason=str(gone),
    )
