"""The front over the years: hypervolume, frames, the chart of shares."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.catalog import CATALOG
from explorer.charts.bubble import (
    PAPER_OPTIONS,
    TODAY_OPTIONS,
    BubbleOptions,
    BubbleRow,
    bubble_chart,
)
from explorer.charts.bubble_rows import rows_today
from explorer.charts.bubble_years import FIRST, LAST, YEARS, fronts, hypervolume_chart
from explorer.charts.pareto import hypervolume

SIDE = 8
cells = st.lists(st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)), max_size=25)


@given(cells)
def test_hypervolume_equals_the_cells_counted_one_by_one(points: list[tuple[int, int]]) -> None:
    """Unit cell (i, j) is dominated when a point is at or left of it and at or above its top."""
    counted = sum(
        any(x <= i and y >= j + 1 for x, y in points) for i in range(SIDE) for j in range(SIDE)
    )
    found = hypervolume([(float(x), float(y)) for x, y in points], (float(SIDE), 0.0))
    assert found == counted


@given(cells, st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)))
def test_one_point_more_never_dominates_less(
    points: list[tuple[int, int]], more: tuple[int, int]
) -> None:
    reference = (float(SIDE), 0.0)
    floats = [(float(x), float(y)) for x, y in points]
    before = hypervolume(floats, reference)
    assert hypervolume([*floats, (float(more[0]), float(more[1]))], reference) >= before


def row(name: str, x: float, y: float, year: float | None) -> BubbleRow:
    values = {"macs": x * 1e9, "top1": y, "params": 10e6}
    if year is not None:
        values["year"] = year
    return BubbleRow(name, name, "F", "today", values, model=name)


ROWS = [
    row("old", 4, 60, 2012), row("better", 2, 70, 2015), row("large", 8, 80, 2017),
    row("bad", 8, 50, 2014), row("undated", 1, 90, None),
]  # fmt: skip
MACS = BubbleOptions(x="macs", size="")


def test_fronts_year_by_year() -> None:
    x, y = [4.0, 2.0, 8.0, 8.0, 1.0], [60.0, 70.0, 80.0, 50.0, 90.0]
    found = {entry.year: entry for entry in fronts(ROWS, x, y, MACS)}
    assert found[2012].front == (0,)
    assert found[2014].front == (0,)
    assert found[2015].front == (1,)
    assert found[2017].front == (1, 2)
    assert found[LAST].count == 4  # the undated one never counts
    # Box of all rows: x 1…8, y 50…90, area 7 · 40. Only "old": (8 - 4) · (60 - 50).
    assert found[2012].share == pytest.approx(4 * 10 / (7 * 40))
    # "better": (8 - 2) · (70 - 50); "large" stands on the box's edge and adds nothing.
    assert found[2017].share == pytest.approx(6 * 20 / (7 * 40))


def test_axes_without_a_better_end_have_no_front() -> None:
    year = dataclasses.replace(MACS, x="year")
    assert {entry.share for entry in fronts(ROWS[:2], [1, 2], [1, 2], year)} == {None}
    assert "no front" in hypervolume_chart(ROWS, year).layout.annotations[0].text


def test_play_hides_what_was_not_yet_there_and_moves_the_front() -> None:
    options = dataclasses.replace(MACS, pareto=True, play=True, labels="all", until=2014)
    fig = json.loads(bubble_chart(ROWS, options).to_json())
    assert [frame["name"] for frame in fig["frames"]] == [str(year) for year in YEARS]
    points = next(i for i, t in enumerate(fig["data"]) if t.get("customdata"))
    front = next(i for i, t in enumerate(fig["data"]) if t["name"] == "Pareto front")
    ids = [custom[2] for custom in fig["data"][points]["customdata"]]

    def state(frame: dict) -> tuple[set[str], list[float]]:
        by_trace = dict(zip(frame["traces"], frame["data"], strict=True))
        shown = {i for i, x in zip(ids, by_trace[points]["x"], strict=True) if x is not None}
        return shown, by_trace[front]["x"]

    assert state(fig["frames"][2015 - FIRST]) == ({"old", "better", "bad"}, [2.0])
    assert state(fig["frames"][-1]) == ({"old", "better", "bad", "large"}, [2.0, 8.0])
    # It stands at 2014, and the slider says so.
    start = {i for i, x in zip(ids, fig["data"][points]["x"], strict=True) if x is not None}
    assert start == {"old", "bad"}
    assert fig["layout"]["sliders"][0]["active"] == 2014 - FIRST
    names = {a["text"] for a in fig["frames"][0]["layout"]["annotations"]}
    assert "old" in names
    assert "large" not in names
    assert any(text.startswith("<b>2012</b>") for text in names)


def test_without_play_the_chart_carries_no_frames(paper_rows: list[BubbleRow]) -> None:
    assert not bubble_chart(paper_rows, PAPER_OPTIONS).frames


def test_the_shares_of_todays_networks_never_fall() -> None:
    rows = rows_today(CATALOG[m] for m in CATALOG if not m.startswith("timm/"))
    fig = hypervolume_chart(rows, TODAY_OPTIONS)
    shares = list(fig.data[0].y)
    assert list(fig.data[0].x) == list(YEARS)
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 100
