"""Networks that do not fit together: loaded one after another, in blocks, and said so."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from explorer.catalog import find
from explorer.catalog.spec import ModelSpec
from explorer.errors import LatencyError, ModelTooLargeError
from explorer.paired import Blocks, PairedRequest, PairedResult, ratio_of
from explorer.paired_task import MeasurePaired
from explorer.paired_timing import WARMUPS, measure_in_blocks
from explorer.pool import ModelPool
from explorer.requests import ModelRef
from explorer.zoo import LoadedModel, load

QUICK = PairedRequest(rounds=12, runs=1, turn_seconds=0, blocks=6)
LENET, TRAINED = ModelRef("lenet5"), ModelRef("lenet5", "MNIST_DIGITS")
SIZE = 4 * 61_706  # LeNet-5's parameters, fp32; it has no buffers
LARGE = ModelRef("squeezenet1_1")  # 1.2 million parameters


class Context:
    """What a worker gives a task; notes what it is told."""

    def __init__(self, budget: int) -> None:
        self.loads: list[ModelSpec] = []
        self.alive: list[weakref.ref[torch.nn.Module]] = []
        self.most_alive = 0
        self.stages: list[str] = []
        self.told: list[tuple[float, float | None, Any]] = []
        self.stop_after: int | None = None
        self.pool = ModelPool(budget, self._load, "cpu")

    def _load(
        self, spec: ModelSpec, weights: str | None, device: torch.device, _progress: Any
    ) -> LoadedModel:
        self.loads.append(spec)
        gc.collect()
        loaded = load(spec, weights, device)
        self.alive.append(weakref.ref(loaded.module))
        self.most_alive = max(self.most_alive, sum(one() is not None for one in self.alive))
        return loaded

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        self.told.append((done, total, partial))
        if self.stop_after is not None and partial is not None:
            raise StopAsyncIteration


@pytest.fixture(scope="module")
def beyond() -> tuple[Context, PairedResult]:
    """Two networks under a budget that holds one of them."""
    context = Context(budget=SIZE + 1000)
    return context, MeasurePaired((LENET, TRAINED), QUICK).run(context)


def result(seconds: np.ndarray, turns: int) -> PairedResult:
    models = tuple(f"m{number}" for number in range(seconds.shape[1]))
    return PairedResult(
        models, (None,) * len(models), seconds, 1, "cpu", 1, {}, Blocks(turns, 300, 200)
    )


def in_blocks(true: float, spread: float, rng: np.random.Generator) -> PairedResult:
    """Six blocks of five turns: what a block has is its own, and each turn has a little more."""
    block = rng.normal(0, spread, (6, 1, 2)) + rng.normal(0, 0.005, (6, 5, 2))
    return result(np.exp(block.reshape(30, 2)) * [1e-3, true * 1e-3], 5)


def test_a_block_is_one_observation() -> None:
    seconds = np.array([[1, 2], [1, 2], [9, 2], [2, 2], [2, 2], [2, 99]]) * 1e-3
    found = result(seconds, 3)
    assert np.allclose(found.observations, [[1e-3, 2e-3], [2e-3, 2e-3]])  # medians of three turns
    assert result(seconds, 3).medians == pytest.approx((2e-3, 2e-3))  # over all turns
    ratio = ratio_of(found, 1, 0)
    assert (ratio.rounds, ratio.in_blocks) == (2, True)
    assert ratio.value == pytest.approx(2**0.5)  # geometric middle of 2 and 1


def test_intervals_over_blocks_hold_the_truth() -> None:
    # The interval of six blocks leaves the truth out in 3.1 % of samples: of 400, 25 or more would
    # be seen once in 400 (binomial). An interval over the 30 turns would fail far more often.
    rng = np.random.default_rng(5)
    found = [ratio_of(in_blocks(1.5, 0.05, rng), 1, 0) for _sample in range(400)]
    held = [one.low <= 1.5 <= one.high for one in found if one.low and one.high]
    assert len(held) == 400
    assert sum(held) >= 375
    assert sum(one.shown for one in found) >= 390  # and a difference of 50 % is seen
    equal = [ratio_of(in_blocks(1.0, 0.05, rng), 1, 0) for _sample in range(400)]
    assert sum(one.shown for one in equal) <= 25


def test_few_blocks_earn_no_interval() -> None:
    found = ratio_of(result(np.ones((5, 2)), 1), 0, 1)
    assert (found.value, found.low, found.shown) == (1.0, None, False)


def test_models_beyond_the_budget_are_loaded_in_turn_and_that_is_said(
    beyond: tuple[Context, PairedResult],
) -> None:
    context, found = beyond
    assert (found.models, found.weights) == (("lenet5", "lenet5"), (None, "MNIST_DIGITS"))
    assert found.blocks == Blocks(turns=2, model_bytes=2 * SIZE, budget_bytes=SIZE + 1000)
    assert found.seconds.shape == (12, 2)
    assert (found.seconds > 0).all()
    assert not found.refused
    assert context.most_alive == 1, "one at a time is in memory"
    assert context.stages == ["Loading the networks", "Measuring in blocks"]
    assert ratio_of(found, 0, 1).low is not None
    # Each block loads each of them; the last one of a block may be the first of the next.
    assert 2 + 7 <= len(context.loads) <= 2 + 12


def test_models_within_the_budget_take_turns_round_by_round() -> None:
    context = Context(budget=2 * SIZE)
    found = MeasurePaired((LENET, TRAINED), QUICK).run(context)
    assert found.blocks is None
    assert found.seconds.shape == (12, 2)
    assert len(context.loads) == 2
    assert context.stages == ["Loading the networks", "Measuring in turn"]


def test_progress_rises_and_each_block_hands_out_what_there_is(
    beyond: tuple[Context, PairedResult],
) -> None:
    context, _found = beyond
    told = [(done, total) for done, total, _partial in context.told if total == 24]  # 6 · 2 · 2
    assert [done for done, _total in told] == sorted(done for done, _total in told)
    assert {done for done, _total in told} == set(range(25))
    parts = [partial for _done, _total, partial in context.told if partial is not None]
    assert [len(part.observations) for part in parts] == [1, 2, 3, 4, 5, 6]
    assert [ratio_of(part, 0, 1).low is None for part in parts] == [True] * 5 + [False]


@pytest.mark.slow
def test_cancelling_lets_go_of_the_network() -> None:
    context = Context(budget=SIZE)
    context.stop_after = 0
    with pytest.raises(StopAsyncIteration):
        MeasurePaired((LENET, TRAINED), QUICK).run(context)
    context.pool.clear()
    assert context.pool.resident == ()
    gc.collect()
    assert all(one() is None for one in context.alive)


def test_one_too_large_by_itself_is_named_and_the_others_are_timed() -> None:
    context = Context(budget=2 * SIZE)
    found = MeasurePaired((LENET, LARGE, TRAINED), QUICK).run(context)
    assert found.weights == (None, "MNIST_DIGITS")
    (refused,) = found.refused
    assert (refused.model, refused.weights) == ("squeezenet1_1", None)
    assert "SqueezeNet 1.1" in str(refused.error)
    assert "EXPLORER_MODEL_BUDGET" in str(refused.error)
    parts = [partial for _done, _total, partial in context.told if partial is not None]
    assert all(part.refused == found.refused for part in parts)


def test_where_none_fits_the_first_is_named() -> None:
    with pytest.raises(ModelTooLargeError, match=r"LeNet-5 takes 0\.2 MB"):
        MeasurePaired((LENET, LARGE), QUICK).run(Context(budget=1000))


@pytest.mark.slow
def test_loading_is_not_timed_and_each_visit_is_warmed_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = itertools.count(0, 1000)  # 1 µs a look at the clock
    loaded = [load(find("lenet5"), None), load(find("lenet5"), None)]
    visits: list[int] = []
    passes: dict[int, int] = {0: 0, 1: 0}

    def opener(place: int) -> Any:
        @contextmanager
        def opened(waiting: Any) -> Iterator[LoadedModel]:
            waiting(0, None)
            visits.append(place)
            for _second in range(10_000):  # a load that takes 10 ms of that clock
                next(now)
            yield loaded[place]

        return opened

    for place, one in enumerate(loaded):
        monkeypatch.setattr(one.module, "forward", _counted(one.module.forward, passes, place))
    loaded[0].module.train()
    found = measure_in_blocks(
        [opener(0), opener(1)], PairedRequest(rounds=16, runs=2, turn_seconds=0, blocks=8),
        (2, 1), clock=lambda: next(now),
    )  # fmt: skip
    assert np.allclose(found.seconds, 1e-6)
    assert found.seconds.shape == (16, 2)
    pairs = [tuple(visits[at : at + 2]) for at in range(0, 16, 2)]
    assert {frozenset(pair) for pair in pairs} == {frozenset((0, 1))}
    assert len(set(pairs)) == 2  # drawn anew: not always the same one first
    assert passes == dict.fromkeys((0, 1), 8 * (WARMUPS + 2 * (1 + 2)))
    assert loaded[0].module.training, "the network is left as it was"


def _counted(forward: Any, passes: dict[int, int], place: int) -> Any:
    def counted(x: torch.Tensor) -> torch.Tensor:
        passes[place] += 1
        found: torch.Tensor = forward(x)
        return found

    return counted


def test_blocks_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(LatencyError):
        measure_in_blocks([], PairedRequest(blocks=0), (2, 1))
