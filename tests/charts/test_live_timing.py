"""Charts of a running measurement: well-formed, every run in a bar, numbers where they belong."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.charts.latency import TIMES
from explorer.charts.live_timing import DOTS, SQUARE, STYLE, linear, live_charts, powers
from explorer.latency_results import DroppedRun
from explorer.results import LatencySeries


def series(seconds: Any, **more: Any) -> LatencySeries:
    times = np.asarray(seconds, np.float64)
    starts = np.concatenate([[0.0], np.cumsum(times)[:-1]])
    return LatencySeries(1, times, starts, **more)


def panels(of: LatencySeries) -> list[ElementTree.Element]:
    """The three panels; what is no well-formed XML does not get through."""
    return list(ElementTree.fromstring(live_charts(of)))


def path(panel: ElementTree.Element, style: str) -> str:
    found = [one.get("d", "") for one in panel.iter("path") if one.get("class") == style]
    assert len(found) == 1
    return found[0]


def numbers(text: str) -> list[list[int]]:
    return [[int(n) for n in re.findall(r"-?\d+", part)] for part in text.split("M")[1:]]


def test_bars_hold_every_run_and_the_lines_stand_at_the_percentiles() -> None:
    times = np.concatenate([np.linspace(0.010, 0.020, 400), [0.5]])
    histogram = panels(series(times))[0]
    bars = numbers(path(histogram, "bars"))
    # The tallest bar reaches the top, which is the largest count; the rest is in proportion.
    shown = times[:-1] * 1e3
    counts = np.histogram(shown, bins=len(bars))[0]
    drawn = [(SQUARE - top) / SQUARE * counts.max() for _left, _foot, top, _right, _end in bars]
    assert drawn == pytest.approx(counts, abs=counts.max() / SQUARE)
    assert round(sum(drawn)) == pytest.approx(400, abs=1)
    assert numbers(path(histogram, "median")) == [
        [501, 0, SQUARE]
    ]  # the 201st of 401 times: 10 + 200 · 10 / 399 ms
    assert numbers(path(histogram, "p95 dashed")) == [[952, 0, SQUARE]]  # the 381st
    words = "".join(histogram.itertext())
    assert "median 15.0" in words
    assert "1 slower run is beyond the right edge" in words
    assert "Time per batch [ms]" in words


def test_percentiles_begin_where_the_sample_earns_them() -> None:
    middle = panels(series(np.full(250, 0.012)))[1]
    assert len(numbers(path(middle, "p95"))) == 1
    assert not [one for one in middle.iter("path") if one.get("class") == "p99"]  # from 1,000 runs
    first = float(path(middle, "p95")[1:].split(" ")[0])
    assert first > SQUARE * np.log10(199) / np.log10(250)
    assert [part.text for part in middle.iter("span") if part.get("class", "")[:3] == "key"] == [
        "p5", "median", "p95",
    ]  # fmt: skip


def test_the_timeline_shows_drift_thins_and_marks_what_the_machine_slept_through() -> None:
    times = np.linspace(0.001, 0.002, 3 * DOTS)
    line = panels(series(times, dropped=(DroppedRun(1.0, 60.0, 59.9),)))[2]
    dots = numbers(path(line, "dots"))
    assert DOTS // 2 < len(dots) <= DOTS + 2
    assert dots[0][:2] == [0, 500]  # 1 of 2 ms
    assert dots[-1][:2] == [SQUARE, 0]
    assert len([one for one in line.iter("path") if one.get("class") == "p99 dashed"]) == 1
    assert f"of {3 * DOTS:,} runs drawn" in "".join(line.itertext())


@pytest.mark.parametrize("times", [[0.01], [0.01, 0.01], [1e-6] * 30, [0.0, 0.0]])
def test_few_and_equal_times_are_drawn(times: list[float]) -> None:
    drawn = panels(series(times))
    assert len(drawn) == 3
    assert all("nan" not in one.get("d", "") for panel in drawn for one in panel.iter("path"))


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.booleans())
def test_ticks_lie_on_the_axis_in_order_and_are_few(low: float, span: float, whole: bool) -> None:
    axis = linear(low, low + span, whole=whole)
    assert axis.low < axis.high
    assert len(axis.ticks) <= 6
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert all(-1e-6 <= axis.part(tick) <= 1 + 1e-6 for tick in axis.ticks)
    assert len(axis.texts) == len(axis.ticks)


@given(st.integers(1, 2_000_000))
def test_powers_are_evenly_spaced_counts(most: int) -> None:
    axis = powers(most)
    assert axis.part(1) == 0
    assert axis.ticks[0] == 1
    assert all(0 <= axis.part(tick) <= 1 for tick in axis.ticks)


def test_colours_are_those_of_the_finished_charts() -> None:
    assert TIMES in STYLE
