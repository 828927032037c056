"""Latency charts: bars hold every run, percentiles only where the sample earns them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from explorer.charts.latency import (
    MOST_DOTS,
    extremes,
    latency_histogram,
    latency_timeline,
    running_percentiles,
)
from explorer.latency_results import DroppedRun
from explorer.results import LatencySeries


def series(seconds: Any, batch: int = 1) -> LatencySeries:
    times = np.asarray(seconds, np.float64)
    starts = np.concatenate([[0.0], np.cumsum(times)[:-1]]) if times.size else times
    return LatencySeries(batch, times, starts)


def texts(fig: Any) -> str:
    return " | ".join(note.text for note in fig.layout.annotations)


def test_bars_count_every_run_and_lines_stand_at_the_percentiles() -> None:
    times = np.linspace(0.010, 0.020, 400)
    fig = latency_histogram(series(times, batch=8))
    assert sum(fig.data[0].y) == 400
    # Linear from 10 to 20 ms: the median is 15 ms, the 95th percentile 19.5 ms.
    assert [shape.x0 for shape in fig.layout.shapes] == pytest.approx([15.0, 19.5])
    assert "median 15.00 ms" in texts(fig)
    assert "p95 19.50 ms" in texts(fig)
    assert "[ms]" in fig.layout.xaxis.title.text
    assert "8 images" in fig.layout.xaxis.title.text
    json.loads(fig.to_json())


def test_a_p95_that_is_not_earned_is_said_and_not_drawn() -> None:
    fig = latency_histogram(series(np.linspace(0.01, 0.02, 199)))
    assert len(fig.layout.shapes) == 1
    assert "p95: not enough runs (199 of 200)" in texts(fig)
    assert len(latency_histogram(series(np.linspace(0.01, 0.02, 200))).layout.shapes) == 2


def test_far_outliers_are_counted_instead_of_squeezing_the_bars() -> None:
    times = [*np.linspace(0.010, 0.011, 100), 0.5, 0.6]
    fig = latency_histogram(series(times))
    assert sum(fig.data[0].y) == 100
    assert "2 slower runs are beyond the right edge" in texts(fig)
    assert fig.layout.xaxis.range[1] < 12


@pytest.mark.parametrize("times", [[0.01], [0.01] * 50])
def test_equal_times_make_a_chart(times: list[float]) -> None:
    fig = latency_histogram(series(times))
    assert sum(fig.data[0].y) == len(times)


def test_the_timeline_keeps_order_and_every_run() -> None:
    fig = latency_timeline(series([0.01, 0.03, 0.02]))
    assert list(fig.data[0].y) == pytest.approx([10.0, 30.0, 20.0])
    assert list(fig.data[0].x) == pytest.approx([0.0, 0.01, 0.04])
    assert fig.layout.shapes[0].y0 == pytest.approx(20.0)


def test_no_runs_yet_is_a_sentence() -> None:
    for draw in (latency_histogram, latency_timeline, running_percentiles):
        assert "Nothing measured yet" in texts(draw(series([])))


def test_of_many_runs_the_extremes_are_drawn_and_that_is_said() -> None:
    times = np.full(50_000, 0.010)
    times[31_234], times[7] = 0.5, 0.001
    fig = latency_timeline(series(times))
    assert len(fig.data[0].y) <= MOST_DOTS + 2
    assert (max(fig.data[0].y), min(fig.data[0].y)) == (500.0, 1.0)
    assert "of 50,000 runs drawn" in texts(fig)
    assert list(extremes(np.arange(10.0))) == list(range(10))


def test_runs_that_were_slept_through_are_marked() -> None:
    found = series([0.01] * 5)
    slept = LatencySeries(1, found.seconds, found.starts, dropped=(DroppedRun(0.02, 9.0, 8.9),))
    lines = [shape.x0 for shape in latency_timeline(slept).layout.shapes]
    assert 0.02 in lines


def test_running_percentiles_end_at_those_of_the_sample() -> None:
    times = np.random.default_rng(0).lognormal(-4.6, 0.2, 1500)
    fig = running_percentiles(series(times))
    ends = {trace.name: (trace.x[-1], trace.y[-1]) for trace in fig.data}
    assert set(ends) == {"p5", "median", "p95", "p99"}
    for name, q in (("p5", 5), ("median", 50), ("p95", 95), ("p99", 99)):
        assert ends[name] == (1500, pytest.approx(1e3 * np.percentile(times, q)))
    starts = {trace.name: trace.x[0] for trace in fig.data}
    # Ten runs beyond: 200 for p95, 1,000 for p99.
    assert starts["median"] == 1
    assert starts["p95"] >= 200
    assert starts["p99"] >= 1000
    assert {trace.name for trace in running_percentiles(series(times[:150])).data} == {"median"}
