"""Latency charts: bars hold every run, percentiles only where the sample earns them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from explorer.charts.latency import latency_histogram, latency_timeline
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
    assert latency_timeline(series(np.full(4000, 0.01))).data[0].type == "scattergl"


def test_no_runs_yet_is_a_sentence() -> None:
    for draw in (latency_histogram, latency_timeline):
        assert "Nothing measured yet" in texts(draw(series([])))
