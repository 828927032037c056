"""Medians beside each other: units, intervals, the knee, flags, and sentences for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer.charts.latency_compare import (
    Timed,
    batch_curve,
    history_chart,
    module_bars,
    side_by_side,
)


def texts(fig: Any) -> str:
    return " | ".join(note.text for note in fig.layout.annotations)


@pytest.mark.parametrize("width", [360, 1080])
def test_the_curve_has_time_and_throughput_and_the_knee(width: int) -> None:
    points = [(1, Timed("1", 0.010, 0.009, 0.012)), (4, Timed("4", 0.020)), (8, Timed("8", 0.040))]
    fig = batch_curve(points, 4, width=width)
    assert list(fig.data[0].y) == pytest.approx([10, 20, 40])
    assert list(fig.data[1].y) == pytest.approx([100, 200, 200])
    assert (fig.data[0].error_y.array[0], fig.data[0].error_y.arrayminus[0]) == (
        pytest.approx(2.0), pytest.approx(1.0),
    )  # fmt: skip
    assert [shape.x0 for shape in fig.layout.shapes] == [4, 4]
    assert "knee: 4" in texts(fig)
    assert "[ms]" in fig.layout.yaxis.title.text
    assert "[images/s]" in fig.layout.yaxis2.title.text
    assert not batch_curve(points, None, width=width).layout.shapes
    json.loads(fig.to_json())


def test_bars_are_in_milliseconds_and_names_are_text() -> None:
    fig = side_by_side([Timed("<b>one</b>", 0.003), Timed("two", 0.001)], "Mode")
    assert list(fig.data[0].x) == pytest.approx([3.0, 1.0])
    assert fig.data[0].y[0] == "&lt;b&gt;one&lt;/b&gt;"


def test_parts_have_their_share() -> None:
    fig = module_bars([Timed("stem", 0.003), Timed("head", 0.001)])
    assert list(fig.data[0].text) == ["75.0 %", "25.0 %"]


def test_a_change_is_marked() -> None:
    days = [Timed("2026-01-01T10:00:00+00:00", 0.01), Timed("2026-01-02T10:00:00+00:00", 0.02)]
    marked = Timed(days[1].name, 0.02, flagged=True)
    plain, flagged = history_chart(days), history_chart([days[0], marked])
    assert len(set(plain.data[0].marker.symbol)) == 1
    assert list(flagged.data[0].marker.symbol) == ["circle", "diamond"]


@pytest.mark.parametrize(
    "fig", [batch_curve([], None), side_by_side([], ""), module_bars([]), history_chart([])]
)
def test_nothing_is_a_sentence(fig: Any) -> None:
    assert texts(fig)
