"""Trend, density, arrows and colours of the bubble chart."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from explorer.catalog import CATALOG
from explorer.catalog.paper2016 import load_points
from explorer.charts.bubble import (
    PAPER_OPTIONS,
    BubbleOptions,
    BubbleRow,
    _bubbles,
    _margins,
    _view,
    bubble_chart,
    drawable,
)
from explorer.charts.bubble_extras import fit, trend_of
from explorer.charts.bubble_rows import ghosts, rows_2016, rows_today
from explorer.charts.bubble_traces import COLOURS, OTHER_COLOUR, point_colour, usual_crop


def row(name: str, x: float, y: float, **more: Any) -> BubbleRow:
    values = {"macs": x, "top1": y, "params": 10e6} | more.pop("values", {})
    return BubbleRow(name, name, more.pop("family", "F"), "today", values, **more)


def trace(fig: Any, name: str) -> Any:
    return next(one for one in fig.data if one.name == name)


def test_trend_equals_scipys_regression() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=40)
    y = 3 * x + random.normal(size=40)
    line = fit(x, y)
    known = stats.linregress(x, y)
    assert line is not None
    assert line.slope == pytest.approx(known.slope)
    assert line.intercept == pytest.approx(known.intercept)
    assert line.r2 == pytest.approx(known.rvalue**2)
    reach = stats.t.ppf(0.975, 38) * known.stderr
    assert (line.low, line.high) == pytest.approx((known.slope - reach, known.slope + reach))


@pytest.mark.parametrize("x", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 1.0]])
def test_too_few_places_have_no_trend(x: list[float]) -> None:
    assert fit(np.array(x), np.arange(len(x), dtype=float)) is None


def test_the_trend_is_of_the_axes_as_drawn(paper_rows: list[BubbleRow]) -> None:
    options = dataclasses.replace(PAPER_OPTIONS, paper_look=False, log_x=True, trend=True)
    bubbles = _bubbles(paper_rows, options)
    line = trend_of(bubbles, _view(bubbles, options, _margins(options)))
    known = stats.linregress(np.log10(bubbles.x), bubbles.y)
    assert line is not None
    assert line.slope == pytest.approx(known.slope)  # percent for a tenfold
    drawn = trace(bubble_chart(paper_rows, options), "Trend")
    assert drawn.y[0] == pytest.approx(known.intercept + known.slope * math.log10(drawn.x[0]))
    # The band is narrowest at the mean: t · s · √(1/n) there.
    rest = np.asarray(bubbles.y) - known.intercept - known.slope * np.log10(bubbles.x)
    least = stats.t.ppf(0.975, 12) * math.sqrt(float(np.sum(rest**2)) / 12 / 14)
    band = trace(bubble_chart(paper_rows, options), "95 % confidence of the mean")
    half = (np.array(band.y[:60]) - np.array(band.y[60:][::-1])) / 2
    assert half.min() == pytest.approx(least, rel=0.02)


def test_density_has_its_peak_where_the_rows_are() -> None:
    heap = [row(f"h{i}", 1e9 * 10 ** (i / 500), 70 + i / 50) for i in range(60)]
    alone = [row("far", 1e11, 90.0), row("low", 1e8, 40.0)]
    options = BubbleOptions(x="macs", log_x=True, density=True, labels="none", size="")
    contour = next(t for t in bubble_chart([*heap, *alone], options).data if t.type == "contour")
    z = np.array(contour.z)
    top, across = np.unravel_index(z.argmax(), z.shape)
    assert contour.x[across] == pytest.approx(1.1, rel=0.2)
    assert contour.y[top] == pytest.approx(70.5, abs=1.5)


def test_arrows_lead_from_older_to_newer_weights() -> None:
    rows = rows_today([CATALOG["resnet50"], CATALOG["alexnet"]])
    newer = next(one for one in rows if one.weights == "IMAGENET1K_V2")
    assert newer.follows == "today:resnet50:IMAGENET1K_V1"
    assert [one.follows for one in rows if one.weights == "IMAGENET1K_V1"] == ["", ""]
    drawn = trace(bubble_chart(rows, BubbleOptions(x="macs", arrows=True)), "Older → newer weights")
    # torchvision publishes 76.13 % for the first and 80.858 % for the second weights
    assert list(drawn.y) == [76.13, 80.858, None]
    none = bubble_chart(rows, BubbleOptions(x="macs"))
    assert "Older → newer weights" not in {one.name for one in none.data}


def test_ghosts_follow_their_2016_point_on_the_papers_own_axis() -> None:
    points, _problems = load_points()
    rows = ghosts(points, CATALOG)
    assert {one.follows for one in rows} <= {f"2016:{point.network}" for point in points}
    found = [one for one in rows if one.follows == "2016:ResNet-50"]
    assert {one.weights for one in found} == {"IMAGENET1K_V1", "IMAGENET1K_V2"}
    for one in found:  # plotted 8.21 G-Ops; the network is the same
        assert one.values["canziani_ops"] / 1e9 == pytest.approx(8.21, rel=0.005)
    fig = bubble_chart([*rows_2016(points), *rows], dataclasses.replace(PAPER_OPTIONS, arrows=True))
    drawn = trace(fig, "Older → newer weights")
    ends = list(zip(drawn.x[::3], drawn.y[::3], drawn.x[1::3], drawn.y[1::3], strict=True))
    assert (8.21, 75.99) in [(x, y) for x, y, _a, _b in ends]
    names = [a.text.removesuffix(" †") for a in fig.layout.annotations if a.name]
    assert sorted(names) == sorted(point.network for point in points)  # once each
    hollow = [s for t in fig.data if t.customdata for s in t.marker.symbol]
    assert hollow.count("circle") == 14
    assert hollow.count("circle-open") == len(drawable(rows, PAPER_OPTIONS))


def test_the_library_form_of_a_grouped_network_is_not_its_2016_point() -> None:
    (alexnet,) = (r for r in ghosts(load_points()[0], CATALOG) if r.follows == "2016:AlexNet")
    # torchvision's one-tower AlexNet: 2 · 0.714 GMACs, below the paper's ungrouped 2.26
    assert alexnet.values["canziani_ops"] / 1e9 == pytest.approx(2 * 0.714, rel=0.01)


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_has_a_legend_entry(colour: Any) -> None:
    rows = [
        row("a", 1e9, 70.0, data="in1k", licence="MIT", crop=224, values={"year": 2015.0}),
        row("b", 2e9, 75.0, data="web", licence="", crop=384, values={"year": 2022.0}, family="G"),
        row("c", 3e9, 72.0, family="H"),
    ]
    fig = bubble_chart(rows, BubbleOptions(x="macs", colour=colour, legend=True))
    drawn = [t for t in fig.data if t.customdata]
    assert len({t.name for t in drawn}) == len({point_colour(one, colour) for one in rows})
    assert all(t.showlegend for t in drawn)


def test_what_is_not_known_is_grey() -> None:
    bare = row("c", 3e9, 72.0)
    assert {point_colour(bare, c) for c in COLOURS if c != "family"} == {OTHER_COLOUR}


def test_a_legend_has_an_end() -> None:
    rows = [row(f"r{i}", 1e9 + i, 70.0, family=f"F{i}") for i in range(60)]
    fig = bubble_chart(rows, BubbleOptions(x="macs", legend=True, labels="none"))
    names = [t.name for t in fig.data if t.customdata]
    assert len(names) == 27
    assert "Others" in names


def test_another_crop_has_a_thick_outline() -> None:
    rows = [row("a", 1e9, 70.0, crop=224), row("b", 2e9, 75.0, crop=224),
            row("c", 3e9, 80.0, crop=299), row("d", 4e9, 81.0)]  # fmt: skip
    assert usual_crop(rows) == 224
    fig = bubble_chart(rows, BubbleOptions(x="macs", size=""))
    widths = {c[2]: w for t in fig.data if t.customdata
              for c, w in zip(t.customdata, t.marker.line.width, strict=True)}  # fmt: skip
    assert widths["a"] == widths["b"] == widths["d"] < widths["c"]


@pytest.mark.parametrize("bad", [0.0, -2.0])
def test_a_log_vertical_axis_leaves_out_what_it_cannot_show(bad: float) -> None:
    rows = [row("good", 1e9, 70.0), row("other", 2e9, 60.0), row("bad", 1e9, bad)]
    fig = bubble_chart(rows, BubbleOptions(x="macs", log_y=True, labels="all"))
    assert fig.layout.yaxis.type == "log"
    assert fig.layout.meta["missing"] == 1
    label = next(a for a in fig.layout.annotations if a.text == "good")
    assert label.y == pytest.approx(math.log10(70))
