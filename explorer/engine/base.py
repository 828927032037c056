"""What every engine does, whoever runs its jobs: one queue, sharing, keeping, limits, the lock."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol

from explorer.engine import EngineInfo, WorkerState
from explorer.engine.board import JobBoard
from explorer.engine.closed import closed, refs_of
from explorer.engine.driver import Driver
from explorer.engine.failures import failure
from explorer.engine.jobs import Job, stop_jobs
from explorer.engine.limits import Gate, Limits
from explorer.errors import ExplorerError
from explorer.result_cache import ResultCache
from explorer.tasks import Task
from explorer.telemetry import kind_of

log = logging.getLogger(__name__)


class Crew(Protocol):
    """Those who run the jobs of a board."""

    @property
    def drivers(self) -> Sequence[Driver]:
        """One for each worker."""

    @property
    def state(self) -> WorkerState:
        """How they are; "idle" also while they run jobs."""

    def start(self) -> None:
        """Starts them unless they run; new jobs are seen."""

    def refusal(self, label: str) -> ExplorerError | None:
        """Why no job is taken; None when jobs are taken."""

    def close(self) -> None:
        """Cancels all jobs and ends the workers; returns when they have ended."""


class BoardEngine:
    """An engine whose jobs wait on a board until one of a crew takes them.

    Args:
        board: The jobs.
        cache: The results that are kept.
        crew: Who runs the jobs.
        limits: Of a public server; None for no limits.
    """

    def __init__(
        self, board: JobBoard, cache: ResultCache, crew: Crew, limits: Limits | None = None
    ) -> None:
        self._gate = None if limits is None else Gate(limits, board.clock)
        self._board = board
        self._cache = cache
        self._crew = crew

    def submit(self, task: Task, owner: str, *, label: str = "", address: str = "") -> Job:
        """Queues a task, or joins the job of an identical one; see ``Engine.submit``."""
        key = task.key()
        label = label or type(task).__name__
        with self._board.lock:
            shared = self._board.shared(key)
            if shared is not None:
                self._board.join(shared, owner)
                return shared
            job = Job(self._board, key, label)
            job.kind = kind_of(task)
            kept = self.find(key)
            if kept is not None:
                job.finish("done", kept)
            elif (refusal := self._refusal(task, label, owner, address)) is not None:
                job.finish("failed", error=refusal)
            elif self._pack(job, task):
                if self._gate is not None:
                    self._gate.admit(owner, address)
                self._board.add(job, owner)
                self._crew.start()
            return job

    def find(self, key: str) -> Any | None:
        """The kept result of the task with this key; None when it is not kept."""
        return self._cache.get(key) if key else None

    def forget(self, keys: Collection[str]) -> None:
        """Drops the kept results of the tasks with these keys, where there are any."""
        for key in keys:
            self._cache.drop(key)

    def cancel(self, job: Job, owner: str) -> None:
        """Ends this owner's wait; a job that nobody waits for any more is stopped."""
        with self._board.lock:
            if self._board.leave(job, owner):
                stop_jobs([job])

    def release(self, owner: str, keep: Collection[str] = ()) -> None:
        """Ends this owner's waits for all jobs but those whose ``Job.id`` is in ``keep``."""
        with self._board.lock:
            stop_jobs(self._board.release(owner, keep))

    def away(self, owner: str) -> None:
        """Says that the owner's connection is gone: others wait for it for a few seconds only."""
        with self._board.lock:
            self._board.away(owner)

    def reap(self) -> None:
        """Stops jobs whose owners have all been silent for a lease; the driver calls this too."""
        with self._board.lock:
            stop_jobs(self._board.lapse())

    def warm_up(self) -> None:
        """Starts the worker in the background, so that it is ready when the first task comes."""
        with self._board.lock:
            if self._crew.refusal("") is None:
                self._crew.start()

    def info(self) -> EngineInfo:
        """How the engine is doing."""
        with self._board.lock:
            drivers, running = self._crew.drivers, self._board.running
            state = self._crew.state
            workers = [driver.worker for driver in drivers if driver.worker is not None]
            budgets = [driver.pool[2] for driver in drivers if driver.pool[2] is not None]
            found = EngineInfo(
                device=next((one.device for one in drivers if one.device), None),
                device_error=next((one.device_error for one in drivers if one.device_error), None),
                worker="busy" if state == "idle" and running else state,
                worker_pid=workers[0].pid if workers else None,
                worker_memory_bytes=0,
                queued=self._board.queued,
                running=tuple(job.label for job in running),
                restarts=sum(max(0, driver.starts - 1) for driver in drivers),
                cached_results=len(self._cache),
                cached_bytes=self._cache.nbytes,
                pool_models=sum(driver.pool[0] for driver in drivers),
                pool_bytes=sum(driver.pool[1] for driver in drivers),
                pool_budget=sum(budgets) if budgets else None,
            )
        # Asking the system is slow, and nobody has to wait for it.
        return replace(found, worker_memory_bytes=sum(one.memory_bytes for one in workers))

    def shutdown(self) -> None:
        """Cancels all jobs and ends the worker; returns when it has ended, within 3 s."""
        self._crew.close()

    def _refusal(self, task: Task, label: str, owner: str, address: str) -> ExplorerError | None:
        """Why a new job is not taken; None when it is."""
        found = self._crew.refusal(label)
        if found is not None or self._gate is None:
            return found
        own, total = self._board.count_of(owner), len(self._board.jobs())
        return closed(task, self._gate.limits.batch) or self._gate.refusal(
            label, owner, address, own, total
        )

    def _pack(self, job: Job, task: Task) -> bool:
        """Pickles the task into its job; where that cannot be done the job has failed."""
        job.cacheable = bool(job.key) and getattr(task, "cacheable", True)
        try:
            job.payload = self._payload(task)
            job.needs = tuple(refs_of(task))
        except Exception as error:
            # Pickling runs any object's own code, which may raise anything.
            log.exception("“%s” cannot be sent to a worker", job.label)
            job.finish("failed", error=failure(job.label, error))
            return False
        return True

    def _payload(self, task: Task) -> Any:
        """The task as it travels to a worker."""
        return pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
