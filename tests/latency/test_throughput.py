"""Arithmetic on batch times."""

from __future__ import annotations

import pytest

from explorer.throughput import BatchTime, frame_rate, knee, macs_at


def test_the_knee_is_the_smallest_batch_near_the_best() -> None:
    # 100, 160, 190, 200 images/s: 90 % of 200 are 180, first reached at batch 4.
    times = [
        BatchTime(1, 1 / 100), BatchTime(2, 2 / 160), BatchTime(4, 4 / 190), BatchTime(8, 8 / 200)
    ]  # fmt: skip
    found = knee(times)
    assert found is not None
    assert found.batch_size == 4
    assert knee(times[:2]) is None
    slower = [BatchTime(1, 0.01), BatchTime(2, 0.03), BatchTime(4, 0.09)]
    assert (found := knee(slower)) is not None
    assert found.batch_size == 1


def test_thirty_frames_a_second() -> None:
    # 20 ms of the 33.3 ms that a frame has: 0.6; 50 images/s serve one camera.
    found = frame_rate(BatchTime(1, 0.020), 30)
    assert found.needed_seconds == pytest.approx(1 / 30)
    assert found.speedup == pytest.approx(0.6)
    assert (found.streams, found.oldest_seconds) == (1, pytest.approx(0.020))
    # Four frames take 3/30 s to collect, then 80 ms to classify.
    assert frame_rate(BatchTime(4, 0.080), 30).oldest_seconds == pytest.approx(0.1 + 0.080)
    slow = frame_rate(BatchTime(1, 0.100), 30)
    assert slow.speedup == pytest.approx(3.0)
    assert (slow.streams, slow.oldest_seconds) == (0, None)


def test_exactly_as_fast_as_needed_keeps_up() -> None:
    found = frame_rate(BatchTime(1, 1 / 30), 30)
    assert (found.streams, found.oldest_seconds) == (1, pytest.approx(1 / 30))


def test_operations_that_just_keep_up() -> None:
    # 50 images/s of 2 GMACs are 100 GMACs a second: a thirtieth of it an image.
    assert macs_at(2_000_000_000, BatchTime(1, 0.020), 30) == pytest.approx(100e9 / 30)
