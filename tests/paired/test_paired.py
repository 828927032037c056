"""Networks timed in turn: order, statistics, what stays behind."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.catalog import find
from explorer.errors import LatencyError
from explorer.paired import PairedRequest, PairedResult, ratio_of
from explorer.paired_timing import measure_paired
from explorer.zoo import LoadedModel, load

RNG = np.random.default_rng(7)


def result(seconds: np.ndarray) -> PairedResult:
    models = tuple(f"m{number}" for number in range(seconds.shape[1]))
    return PairedResult(models, (None,) * len(models), seconds, 1, "cpu", 1, {})


@pytest.fixture(scope="module")
def lenet() -> LoadedModel:
    return load(find("lenet5"), None)


def test_a_ratio_is_found_through_a_machine_that_slows_down() -> None:
    drift = np.linspace(1, 3, 40)[:, None]  # both are slowed down alike
    noise = RNG.lognormal(0, 0.02, (40, 2))
    found = ratio_of(result(np.array([[1e-3, 2e-3]]) * drift * noise), 1, 0)
    assert found.value == pytest.approx(2, rel=0.02)
    assert found.low is not None
    assert found.low < 2 < (found.high or 0)
    assert found.shown


def test_no_difference_is_shown_between_equals() -> None:
    # 95 % intervals of 200 samples: at least 180 hold 1 (binomial, p < 0.002 for fewer).
    held = sum(
        not ratio_of(result(RNG.lognormal(0, 0.1, (30, 2))), 0, 1).shown for _sample in range(200)
    )
    assert held >= 180


def test_few_rounds_earn_no_interval() -> None:
    found = ratio_of(result(np.ones((7, 2))), 0, 1)
    assert (found.value, found.low, found.shown) == (1.0, None, False)


def test_order_is_drawn_anew_and_each_has_its_turn(
    lenet: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 10**9, 1000))
    parts: list[PairedResult] = []
    other = load(find("lenet5"), None)
    turns: list[LoadedModel] = []
    from explorer import paired_timing as measuring

    real = measuring._turn

    def noted(timed: object, loaded: LoadedModel, *rest: object) -> float:
        turns.append(loaded)
        return real(timed, loaded, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "_turn", noted)
    found = measure_paired(
        [lenet, other], PairedRequest(rounds=12, runs=2, turn_seconds=0),
        lambda _done, _total, part: parts.append(part) if part is not None else None,
        clock=lambda: next(now),
    )  # fmt: skip
    assert found.seconds.shape == (12, 2)
    assert np.allclose(found.seconds, 1e-6)  # the clock moves 1 µs a look
    assert [len(part.seconds) for part in parts] == list(range(1, 13))
    rounds = [turns[at : at + 2] for at in range(0, 24, 2)]
    assert all({id(one) for one in pair} == {id(lenet), id(other)} for pair in rounds)
    assert len({id(pair[0]) for pair in rounds}) == 2  # not always the same one first


def test_the_networks_are_left_as_they_were(lenet: LoadedModel) -> None:
    lenet.module.train()
    try:
        measure_paired([lenet], PairedRequest(rounds=1, runs=1, turn_seconds=0))
        assert lenet.module.training
    finally:
        lenet.module.eval()


@pytest.mark.parametrize(
    "request_", [PairedRequest(rounds=0), PairedRequest(batch_size=0), PairedRequest(runs=-1),
                 PairedRequest(batch_size=10**6)]
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(lenet: LoadedModel, request_: PairedRequest) -> None:
    with pytest.raises(LatencyError):
        measure_paired([lenet], request_)
