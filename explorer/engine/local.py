"""The engine of one machine: one queue, one worker process, one thread that drives it."""

from __future__ import annotations

import atexit
import logging
import pickle
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.engine import EngineInfo, WorkerState
from explorer.engine.board import JobBoard
from explorer.engine.failures import failure, unpack
from explorer.engine.jobs import Job, cancelled_error
from explorer.engine.process import WorkerGone, WorkerProcess, WorkerSetup, worker_log
from explorer.errors import ExplorerError, WorkerLostError
from explorer.i18n import N_
from explorer.result_cache import ResultCache
from explorer.results import DeviceInfo
from explorer.tasks import Task

log = logging.getLogger(__name__)

START_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a local engine behaves; times in seconds.

    Attributes:
        cache_bytes: Budget of the kept results.
        threads: Intra-op threads of torch; None for OMP_NUM_THREADS or the physical cores.
        preload: Whether a worker imports torch before its first task.
        python_path: Folders that workers can import from, besides the project's.
        command: What is run as a worker instead of ``explorer.worker``, for tests.
        lease: How long an owner counts as waiting after last asking for the status.
        cancel_grace: How long a cancelled task may go on before its worker is killed.
        stop_grace: The same at ``shutdown``.
        start_limit: How long a worker may take until it is ready.
        tick: Longest time between two looks at leases and deadlines.
    """

    cache_bytes: int = 256 * 2**20
    threads: int | None = None
    preload: bool = True
    python_path: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()
    lease: float = 15.0
    cancel_grace: float = 5.0
    stop_grace: float = 1.5
    start_limit: float = 120.0
    tick: float = 0.5


class LocalEngine:
    """Runs tasks one after another in a worker process that is restarted when it is lost.

    Args:
        options: Times and sizes.
        clock: Seconds, monotonic; leases, deadlines and estimates go by it.
    """

    def __init__(
        self, options: EngineOptions | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options or EngineOptions()
        self._clock = clock
        self._board = JobBoard(clock, self._options.lease)
        self._changed = threading.Condition(self._board.lock)
        self._cache = ResultCache(self._options.cache_bytes)
        self._worker: WorkerProcess | None = None
        self._state: WorkerState = "stopped"
        self._device: DeviceInfo | None = None
        self._driver: threading.Thread | None = None
        self._closing = False
        self._starts = 0
        self._failed_starts = 0
        self._start_reason = ""
        self._device_error: ExplorerError | None = None

    # What owners call: see ``Engine``.

    def submit(self, task: Task, owner: str, *, label: str = "") -> Job:
        """Queues a task, or joins the job of an identical one; see ``Engine.submit``."""
        key = task.key()
        label = label or type(task).__name__
        with self._board.lock:
            shared = self._board.shared(key)
            if shared is not None:
                self._board.join(shared, owner)
                return shared
            job = Job(self._board, key, label)
            kept = self.find(key)
            if kept is not None:
                job.finish("done", kept)
            elif (refusal := self._refusal(label)) is not None:
                job.finish("failed", error=refusal)
            elif self._pack(job, task):
                self._board.add(job, owner)
                self._start_driver()
            return job

    def find(self, key: str) -> Any | None:
        """The kept result of the task with this key; None when it is not kept."""
        return self._cache.get(key) if key else None

    def cancel(self, job: Job, owner: str) -> None:
        """Ends this owner's wait; a job that nobody waits for any more is stopped."""
        with self._board.lock:
            if self._board.leave(job, owner):
                self._stop_jobs([job])

    def release(self, owner: str, keep: Collection[str] = ()) -> None:
        """Ends this owner's waits for all jobs but those whose ``Job.id`` is in ``keep``."""
        with self._board.lock:
            self._stop_jobs(self._board.release(owner, keep))

    def reap(self) -> None:
        """Stops jobs whose owners have all been silent for a lease; the driver calls this too."""
        with self._board.lock:
            self._stop_jobs(self._board.lapse())

    def warm_up(self) -> None:
        """Starts the worker in the background, so that it is ready when the first task comes."""
        with self._board.lock:
            if self._refusal("") is None:
                self._start_driver()

    def info(self) -> EngineInfo:
        """How the engine is doing."""
        with self._board.lock:
            worker = self._worker
            state = self._state
            if state == "idle" and self._board.running:
                state = "busy"
            found = EngineInfo(
                device=self._device,
                device_error=self._device_error,
                worker=state,
                worker_pid=worker.pid if worker else None,
                worker_memory_bytes=0,
                queued=self._board.queued,
                running=tuple(job.label for job in self._board.running),
                restarts=max(0, self._starts - 1),
                cached_results=len(self._cache),
                cached_bytes=self._cache.nbytes,
            )
        return found if worker is None else replace(found, worker_memory_bytes=worker.memory_bytes)

    def shutdown(self) -> None:
        """Cancels all jobs and ends the worker; returns when it has ended, within 3 s."""
        with self._board.lock:
            self._closing = True
            self._stop_jobs(self._board.abandon_all())
            self._changed.notify_all()
            driver, worker = self._driver, self._worker
            if worker is not None:
                worker.wake()
        atexit.unregister(self.shutdown)
        if driver is not None:
            driver.join(self._options.stop_grace + 1)
            if driver.is_alive() and worker is not None:
                worker.kill()

    # What the driver thread does.

    def _start_driver(self) -> None:
        if self._driver is None:
            self._driver = threading.Thread(target=self._drive, name="explorer-engine", daemon=True)
            self._driver.start()
            atexit.register(self.shutdown)
        self._changed.notify_all()

    def _drive(self) -> None:
        try:
            while self._go_on():
                pass
        finally:
            worker = self._worker
            if worker is not None:
                worker.stop()
            with self._board.lock:
                self._worker = None
                self._state = "broken" if self._state == "broken" else "stopped"
                self._closing = True
                for job in self._board.jobs():
                    self._board.finish(job, "cancelled", error=cancelled_error())

    def _go_on(self) -> bool:
        """A step; a fault of the engine's own costs the running job, not all that come after."""
        try:
            return self._step()
        except Exception as error:
            log.exception("the engine could not go on with its job")
            if self._worker is not None:
                self._worker.kill()
            with self._board.lock:
                self._worker, self._state = None, "stopped"
                for job in self._board.running:
                    self._board.finish(job, "failed", error=failure(job.label, error))
            return True

    def _step(self) -> bool:
        """One start of a worker, or one job; False when there is nothing to do any more."""
        job = None
        with self._board.lock:
            if self._closing or self._state == "broken":
                return False
            worker = self._worker
            if worker is not None and worker.alive:
                job = self._board.take()
                if job is None:
                    self._changed.wait(self._options.tick)
                    return True
        if worker is None or job is None:
            self._start_worker()
            return True
        try:
            self._run(worker, job)
        except WorkerGone as gone:
            self._lost(job, gone)
        return True

    def _start_worker(self) -> None:
        options = self._options
        setup = WorkerSetup(options.threads, options.preload, options.python_path, options.command)
        try:
            worker = WorkerProcess(setup)
            with self._board.lock:
                self._worker, self._state = worker, "starting"
                self._starts += 1
            ready = self._await_ready(worker)
        except OSError as error:
            self._start_failed(str(error))
        except WorkerGone as gone:
            self._start_failed(str(gone))
        else:
            with self._board.lock:
                self._state = "idle" if ready else "stopped"
                self._failed_starts = 0

    def _start_failed(self, reason: str) -> None:
        log.error("a worker ended while it started: %s", reason)
        with self._board.lock:
            self._worker, self._state = None, "stopped"
            self._failed_starts += 1
            self._start_reason = reason
            if self._failed_starts >= START_ATTEMPTS:
                self._state = "broken"
                for job in self._board.jobs():
                    self._board.finish(job, "failed", error=self._refusal(job.label))

    def _await_ready(self, worker: WorkerProcess) -> bool:
        """Whether the worker came up; False when the engine is closed meanwhile.

        Raises:
            WorkerGone: The worker ended, or was ended because it took too long.
        """
        deadline = self._clock() + self._options.start_limit
        while not self._closing:
            message = worker.receive(self._options.tick)
            self.reap()
            if message is not None and message[0] == "ready":
                found = unpack(message[1])
                with self._board.lock:
                    self._device = found if isinstance(found, DeviceInfo) else None
                    self._device_error = found if isinstance(found, ExplorerError) else None
                return True
            if self._clock() > deadline:
                worker.kill()
        worker.kill()
        return False

    def _run(self, worker: WorkerProcess, job: Job) -> None:
        """One job from its start to its end.

        Raises:
            WorkerGone: The worker ended before the job did.
        """
        job.attempts += 1
        worker.send(
            "run", job.number, job.payload, job.label
        )  # a worker that is gone says so below
        while True:
            message = worker.receive(self._options.tick)
            self.reap()
            if message is not None and message[1] == job.number and self._take_in(job, message):
                return
            with self._board.lock:
                since = job.cancelled_at
                grace = self._options.stop_grace if self._closing else self._options.cancel_grace
                if since is None or self._clock() - since < grace:
                    continue
            log.warning("“%s” did not stop within %.1f s; its worker is ended", job.label, grace)
            worker.kill()
            with self._board.lock:
                self._board.finish(job, "cancelled", error=cancelled_error())
            return

    def _take_in(self, job: Job, message: tuple[Any, ...]) -> bool:
        """Takes a message of a job; True when it was the last one."""
        kind, _number, *rest = message
        if kind == "started":
            job.begun = True
        elif kind == "progress":
            fraction, stage, data = rest
            partial = None if data is None else unpack(data)
            with self._board.lock:
                job.progress(fraction, stage, partial)
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
                self._board.finish(job, "cancelled", error=cancelled_error())
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
                self._board.finish(job, "cancelled", error=cancelled_error())

    def _lost(self, job: Job, gone: WorkerGone) -> None:
        with self._board.lock:
            self._worker, self._state = None, "stopped"
            if job.cancelled_at is not None:
                self._board.finish(job, "cancelled", error=cancelled_error())
            elif not job.begun and job.attempts < START_ATTEMPTS:
                self._board.put_back(job)  # the worker was gone before it came to this job
            else:
                log.error("the worker ended while it ran “%s”: %s", job.label, gone)
                self._board.finish(job, "failed", error=_lost_error(job.label, gone))

    # Helpers of both.

    def _stop_jobs(self, jobs: Collection[Job]) -> None:
        for job in jobs:
            if self._worker is not None:
                self._worker.send("cancel", job.number)
                self._worker.wake()

    def _pack(self, job: Job, task: Task) -> bool:
        """Pickles the task into its job; where that cannot be done the job has failed."""
        job.cacheable = bool(job.key) and getattr(task, "cacheable", True)
        try:
            job.payload = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            # Pickling runs any object's own code, which may raise anything.
            log.exception("“%s” cannot be sent to a worker", job.label)
            job.finish("failed", error=failure(job.label, error))
            return False
        return True

    def _refusal(self, label: str) -> ExplorerError | None:
        """Why no job is taken; None when jobs are taken."""
        if self._state == "broken":
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


def _lost_error(label: str, gone: WorkerGone) -> WorkerLostError:
    return WorkerLostError(
        N_(
            "The worker process ended while it ran “{task}” ({reason}) and was started again; try "
            "once more, with a smaller model or batch if memory is short."
        ),
        task=label,
        reason=str(gone),
    )
