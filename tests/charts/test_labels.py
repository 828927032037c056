"""Labels: none touches another, none leaves the chart, the same input gives the same picture."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.charts.bubble import (
    PAPER_OPTIONS,
    BubbleRow,
    View,
    _bubbles,
    _margins,
    _view,
)
from explorer.charts.bubble_labels import _point, label_size
from explorer.charts.labels import Box, LabelPoint, Placement, label_box, place_labels


@pytest.mark.parametrize(
    ("width", "height"), [(1200, 700), (1080, 640), (820, 640), (600, 640), (390, 560)]
)
def test_2016_labels_do_not_collide(paper_rows: list[BubbleRow], width: int, height: int) -> None:
    options = dataclasses.replace(PAPER_OPTIONS, width=width, height=height)
    bubbles = _bubbles(paper_rows, options)
    view: View = _view(bubbles, options, _margins(options))
    circles = [_point(bubbles, i, view, label_size(options)) for i in range(len(paper_rows))]
    area = Box(0, 0, view.width, view.height)
    places = place_labels(circles, area)
    boxes = [label_box(c, p) for c, p in zip(circles, places, strict=True) if p is not None]
    assert len(boxes) == 14
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    assert all(box.inside(area) for box in boxes)


circle = st.builds(
    LabelPoint,
    x=st.floats(0, 600),
    y=st.floats(0, 400),
    radius=st.floats(1, 40),
    width=st.floats(10, 120),
    height=st.just(20.0),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(circle, max_size=12))
def test_dropping_leaves_no_collision_and_is_deterministic(circles: list[LabelPoint]) -> None:
    area = Box(0, 0, 600, 400)
    places = place_labels(circles, area, drop=True)
    assert places == place_labels(circles, area, drop=True)
    boxes = [label_box(c, p) for c, p in zip(circles, places, strict=True) if p is not None]
    assert all(box.inside(area) for box in boxes)
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]


def test_a_lone_label_stands_to_the_right_without_a_leader() -> None:
    place = place_labels([LabelPoint(100, 100, 10, 60, 20)], Box(0, 0, 400, 200))[0]
    assert place == Placement(10 + 4 + 30, 0.0, False)  # radius + gap + half the width


def test_a_label_is_left_out_when_the_area_has_no_room() -> None:
    assert place_labels([LabelPoint(10, 10, 5, 60, 20)], Box(0, 0, 30, 30), drop=True) == [None]
    assert place_labels([], Box(0, 0, 30, 30)) == []
