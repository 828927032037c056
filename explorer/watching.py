"""What else went on while times were taken: other programs, the clock frequency, sleep.

Everything is looked at between runs, never inside one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import psutil

from explorer.latency_results import LoadTrace

Clock = Callable[[], int]
"""Nanoseconds, rising."""

#: Seconds by which two clocks may differ between two runs before the machine was away.
JUMP_SECONDS = 1.0
#: A run that is longer than this, and than so many medians, was paused, not slow.
PAUSE_SECONDS = 30.0
PAUSE_MEDIANS = 100
#: A look at the frequency that takes longer is not made again (some systems ask every core).
SLOWEST_LOOK = 0.005


def sleeping_clock() -> Clock:
    """A clock that goes on while the machine is suspended, where ``perf_counter`` stands still."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.time_ns


class Jumps:
    """Notices that the machine stood still between two looks.

    Args:
        clock: That times the runs.
        other: That goes on in sleep; None notices only runs that are absurdly long.
    """

    def __init__(self, clock: Clock, other: Clock | None) -> None:
        self._clock = clock
        self._other = other
        self._offset = 0 if other is None else other() - clock()

    def since_last(self) -> float:
        """Seconds that the machine was away since the last look; 0 when it was not."""
        if self._other is None:
            return 0.0
        offset = self._other() - self._clock()
        jump, self._offset = (offset - self._offset) / 1e9, offset
        return abs(jump) if abs(jump) > JUMP_SECONDS else 0.0


def was_paused(duration: float, typical: float) -> bool:
    """Whether a run of ``duration`` seconds was a pause of the process.

    Args:
        duration: Of the run.
        typical: Median of the runs before; 0 where there is none.
    """
    return typical > 0 and duration > PAUSE_SECONDS and duration > PAUSE_MEDIANS * typical


@dataclass(frozen=True, slots=True)
class Look:
    """Other programs and the frequency at one moment; NaN where the system does not say."""

    other_cores: float
    mhz: float


class LoadWatch:
    """Looks at the machine now and then.

    Args:
        now: Seconds, rising; for the share of time that is busy.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._process = psutil.Process()
        self._frequency = True
        self.cores = psutil.cpu_count() or 1
        self._last = self._read()

    def _read(self) -> tuple[float, float, float]:
        """(when, busy seconds of all cores, busy seconds of this process)."""
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # On Linux the time of guests is part of user's.
        guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        own = self._process.cpu_times()
        return self._now(), sum(times) - guests - idle, own.user + own.system

    def look(self) -> Look:
        """Since the last look."""
        before, self._last = self._last, self._read()
        passed = self._last[0] - before[0]
        others = (self._last[1] - before[1]) - (self._last[2] - before[2])
        cores = max(0.0, others / passed) if passed > 0 else np.nan
        return Look(cores, self._mhz())

    def _mhz(self) -> float:
        if not self._frequency:
            return float("nan")
        began = time.perf_counter()
        try:
            found = psutil.cpu_freq()
        except (OSError, NotImplementedError, RuntimeError):
            found = None
        self._frequency = found is not None and time.perf_counter() - began < SLOWEST_LOOK
        return float(found.current) if found is not None and found.current else float("nan")


def trace_of(looks: list[tuple[float, Look]], cores: int) -> LoadTrace:
    """The looks as arrays.

    Args:
        looks: (seconds since the first run, what was seen).
        cores: Logical cores of the machine.
    """
    return LoadTrace(
        at=np.array([at for at, _look in looks], np.float64),
        other_cores=np.array([look.other_cores for _at, look in looks], np.float64),
        mhz=np.array([look.mhz for _at, look in looks], np.float64),
        cores=cores,
    )
