"""Waiting lines: a simulation of one queue before several workers, and the formulas it agrees with.

Used by ``docs.make_scale``; times are in seconds, rates in jobs a second.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def waits(arrivals: Sequence[float], services: Sequence[float], workers: int) -> Floats:
    """How long each job waits, first come, first served.

    Args:
        arrivals: (N,) when each job comes, ascending.
        services: (N,) how long each one runs.
        workers: Jobs that run at once.

    Returns:
        (N,) seconds from a job's arrival to its start.
    """
    free = [0.0] * workers
    found = np.empty(len(arrivals))
    for number, (arrival, service) in enumerate(zip(arrivals, services, strict=True)):
        start = max(arrival, heapq.heappop(free))
        found[number] = start - arrival
        heapq.heappush(free, start + service)
    return found


def poisson(rate: float, count: int, random: np.random.Generator) -> Floats:
    """(N,) arrivals of people who know nothing of each other."""
    return np.cumsum(random.exponential(1 / rate, count))


def erlang_c(rate: float, service: float, workers: int) -> float:
    """Mean wait with exponential service times (Erlang 1917); infinite where it grows without end.

    Args:
        rate: Jobs a second, Poisson.
        service: Mean seconds of a job.
        workers: Jobs that run at once.
    """
    load = rate * service
    if load >= workers:
        return math.inf
    # Erlang's B by its recursion, which no factorial overflows.
    blocked = 1.0
    for number in range(1, workers + 1):
        blocked = load * blocked / (number + load * blocked)
    waiting = blocked / (1 - load / workers * (1 - blocked))
    return waiting * service / (workers - load)


def pollaczek_khinchine(rate: float, mean: float, variance: float) -> float:
    """Mean wait before one worker with any service times (Pollaczek 1930, Khinchine 1932)."""
    load = rate * mean
    return math.inf if load >= 1 else rate * (mean**2 + variance) / (2 * (1 - load))


def workers_needed(
    rate: float, services: Floats, limit: float, random: np.random.Generator, jobs: int = 20_000
) -> tuple[int, float]:
    """The least number of workers with which 95 % of the jobs wait for at most ``limit`` seconds.

    Args:
        rate: Jobs a second, Poisson.
        services: (S,) measured service times, drawn from with replacement.
        limit: Seconds.
        random: Where the draws come from.
        jobs: That are simulated.

    Returns:
        The number, and the 95th percentile of the wait with it.
    """
    arrivals = poisson(rate, jobs, random)
    drawn = random.choice(services, jobs)
    workers = max(1, math.floor(rate * float(services.mean())))
    while True:
        late = float(np.percentile(waits(arrivals, drawn, workers), 95))
        if late <= limit:
            return workers, late
        workers += 1
