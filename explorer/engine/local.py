"""The engine of one machine: one queue, one worker process."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from explorer.engine import EngineInfo
from explorer.engine.board import JobBoard
from explorer.engine.closed import closed
from explorer.engine.driver import Driver, EngineOptions
from explorer.engine.failures import failure
from explorer.engine.jobs import Job
from explorer.engine.limits import Gate, Limits
from explorer.errors import ExplorerError
from explorer.result_cache import ResultCache
from explorer.tasks import Task
from explorer.telemetry import kind_of

__all__ = ["EngineOptions", "LocalEngine"]

log = logging.getLogger(__name__)


class LocalEngine:
    """Runs tasks one after another in a worker process that is restarted when it is lost.

    Args:
        options: Times and sizes.
        clock: Seconds, monotonic; leases, deadlines, estimates and limits go by it.
        limits: Of a public server; None for no limits.
    """

    def __init__(
        self,
        options: EngineOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        options = options or EngineOptions()
        self._gate = None if limits is None else Gate(limits, clock)
        self._board = JobBoard(clock, options.lease)
        self._cache = ResultCache(options.cache_bytes)
        self._driver = Driver(self._board, self._cache, options)

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
                self._driver.start()
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
                self._driver.stop_jobs([job])

    def release(self, owner: str, keep: Collection[str] = ()) -> None:
        """Ends this owner's waits for all jobs but those whose ``Job.id`` is in ``keep``."""
        with self._board.lock:
            self._driver.stop_jobs(self._board.release(owner, keep))

    def reap(self) -> None:
        """Stops jobs whose owners have all been silent for a lease; the driver calls this too."""
        with self._board.lock:
            self._driver.stop_jobs(self._board.lapse())

    def warm_up(self) -> None:
        """Starts the worker in the background, so that it is ready when the first task comes."""
        with self._board.lock:
            if self._driver.refusal("") is None:
                self._driver.start()

    def info(self) -> EngineInfo:
        """How the engine is doing."""
        with self._board.lock:
            driver, running = self._driver, self._board.running
            worker = driver.worker
            found = EngineInfo(
                device=driver.device,
                device_error=driver.device_error,
                worker="busy" if driver.state == "idle" and running else driver.state,
                worker_pid=worker.pid if worker else None,
                worker_memory_bytes=0,
                queued=self._board.queued,
                running=tuple(job.label for job in running),
                restarts=max(0, driver.starts - 1),
                cached_results=len(self._cache),
                cached_bytes=self._cache.nbytes,
                pool_models=driver.pool[0],
                pool_bytes=driver.pool[1],
                pool_budget=driver.pool[2],
            )
        # Asking the system is slow, and nobody has to wait for it.
        return found if worker is None else replace(found, worker_memory_bytes=worker.memory_bytes)

    def shutdown(self) -> None:
        """Cancels all jobs and ends the worker; returns when it has ended, within 3 s."""
        self._driver.close()

    def _refusal(self, task: Task, label: str, owner: str, address: str) -> ExplorerError | None:
        """Why a new job is not taken; None when it is."""
        found = self._driver.refusal(label)
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
            job.payload = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            # Pickling runs any object's own code, which may raise anything.
            log.exception("“%s” cannot be sent to a worker", job.label)
            job.finish("failed", error=failure(job.label, error))
            return False
        return True
