"""The paper's axes: what is on them, what is joined, and a sentence where a number is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer.charts.paper_repeated import FIGURES, paper_figure
from explorer.findings import Point, hyperbola

POINTS = [
    Point(
        f"Net {i}", batch, 0.01 * (i + 1) / (1 + 0.1 * batch), macs=1e9 * (i + 1),
        params=2e6 * (i + 1), top1=60 + 10 * (1 - 1 / (i + 1)), peak_bytes=2**20 * batch,
        watts=10.0, joules=0.1, family="ResNet" if i % 2 else "VGG",
    )
    for i in range(10)
    for batch in (1, 4)
]  # fmt: skip
ONE = [point for point in POINTS if point.batch_size == 1]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_every_network(name: str) -> None:
    figure = FIGURES[name]
    fig = paper_figure(figure, POINTS if figure.lines else ONE)
    assert {trace.name for trace in fig.data} == {f"Net {i}" for i in range(10)}
    assert all(len(trace.x) == (2 if figure.lines else 1) for trace in fig.data)
    assert ("[" in fig.layout.xaxis.title.text) is (figure.x.title != "Images per batch")
    json.loads(fig.to_json())


def test_values_are_in_the_units_of_the_axes() -> None:
    fig = paper_figure(FIGURES["time-batch"], POINTS)
    # 10 ms · 1 / 1.1 at batch 1
    assert fig.data[0].x[0] == 1
    assert fig.data[0].y[0] == pytest.approx(10 / 1.1)
    fig = paper_figure(FIGURES["memory-params"], ONE)
    assert (fig.data[0].x[0], fig.data[0].y[0]) == (pytest.approx(2.0), pytest.approx(1.0))
    fig = paper_figure(FIGURES["accuracy-rate"], ONE)
    assert fig.data[0].x[0] == pytest.approx(110.0)


def test_the_hyperbola_stands_on_its_axes_only() -> None:
    curve = hyperbola(ONE).curve
    names = lambda fig: [trace.name for trace in fig.data]  # noqa: E731
    assert "hyperbola" in names(paper_figure(FIGURES["accuracy-time"], ONE, curve=curve))
    assert "hyperbola" not in names(paper_figure(FIGURES["accuracy-rate"], ONE, curve=curve))


def test_networks_of_a_family_are_told_apart() -> None:
    fig: Any = paper_figure(FIGURES["operations-time"], ONE)
    looks = {(trace.marker.color, trace.marker.symbol) for trace in fig.data}
    assert len(looks) == 10


def test_a_machine_without_power_says_so() -> None:
    silent = [Point("a", 1, 0.01, macs=1e9)]
    for name in ("power-batch", "operations-power"):
        fig = paper_figure(FIGURES[name], silent)
        assert "power" in fig.layout.annotations[0].text
