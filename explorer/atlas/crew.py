"""Items → tasks → outcomes, over one or several engines, each task within bounds.

Every lane has one task at a time on its engine. A task whose worker is lost, or takes more memory
than it may, is tried once more in a fresh worker: another program may have been the reason.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from explorer.engine import Engine, Job, get_engine
from explorer.engine.local import EngineOptions, LocalEngine
from explorer.errors import AtlasError, ExplorerError, WorkerLostError
from explorer.i18n import N_
from explorer.tasks import Task

log = logging.getLogger(__name__)

ATTEMPTS = 2
POLL_SECONDS = 0.01
WATCH_SECONDS = 0.2
KEPT_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one item may take.

    Attributes:
        seconds: Running; None for as long as it takes.
        memory_bytes: Resident memory of the worker; None where it is not watched.
    """

    seconds: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item ended.

    Attributes:
        found: What its task returned; None when it failed.
        error: Why it failed; None when it is done.
        seconds: That it ran.
    """

    found: Any
    error: ExplorerError | None
    seconds: float


@dataclass(slots=True)
class _Lane:
    engine: Engine
    owner: str
    position: int = -1
    job: Job | None = None
    attempts: int = 0
    watched_at: float = 0.0


class Crew:
    """Runs tasks side by side.

    Args:
        engines: One for each lane; the same one may stand there several times.
        bounds: Of each item.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lanes = [_Lane(engine, f"atlas-{number}") for number, engine in enumerate(engines)]
        self._bounds = bounds or Bounds()
        self._clock = clock

    def run(
        self,
        positions: Iterable[int],
        make: Callable[[int], Task],
        done: Callable[[int, Outcome], None],
    ) -> None:
        """Gives every item to a lane; returns when all have ended.

        Args:
            positions: Of the items, in the order in which they are begun.
            make: An item's task; an ``ExplorerError`` that it raises is the item's outcome.
            done: Told each item's outcome, on this thread; what it raises ends the run.
        """
        waiting = deque(positions)
        try:
            while waiting or any(lane.job for lane in self._lanes):
                moved = [self._look(lane, waiting, make, done) for lane in self._lanes]
                if not any(moved):
                    time.sleep(POLL_SECONDS)
        finally:
            for lane in self._lanes:
                if lane.job is not None:
                    lane.engine.cancel(lane.job, lane.owner)

    def _look(
        self,
        lane: _Lane,
        waiting: deque[int],
        make: Callable[[int], Task],
        done: Callable[[int, Outcome], None],
    ) -> bool:
        """Takes what a lane has finished and gives it the next item; whether anything happened."""
        moved = False
        if lane.job is not None:
            outcome = self._outcome(lane, lane.job)
            if outcome is None:
                return False
            moved, lane.job = True, None
            if isinstance(outcome.error, WorkerLostError) and lane.attempts < ATTEMPTS:
                self._submit(lane, make, done)
                return True
            done(lane.position, outcome)
        if waiting:
            lane.position, lane.attempts = waiting.popleft(), 0
            self._submit(lane, make, done)
            moved = True
        return moved

    def _submit(
        self,
        lane: _Lane,
        make: Callable[[int], Task],
        done: Callable[[int, Outcome], None],
    ) -> None:
        lane.attempts += 1
        try:
            task = make(lane.position)
        except ExplorerError as error:
            done(lane.position, Outcome(None, error, 0.0))
            return
        lane.job = lane.engine.submit(task, lane.owner, label=str(getattr(task, "label", "")))

    def _outcome(self, lane: _Lane, job: Job) -> Outcome | None:
        """How the job ended; None while it goes on."""
        status = job.status(lane.owner)
        if status.finished:
            if status.error is not None:
                return Outcome(None, status.error, status.elapsed_seconds)
            return Outcome(job.result(0), None, status.elapsed_seconds)
        error = self._exceeds(lane, status.elapsed_seconds) if status.state == "running" else None
        if error is None:
            return None
        lane.engine.cancel(job, lane.owner)
        return Outcome(None, error, status.elapsed_seconds)

    def _exceeds(self, lane: _Lane, seconds: float) -> ExplorerError | None:
        bounds = self._bounds
        if bounds.seconds is not None and seconds > bounds.seconds:
            return AtlasError(
                N_("It took longer than {seconds} s and was ended."), seconds=f"{bounds.seconds:g}"
            )
        now = self._clock()
        if bounds.memory_bytes is None or now - lane.watched_at < WATCH_SECONDS:
            return None
        if not isinstance(lane.engine, LocalEngine):  # its process may be on another machine
            return None
        lane.watched_at = now
        info = lane.engine.info()
        if info.worker_memory_bytes <= bounds.memory_bytes or info.worker_pid is None:
            return None
        log.info("worker %d takes %d bytes and is ended", info.worker_pid, info.worker_memory_bytes)
        try:
            psutil.Process(info.worker_pid).kill()
        except psutil.Error:  # gone by itself
            return None
        giga = f"{bounds.memory_bytes / 1e9:.1f}"
        return MemoryBoundError(
            N_("It needed more memory than the {memory} GB that a worker may take."), memory=giga
        )


class MemoryBoundError(WorkerLostError, AtlasError):
    """The worker took more memory than it may, and was ended."""


def per_worker_bytes(workers: int, share: float = 0.8) -> int:
    """Memory that each of several workers may take: equal parts of what is free now."""
    return int(psutil.virtual_memory().available * share / workers)


@contextmanager
def own_workers(count: int) -> Iterator[list[Engine]]:
    """As many lanes as asked for, each with a process of one thread.

    On this machine each lane is a local engine of its own, whose worker can be watched and lost
    without touching the others; another engine (``get_engine``) spreads its lanes itself.
    """
    engine = get_engine()
    if not isinstance(engine, LocalEngine):
        yield [engine] * count
        return
    options = EngineOptions(cache_bytes=KEPT_BYTES, threads=1, cancel_grace=1.0)
    engines = [LocalEngine(options) for _ in range(count)]
    try:
        yield list(engines)
    finally:
        for one in engines:
            one.shutdown()
