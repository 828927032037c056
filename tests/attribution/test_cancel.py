"""A job can be cancelled soon, however long a pass takes: the clock is the network's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.attribution import ExplainRequest, explain
from explorer.attribution import maps as explaining
from explorer.attribution.quality import assess
from explorer.attribution.running import TICK, Run, prepare
from explorer.errors import JobCancelled
from explorer.requests import AssessRequest
from tests.attribution.conftest import picture
from tests.attribution.test_explain import OF_CNNS, request

#: Seconds that one layer takes for one image, forward; backward it takes twice as long.
LAYER = 0.01


class Clock:
    """Seconds that pass only while a ``Slow`` network works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.largest_batch = 0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, images: int, times: int) -> None:
        self.now += LAYER * times * images
        self.largest_batch = max(self.largest_batch, images)


class _Aging(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, clock: Clock) -> Tensor:
        ctx.clock = clock
        clock.pass_by(len(x), 1)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        ctx.clock.pass_by(len(gradients[0]), 2)
        return gradients[0], None


class SlowConv(nn.Conv2d):
    """A convolution that takes its time."""

    clock: Clock

    def forward(self, x: Tensor) -> Tensor:
        return _Aging.apply(super().forward(x), self.clock)


class Slow(nn.Module):
    """Twelve layers, of which a batch of 16 takes two seconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for number in range(12):
            conv = SlowConv(4 if number else 3, 4, 3, padding=1)
            conv.clock = clock
            layers += [conv, nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean(dim=(2, 3)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Takes the place of the clock of every run."""
    found = Clock()

    def on_this_clock(*args: Any) -> Run:
        run = prepare(*args)
        run.clock = found
        return run

    monkeypatch.setattr(explaining, "prepare", on_this_clock)
    monkeypatch.setattr("explorer.attribution.quality.prepare", on_this_clock)
    return found


def gaps(clock: Clock, work: Callable[[Callable[..., None]], object]) -> list[float]:
    """Seconds between two calls of progress, from the start of the work to its end."""
    told = [clock()]
    work(lambda *now: told.append(clock()))
    return [float(gap) for gap in np.diff([*told, clock()])]


@pytest.mark.parametrize("method", OF_CNNS)
def test_progress_is_told_within_a_tick_and_a_layer(
    network_of: Any, clock: Clock, method: str
) -> None:
    loaded = network_of(Slow(clock))
    found = gaps(clock, lambda tell: explain(loaded, picture("fig"), request(method), tell))
    # Backward, a layer of the largest batch is the longest that nothing can be told.
    longest = TICK + 2 * LAYER * clock.largest_batch
    assert max(found) <= longest + 1e-9
    assert len(found) >= clock() / longest


def test_a_batch_takes_longer_than_anybody_waits(network_of: Any, clock: Clock) -> None:
    """What the test above tells from a run that speaks before every batch only."""
    loaded = network_of(Slow(clock))
    explain(loaded, picture("fig"), request("occlusion"), lambda *now: None)
    assert clock.largest_batch == 16
    assert 12 * LAYER * clock.largest_batch > 1


@pytest.mark.parametrize("check", ["curves", "infidelity", "randomisation", "sensitivity"])
def test_checks_tell_their_progress_too(network_of: Any, clock: Clock, check: str) -> None:
    loaded = network_of(Slow(clock))
    asked = AssessRequest(ExplainRequest("saliency"), (check,), steps=20, orders=2, samples=8)
    found = gaps(clock, lambda tell: assess(loaded, picture("fig"), asked, None, tell))
    assert max(found) <= TICK + 2 * LAYER * clock.largest_batch + 1e-9


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "occlusion", "lrp"])
@pytest.mark.parametrize("after", [0.05, 0.2, 0.4])
def test_cancelled_in_the_middle_of_a_pass_nothing_is_left(
    network_of: Any, clock: Clock, method: str, after: float
) -> None:
    module = Slow(clock)
    loaded = network_of(module)
    lone = explain(loaded, picture("fig"), request(method)).map
    begin = clock()

    def cancel(*now: float) -> None:
        if clock() - begin >= after:
            raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        explain(loaded, picture("fig"), request(method), cancel)
    assert clock() - begin <= after + TICK + 2 * LAYER * clock.largest_batch
    assert not any(len(part._forward_hooks) for part in module.modules())
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert np.array_equal(explain(loaded, picture("fig"), request(method)).map, lone)
