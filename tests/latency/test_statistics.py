"""Percentiles that are earned, the median's interval, and what counts as unsteady."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from explorer.latency_results import (
    DroppedRun,
    LatencySeries,
    LoadTrace,
    Note,
    unsteady_note,
)
from explorer.timing_statistics import (
    Unsteady,
    bimodality,
    drift,
    frequency,
    interval_rank,
    median_interval,
    other_load,
    percentile,
    runs_needed,
    summarise,
)

Times = Any


def lognormal(seed: int, n: int, spread: float = 0.1) -> Times:
    return np.random.default_rng(seed).lognormal(-5, spread, n)


def bimodal(seed: int, n: int, share: float = 0.3, ratio: float = 1.5) -> Times:
    generator = np.random.default_rng(seed)
    slow = generator.random(n) < share
    return generator.lognormal(-5, 0.03, n) * np.where(slow, ratio, 1.0)


def drifting(seed: int, n: int, change: float) -> Times:
    return lognormal(seed, n, 0.05) * np.linspace(1, 1 + change, n)


# --- percentiles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "needed"), [(50, 1), (25, 40), (75, 40), (5, 200), (95, 200), (99, 1000), (99.9, 10000)]
)
def test_ten_runs_must_lie_beyond_a_percentile(q: float, needed: int) -> None:
    assert runs_needed(q) == needed  # 10 / (1 − q/100)
    assert percentile(np.ones(needed - 1), q) is None
    assert percentile(np.ones(needed), q) == 1


def test_the_extremes_are_never_earned() -> None:
    assert percentile(np.ones(10**5), 100) is None
    assert percentile(np.ones(10**5), 0) is None


def test_a_summary_is_numpys() -> None:
    times = lognormal(1, 1000)
    found = summarise(times)
    assert found.median == np.median(times)
    assert found.mean == pytest.approx(times.mean())
    assert found.iqr == pytest.approx(stats.iqr(times))
    assert (found.minimum, found.maximum) == (times.min(), times.max())
    assert found.p99 == np.percentile(times, 99)
    few = summarise(times[:39])
    assert (few.p25, few.iqr, few.p95, few.p99) == (None, None, None, None)
    assert summarise(np.zeros(0)).median is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=1200), st.floats(0.5, 100))
def test_statistics_scale_and_keep_their_order(values: list[float], factor: float) -> None:
    times = np.array(values)
    found, scaled = summarise(times), summarise(times * factor)
    names = ("minimum", "p5", "p25", "median", "p75", "p95", "p99", "maximum")
    known = [getattr(found, name) for name in names if getattr(found, name) is not None]
    assert known == sorted(known)
    for name in (*names, "mean"):
        one, two = getattr(found, name), getattr(scaled, name)
        assert (one is None) == (two is None)
        if one is not None:
            assert two == pytest.approx(one * factor, rel=1e-9)
    if found.interval is not None:
        assert found.interval[0] <= found.median <= found.interval[1]  # type: ignore[operator]
        assert set(found.interval) <= set(times.tolist())


# --- interval of the median -----------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 5, 6, 7, 30, 31, 100, 999, 2000, 2001, 5000, 100_000])
def test_the_rank_is_the_binomials(n: int) -> None:
    rank = interval_rank(n)
    if n < 6:  # 2 · 2⁻⁵ = 0.0625 > 0.05
        assert rank == 0
        return
    exact = int(stats.binom.ppf(0.025, n, 0.5))  # the smallest k with P(B ≤ k) ≥ 2.5 %
    assert abs(rank - exact) <= (0 if n <= 2000 else 1)
    if n <= 2000:
        assert 1 - 2 * stats.binom.cdf(rank - 1, n, 0.5) >= 0.95
        assert 1 - 2 * stats.binom.cdf(rank, n, 0.5) < 0.95


def test_a_known_interval() -> None:
    # n = 10: P(B ≤ 1) = 11/1024 = 1.1 %, P(B ≤ 2) = 56/1024 = 5.5 %: ranks 2 and 9.
    assert median_interval(np.arange(1.0, 11.0)) == (2.0, 9.0)
    assert median_interval(np.arange(5.0)) is None
    assert median_interval(np.zeros(0)) is None


@pytest.mark.parametrize("n", [10, 31, 200])
@pytest.mark.parametrize("shape", ["lognormal", "bimodal"])
def test_the_interval_covers_the_true_median(n: int, shape: str) -> None:
    """2,000 samples: the share that covers has a standard error of √(0.05·0.95/2000) = 0.5 %."""
    if shape == "lognormal":
        truth, draw = math.exp(-5), lambda seed: lognormal(seed, n, 0.5)
    else:
        # 30 % of the runs are in the slow group: the median is the fast group's 5/7 quantile.
        truth = math.exp(-5 + 0.03 * stats.norm.ppf(0.5 / 0.7))
        draw = lambda seed: bimodal(seed, n)  # noqa: E731
    covered = 0
    for seed in range(2000):
        low, high = median_interval(draw(seed))  # type: ignore[misc]
        covered += low <= truth <= high
    assert covered / 2000 >= 0.95 - 4 * 0.005


# --- unsteadiness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [0.2, -0.2, 1.0])
@pytest.mark.parametrize("n", [60, 1000])
def test_a_drift_is_seen(change: float, n: int) -> None:
    found = [drift(drifting(seed, n, change)) for seed in range(20)]
    assert all(one is not None and one.values["change"] * change > 0 for one in found)


def test_a_steady_sample_does_not_drift() -> None:
    alarms = sum(drift(lognormal(seed, 300, 0.2)) is not None for seed in range(500))
    assert alarms <= 4  # 1 in 1,000 expected, and the medians must differ by 5 % besides
    assert drift(np.full(100, 0.01)) is None
    assert drift(drifting(0, 29, 1.0)) is None  # too few to say
    assert drift(drifting(0, 1000, 0.03)) is None  # 2 % between the thirds: not worth a word


@pytest.mark.parametrize(("share", "ratio"), [(0.5, 1.5), (0.3, 1.5), (0.2, 2.0), (0.8, 1.3)])
def test_two_groups_are_seen(share: float, ratio: float) -> None:
    for seed in range(20):
        found = bimodality(bimodal(seed, 400, share, ratio))
        assert found is not None
        assert found.values["high"] / found.values["low"] == pytest.approx(ratio, rel=0.05)
        assert found.values["share"] == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.5, 1.0])
def test_one_group_with_a_long_tail_is_one_group(spread: float) -> None:
    alarms = sum(bimodality(lognormal(seed, 400, spread)) is not None for seed in range(300))
    assert alarms <= 6  # 2 %


def test_rare_outliers_are_no_group() -> None:
    times = lognormal(0, 1000, 0.05)
    times[::50] *= 3  # 2 %
    assert bimodality(times) is None
    assert bimodality(bimodal(0, 99)) is None  # too few
    assert bimodality(np.full(500, 0.01)) is None


def test_other_load_and_frequency_have_thresholds() -> None:
    assert other_load(np.array([0.3, 0.5, np.nan]), 4) is None  # 0.4 of 4 cores
    assert other_load(np.array([0.4, 0.6]), 4) == Unsteady("load", {"busy": 0.5, "cores": 4})
    assert other_load(np.array([np.nan]), 4) is None
    assert frequency(np.array([2000.0, 2150.0])) is None
    assert frequency(np.array([2000.0, 2400.0, np.nan])) == Unsteady(
        "frequency", {"low": 2000.0, "high": 2400.0}
    )
    assert frequency(np.array([2000.0])) is None


def test_every_sign_has_its_sentence() -> None:
    times = drifting(3, 300, 0.5)
    series = LatencySeries(
        1,
        times,
        np.cumsum(times) - times,
        load=LoadTrace(np.array([0.0]), np.array([2.0]), np.array([np.nan]), 4),
        dropped=(DroppedRun(0.1, 0.01, 3600.0),),
        stopped=Note("Out of {what}.", {"what": "room"}),
    )
    kinds = [one.kind for one in series.unsteady]
    assert kinds[0] == "drift"
    assert "load" in kinds
    sentences = [note.text() for note in series.notes]
    assert any("% slower from the first to the last third" in one for one in sentences)
    assert any("other programs kept 2.0 of 4 cores busy" in one for one in sentences)
    assert any("stood still for 3,600 s" in one and "left out: 1" in one for one in sentences)
    assert sentences[-1] == "Out of room."
    faster = unsteady_note(Unsteady("drift", {"change": -0.2})).text()
    assert "20 % faster" in faster
    two = unsteady_note(Unsteady("bimodal", {"low": 0.01, "high": 0.02, "share": 0.3})).text()
    assert "around 10.00 ms and 20.00 ms; 30 %" in two
    assert (
        "2000 and 2400 MHz"
        in unsteady_note(Unsteady("frequency", {"low": 2000.0, "high": 2400.0})).text()
    )
