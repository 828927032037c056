"""The jobs that wait or run: who waits for them, in whose turn they come, which are given up.

Plain data under one lock, without processes or threads of its own.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection
from typing import Any

from explorer.engine.jobs import Job, Pace, State, cancelled_error
from explorer.errors import ExplorerError

# Owners whose last turn is remembered; forgetting one only lets that owner go first once.
REMEMBERED_OWNERS = 1000
# Jobs of a kind whose seconds count for the estimate of a wait.
REMEMBERED_JOBS = 20
# How long the others wait for an owner whose connection is gone. A browser tries anew after 0.5,
# 1.5 and 3.5 s; where nobody waits, a longer gap in its network costs nothing within a lease.
AWAY_SECONDS = 4.0


class JobBoard:
    """Jobs from submission to their end.

    Callers hold ``lock`` around every call. Turns go round robin over the owners, so that one who
    queues ten jobs does not keep the others waiting; within an owner, first come, first served.

    Args:
        clock: Seconds, monotonic.
        lease_seconds: How long an owner counts as waiting after last asking.

    Attributes:
        changed: Notified when a job has come, for those who take them.
        workers: Jobs that can run at once; the estimates of waits go by it.
    """

    def __init__(self, clock: Callable[[], float], lease_seconds: float) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.workers = 1
        self._lease_seconds = lease_seconds
        self._looked: float | None = None
        self._away: dict[str, float] = {}
        self._queued: list[Job] = []
        self._running: list[Job] = []
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._turn = 0
        self._numbers = 0
        # Kinds are names of task classes, hence few.
        self._seconds: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED_JOBS)
        )

    def add(self, job: Job, owner: str) -> None:
        """Puts a new job at the end of its owner's queue."""
        self._numbers += 1
        job.number = self._numbers
        self.join(job, owner)
        self._queued.append(job)

    def join(self, job: Job, owner: str) -> None:
        """Says that this owner waits for the job, from now for the length of a lease."""
        job.owners[owner] = self.clock()
        job.left.discard(owner)
        self._away.pop(owner, None)

    def shared(self, key: str) -> Job | None:
        """The job of this key that waits or runs and is not being cancelled."""
        for job in (*self._running, *self._queued):
            if key and job.key == key and job.cancelled_at is None:
                return job
        return None

    def order(self) -> list[Job]:
        """The waiting jobs in the order in which they would run."""
        seen: Counter[str] = Counter()
        first: dict[str, int] = {}
        ranked = []
        for job in self._queued:
            ranks = [(0, 0, job.number)] if not job.owners else []
            for owner in job.owners:
                came = first.setdefault(owner, job.number)
                ranks.append((seen[owner], self._turns.get(owner, 0), came))
            seen.update(job.owners.keys())
            # A shared job comes when the first of its owners is next.
            ranked.append((min(ranks), job.number, job))
        return [job for _rank, _number, job in sorted(ranked, key=lambda entry: entry[:2])]

    def outlook(self, job: Job) -> tuple[int, float | None]:
        """The position of a job, and the estimated seconds until it runs.

        Returns:
            1 for the next job to run, 0 for one that does not wait. The seconds are None for a job
            that does not wait, and while nothing is known of a kind of job that comes before it.
        """
        if job.state != "queued":
            return 0, None
        order = self.order()
        place = order.index(job)
        now = self.clock()
        seconds = 0.0
        for before in (*self._running, *order[:place]):
            recent = self._seconds.get(before.kind)
            if not recent:
                return place + 1, None
            passed = 0.0 if before.started is None else now - before.started
            seconds += max(0.0, sum(recent) / len(recent) - passed)
        return place + 1, seconds / max(1, self.workers)

    def take(self, wanted: Callable[[Job], bool] | None = None) -> Job | None:
        """The next job, which now runs; None when none waits.

        Args:
            wanted: Which jobs the one who takes it would run; None for any.
        """
        order = self.order()
        job = next((one for one in order if wanted is None or wanted(one)), None)
        if job is None:
            return None
        self._turn += 1
        for owner in job.owners:
            self._turns[owner] = self._turn
            self._turns.move_to_end(owner)
        while len(self._turns) > REMEMBERED_OWNERS:
            self._turns.popitem(last=False)
        self._queued.remove(job)
        self._running.append(job)
        job.state = "running"
        job.started = self.clock()
        return job

    def put_back(self, job: Job) -> None:
        """Returns a job that was taken but could not be begun; it keeps its number."""
        self._running.remove(job)
        self._queued.insert(0, job)
        job.state, job.stage, job.pace = "queued", "", Pace()
        job.started = job.stop = None
        job.begun = False

    def finish(
        self, job: Job, state: State, outcome: Any = None, error: ExplorerError | None = None
    ) -> None:
        """Ends a job and takes it off the board."""
        for jobs in (self._queued, self._running):
            if job in jobs:
                jobs.remove(job)
        job.finish(state, outcome, error)
        if state == "done" and job.started is not None and job.ended is not None:
            self._seconds[job.kind].append(job.ended - job.started)

    def stop(self, job: Job, reason: ExplorerError) -> None:
        """Marks a running job as one that is to be stopped and to end as failed, for a reason."""
        job.stopped_for = reason
        job.cancelled_at = self.clock()

    def finish_stopped(self, job: Job) -> None:
        """Ends a job that was told to stop: cancelled, or failed where it was stopped for cause."""
        if job.stopped_for is not None:
            self.finish(job, "failed", error=job.stopped_for)
        else:
            self.finish(job, "cancelled", error=cancelled_error())

    def leave(self, job: Job, owner: str) -> bool:
        """Says that this owner no longer waits.

        Returns:
            True when the job runs and is to be stopped, because nobody waits for it any more; a job
            that has not begun is ended right here.
        """
        if job.owners.pop(owner, None) is None:
            return False
        job.left.add(owner)
        return self._abandon_if_alone(job)

    def release(self, owner: str, keep: Collection[str]) -> list[Job]:
        """Ends this owner's waits for all jobs but those whose id is in ``keep``.

        Returns:
            Running jobs that nobody waits for any more.
        """
        jobs = [job for job in self.jobs() if owner in job.owners and job.id not in keep]
        return [job for job in jobs if self.leave(job, owner)]

    def away(self, owner: str) -> None:
        """Says that an owner cannot ask for now: its leases end early where others wait."""
        if any(owner in job.owners for job in self.jobs()):
            self._away[owner] = self.clock()

    def lapse(self) -> list[Job]:
        """Drops owners that have been silent for longer than a lease; called about twice a second.

        Where the last call is longer ago than a lease, this process was stopped, the machine slept
        or the clock jumped: nobody could ask meanwhile, and all leases begin here.

        Returns:
            Running jobs that nobody waits for any more.
        """
        now = self.clock()
        before, self._looked = self._looked, now
        if before is not None and now - before > self._lease_seconds:
            for job in self.jobs():
                job.owners = dict.fromkeys(job.owners, now)
            self._away = dict.fromkeys(self._away, now)
            return []
        oldest = now - self._lease_seconds
        gone = {owner for owner in self._away if self._is_waited_for(owner, now)}
        holders = {owner for job in self.jobs() for owner in job.owners} - gone
        self._away = {owner: since for owner, since in self._away.items() if owner in holders}
        found = []
        for job in self.jobs():
            if job.waiting or not job.owners:  # in wait(), or already being cancelled
                continue
            # Seen later than now: the clock jumped back, and the lease begins here.
            job.owners = {
                owner: min(seen, now)
                for owner, seen in job.owners.items()
                if seen >= oldest and owner not in gone
            }
            if self._abandon_if_alone(job):
                found.append(job)
        return found

    def _is_waited_for(self, owner: str, now: float) -> bool:
        """Whether an owner is away for so long that those who wait come first."""
        others = any(owner not in job.owners for job in self._queued)
        return others and now - self._away[owner] > AWAY_SECONDS

    def abandon_all(self) -> list[Job]:
        """Ends all waits.

        Returns:
            The running jobs, which are to be stopped.
        """
        for job in self.jobs():
            job.owners.clear()
        return [job for job in self.jobs() if self._abandon_if_alone(job)]

    def count_of(self, owner: str) -> int:
        """Number of jobs that this owner has waiting and running."""
        return sum(owner in job.owners for job in self.jobs())

    def jobs(self) -> list[Job]:
        """All jobs that run or wait."""
        return [*self._running, *self._queued]

    @property
    def queued(self) -> int:
        """Number of jobs that wait."""
        return len(self._queued)

    @property
    def running(self) -> tuple[Job, ...]:
        """The jobs that run."""
        return tuple(self._running)

    def _abandon_if_alone(self, job: Job) -> bool:
        if job.owners or job.cancelled_at is not None:
            return False
        if job.state == "queued":
            self.finish(job, "cancelled", error=cancelled_error())
            return False
        job.cancelled_at = self.clock()
        return True
