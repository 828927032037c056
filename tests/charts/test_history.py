"""The timeline: entries in their years, names apart, every arrow from an entry to a later one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from explorer.catalog import history as catalog_history
from explorer.catalog.history import HistoryEntry
from explorer.charts.history import END, assign_lanes, place_of, timeline


@pytest.fixture(scope="module")
def entries() -> tuple[HistoryEntry, ...]:
    load: Any = getattr(catalog_history, "load_history", None) or catalog_history.timeline
    return tuple(load())


@pytest.mark.parametrize("width", [390, 1200])
def test_every_entry_is_a_point_that_carries_its_ids(
    entries: tuple[HistoryEntry, ...], width: int
) -> None:
    fig = timeline(entries, width=width)
    nodes = fig.data[0]
    assert [list(c) for c in nodes.customdata] == [[e.id, e.model_id or ""] for e in entries]
    assert list(nodes.marker.symbol) == [
        "circle" if e.kind == "network" else "diamond" for e in entries
    ]
    arrows = sum(len(entry.builds_on) for entry in entries)
    assert len(fig.layout.shapes) == arrows > 20
    axis = fig.layout.xaxis if width == 1200 else fig.layout.yaxis
    assert "1998" in axis.ticktext


def test_points_stand_at_their_dates(entries: tuple[HistoryEntry, ...]) -> None:
    nodes = timeline(entries).data[0]
    dates = [entry.year + (entry.month - 1) / 12 for entry in entries]
    assert list(nodes.x) == pytest.approx([place_of(date) for date in dates])
    years = [1998, 2005, 2010, 2012, 2014, 2015, 2016, 2016.9, 2018, 2022]
    assert [place_of(y) for y in years] == sorted(place_of(y) for y in years)


@pytest.mark.parametrize("width", [600, 820, 1080, 1400])
def test_names_of_one_lane_do_not_touch(entries: tuple[HistoryEntry, ...], width: int) -> None:
    from explorer.charts import theme

    fig = timeline(entries, width=width)
    unit = place_of(END) / (width - 60)
    boxes: dict[float, list[tuple[float, float]]] = {}
    for note in fig.layout.annotations:
        if note.text:
            lines = note.text.split("<br>")
            half = max(theme.text_width(line) for line in lines) / 2 * unit
            boxes.setdefault(note.y, []).append((note.x - half, note.x + half))
            assert len(lines) <= 3
    for spans in boxes.values():
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(sorted(spans)))


def test_the_chosen_step_has_its_arrows_in_front(entries: tuple[HistoryEntry, ...]) -> None:
    fig = timeline(entries, chosen="resnet")
    later = sum("resnet" in entry.builds_on for entry in entries)
    own = len(next(entry for entry in entries if entry.id == "resnet").builds_on) + later
    assert sum(shape.opacity == 1 for shape in fig.layout.shapes) == own > 8
    assert all(shape.opacity < 0.3 for shape in fig.layout.shapes if shape.opacity != 1)
    assert max(fig.data[0].marker.size) == fig.data[0].marker.size[9] > 19
    assert all(shape.opacity == 0.75 for shape in timeline(entries).layout.shapes)


def test_lanes_hold_spans_apart_and_follow_wishes() -> None:
    spans = [(0.0, 2.0), (1.0, 3.0), (2.5, 4.0), (3.5, 5.0)]
    lanes = assign_lanes(spans, [0, 0, 1, 0])
    assert lanes == [0, 1, 0, 1]  # the third fits lane 0 only: lane 1 is taken until 3.0
    assert assign_lanes([(0, 1), (0, 1), (2, 3)], [0, 0, 1]) == [0, 1, 1]


def test_cards_speak_the_language(entries: tuple[HistoryEntry, ...]) -> None:
    from explorer import i18n

    card = timeline(entries).data[0].hovertext[0]
    assert card.startswith(f"<b>{entries[0].name}</b> (1998)")
    assert entries[0].ideas["en"][0][:30] in card.replace("<br>", "")
    i18n._language.set("zh")
    chinese = entries[0].ideas["zh"][0][:8]
    from unittest.mock import patch

    with patch.object(i18n, "_catalog", lambda code: i18n._gettext.NullTranslations()):
        assert chinese in timeline(entries).data[0].hovertext[0].replace("<br>", "")


def test_no_entries_is_a_sentence() -> None:
    assert timeline([]).layout.annotations[0].text == "The timeline has no entries."
