"""A job as its owners see it: state, place in the queue, progress, time left, result."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from explorer.errors import ExplorerError, JobCancelled
from explorer.i18n import N_
from explorer.telemetry import OTHER, job_ended

if TYPE_CHECKING:
    from explorer.engine.board import JobBoard
    from explorer.requests import ModelRef

State = Literal["queued", "running", "done", "failed", "cancelled"]

# A rate is first taken from reports that are so far apart.
LEAST_SECONDS = 0.1
# Time constant of the smoothed rate: evens out steps, yet follows a change.
SMOOTHING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One look at a job.

    Attributes:
        state: "queued" and "running" come first; one of "done", "failed", "cancelled" is final.
        position: Jobs that run or wait before it, 1 for the next one; 0 once it runs or has ended.
        fraction: 0…1 of the present stage; None while unknown.
        eta_seconds: Estimated seconds to the end of the present stage; None while unknown.
        elapsed_seconds: Since it began to run; while it waits, since it was submitted.
        partial: The latest partial result; None when there is none.
        error: Why it failed or was cancelled; None otherwise.
        stage: What is being done just now (English, msgid); "" when the task does not say.
        wait_seconds: While it waits, estimated seconds until it runs, by how long jobs of the same
            kinds took lately; None when that is unknown.
    """

    state: State
    position: int
    fraction: float | None
    eta_seconds: float | None
    elapsed_seconds: float
    partial: Any = None
    error: ExplorerError | None = None
    stage: str = ""
    wait_seconds: float | None = None

    @property
    def finished(self) -> bool:
        """Whether the state is final."""
        return self.state not in ("queued", "running")


class Pace:
    """How far a stage is and how fast it goes; the rate is an exponential average over time."""

    def __init__(self) -> None:
        self.fraction: float | None = None
        self._rate: float | None = None
        self._at = self._before = 0.0

    def update(self, fraction: float, now: float) -> None:
        """Takes a new fraction, 0…1, at ``now`` seconds; one that falls back starts anew."""
        fraction = min(max(fraction, 0.0), 1.0)
        passed = now - self._at
        if self.fraction is None or fraction < self.fraction:
            self._rate, self._before, self._at = None, fraction, now
        elif self._rate is None:
            # The first rate is not taken from two reports that were read at once, out of one pipe.
            if passed >= LEAST_SECONDS:
                self._rate, self._at = (fraction - self._before) / passed, now
        elif passed > 0:
            rate = (fraction - self._before) / passed
            self._rate += (1 - math.exp(-passed / SMOOTHING_SECONDS)) * (rate - self._rate)
            self._at = now
        if self._at == now:
            self._before = fraction
        self.fraction = fraction

    def eta(self, now: float) -> float | None:
        """Seconds left at ``now``; None while the rate is unknown or zero."""
        if self.fraction is None or not self._rate:
            return None
        return max(0.0, (1 - self.fraction) / self._rate - (now - self._at))


class Job:
    """One submitted task; several owners may wait for the same one.

    The engine that made it writes the fields, under ``board.lock``; owners use the methods.

    Attributes:
        id: The task's key, or a unique name when the task is never shared; ``release`` goes by it.
        key: The task's key; "" when it is never shared.
        label: What is being done, as its first owner calls it.
        kind: Name of the task's class, for the operator's numbers.
        needs: The networks that it will load, for whoever chooses its worker.
        stop: Tells the worker that runs it that it is cancelled; None while none does.
    """

    def __init__(self, board: JobBoard, key: str, label: str) -> None:
        self.id = key or uuid.uuid4().hex
        self.key = key
        self.label = label
        self.kind = OTHER
        self.state: State = "queued"
        self.stage = ""
        self.pace = Pace()
        self.partial: Any = None
        self.payload: Any = b""
        self.needs: tuple[ModelRef, ...] = ()
        self.stop: Callable[[], None] | None = None
        self.cacheable = bool(key)
        self.number = 0
        self.attempts = 0
        self.begun = False
        self.submitted = board.clock()
        self.started: float | None = None
        self.ended: float | None = None
        self.cancelled_at: float | None = None
        self.stopped_for: ExplorerError | None = None
        self.owners: dict[str, float] = {}
        self.left: set[str] = set()
        self.waiting = 0
        self.outcome: Any = None
        self.error: ExplorerError | None = None
        self._board = board
        self._ended = threading.Event()

    def status(self, owner: str = "") -> JobStatus:
        """A snapshot; naming the owner says that this owner still waits.

        An owner who cancelled sees "cancelled", also while the job goes on for others.
        """
        with self._board.lock:
            if owner and not self._ended.is_set():
                if owner in self.left:
                    return JobStatus("cancelled", 0, None, None, 0.0, error=cancelled_error())
                if self.cancelled_at is None:
                    self._board.join(self, owner)
            now = self._board.clock()
            end = now if self.ended is None else self.ended
            begin = self.submitted if self.started is None else self.started
            position, wait_seconds = self._board.outlook(self)
            return JobStatus(
                state=self.state,
                position=position,
                fraction=1.0 if self.state == "done" else self.pace.fraction,
                eta_seconds=self.pace.eta(now) if self.state == "running" else None,
                elapsed_seconds=max(0.0, end - begin),
                partial=self.partial,
                error=self.error,
                stage=self.stage,
                wait_seconds=wait_seconds,
            )

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the job has ended, which also keeps it from being given up.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Returns:
            Whether it has ended.
        """
        if self._ended.is_set():
            return True
        with self._board.lock:
            self.waiting += 1
        try:
            return self._ended.wait(timeout)
        finally:
            with self._board.lock:
                self.waiting -= 1
                # The wait may have been longer than a lease; whoever waited asks again from here.
                for owner in self.owners:
                    self.owners[owner] = self._board.clock()

    def result(self, timeout: float | None = None) -> Any:
        """What the task returned; waits for it.

        Raises:
            ExplorerError: It failed, or was cancelled (``JobCancelled``).
            TimeoutError: It has not ended after ``timeout`` seconds.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"{self.label} has not ended after {timeout} s")
        if self.error is not None:
            # Raised anew each time: the traceback of an earlier caller is not this one's.
            raise self.error.with_traceback(None)
        return self.outcome

    def progress(self, fraction: float | None, stage: str, partial: Any) -> None:
        """Takes what the worker says of it; for the engine, under the lock."""
        if stage != self.stage:
            self.stage, self.pace = stage, Pace()
        if fraction is not None:
            self.pace.update(fraction, self._board.clock())
        if partial is not None:
            self.partial = partial

    def finish(self, state: State, outcome: Any = None, error: ExplorerError | None = None) -> None:
        """Ends the job; for the engine, under the lock. A job ends once."""
        if self._ended.is_set():
            return
        self.state, self.outcome, self.error = state, outcome, error
        self.ended = self._board.clock()
        self.payload, self.stop = b"", None
        self.owners.clear()
        self._ended.set()
        kept = state == "done" and self.started is None
        seconds = None if self.started is None else self.ended - self.started
        job_ended(self.kind, "kept" if kept else state, seconds)


def cancelled_error() -> JobCancelled:
    """What an owner of a cancelled job is told."""
    return JobCancelled(N_("This was cancelled; start it again if you still need it."))


def stop_jobs(jobs: Collection[Job]) -> None:
    """Tells the workers that these running jobs are cancelled; for the engine, under the lock."""
    for job in jobs:
        if job.stop is not None:
            job.stop()
