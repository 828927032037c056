"""The live loop: every frame counts, the rate is of the last ones, a cancel passes through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from explorer.catalog import find
from explorer.errors import JobCancelled
from explorer.images import open_image, sample_bytes
from explorer.live import classify_frames
from explorer.results import ClassifiedFrames
from explorer.zoo import LoadedModel, load


@pytest.fixture(scope="module")
def lenet() -> LoadedModel:
    spec = find("lenet5")
    return load(spec, spec.weights[0].id)


def ticking(step: float) -> Iterator[float]:
    return (step * n for n in count())


def test_the_loop_reads_the_digit_and_counts_its_frames(lenet: LoadedModel) -> None:
    told: list[ClassifiedFrames] = []
    ticks = ticking(0.05)  # two looks at the clock a frame: ten frames a second
    found = classify_frames(
        lenet, open_image(sample_bytes("digit_7")), 2.0,
        lambda _done, _of, frames: told.append(frames), clock=lambda: next(ticks),
    )  # fmt: skip
    assert found.top[0].label == "7"
    assert found.frames == 20
    assert found.seconds == pytest.approx(2.0)
    assert found.recent_rate == pytest.approx(10.0)
    assert found.pass_share == pytest.approx(0.5)  # one of the two looks is after the pass
    assert told[0].frames == 1
    assert [frames.frames for frames in told] == sorted({frames.frames for frames in told})
    assert told[-1] == found


def test_after_many_frames_the_rate_is_of_the_last_thirty(lenet: LoadedModel) -> None:
    ticks = (0.05 * n if n < 100 else 5.0 + 0.005 * (n - 100) for n in count())
    found = classify_frames(
        lenet, open_image(sample_bytes("digit_0")), 5.5, clock=lambda: next(ticks)
    )
    assert found.recent_rate == pytest.approx(100.0)
    assert found.frames > 60


def test_a_cancel_passes_through_and_leaves_the_network_as_it_was(lenet: LoadedModel) -> None:
    before = lenet.module.training

    def cancel(*_said: object) -> None:
        raise JobCancelled("stopped")

    with pytest.raises(JobCancelled):
        classify_frames(lenet, open_image(sample_bytes("digit_1")), 60.0, cancel)
    assert lenet.module.training is before
