"""Arithmetic on measured batch times: where batching stops paying, what a frame rate would need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Share of the highest throughput that the knee reaches.
KNEE = 0.9


@dataclass(frozen=True, slots=True)
class BatchTime:
    """The median time of one batch size.

    Attributes:
        batch_size: Images per pass.
        seconds: Median, per batch.
    """

    batch_size: int
    seconds: float

    @property
    def images_per_second(self) -> float:
        """Batch size over the median."""
        return self.batch_size / self.seconds


def knee(times: Sequence[BatchTime]) -> BatchTime | None:
    """The smallest measured batch with at least 90 % of the highest measured throughput.

    Larger batches only make each image wait longer. None below three batch sizes.
    """
    if len(times) < 3:
        return None
    best = max(one.images_per_second for one in times)
    reached = [one for one in times if one.images_per_second >= KNEE * best]
    return min(reached, key=lambda one: one.batch_size)


@dataclass(frozen=True, slots=True)
class FrameRate:
    """What a frame rate means for one batch size, when frames come evenly and are collected.

    Attributes:
        batch_size: Frames that are collected.
        needed_seconds: The time in which a batch has to be done: as long as collecting it takes.
        speedup: Factor by which the machine would have to be faster; at or below 1 it keeps up.
        streams: Cameras at this rate that one machine serves.
        oldest_seconds: From the batch's first frame to its answer: the wait for the others, then
            the pass. None where the machine does not keep up and the wait grows without end.
    """

    batch_size: int
    needed_seconds: float
    speedup: float
    streams: int
    oldest_seconds: float | None


def frame_rate(time: BatchTime, frames_per_second: float) -> FrameRate:
    """The arithmetic: B frames take (B − 1)/f to collect and B/f until the next B are there."""
    needed = time.batch_size / frames_per_second
    speedup = time.seconds / needed
    keeps_up = speedup <= 1
    waiting = (time.batch_size - 1) / frames_per_second
    return FrameRate(
        batch_size=time.batch_size,
        needed_seconds=needed,
        speedup=speedup,
        streams=math.floor(time.images_per_second / frames_per_second + 1e-9),
        oldest_seconds=waiting + time.seconds if keeps_up else None,
    )


def macs_at(macs: int, time: BatchTime, frames_per_second: float) -> float:
    """Multiply–accumulates of a network that just keeps up, at this one's speed per operation."""
    return macs * time.images_per_second / frames_per_second
