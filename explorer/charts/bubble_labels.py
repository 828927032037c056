"""Which bubbles are named, and where the names stand."""

from __future__ import annotations

import html
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.bubble_legend import NARROW, legend_obstacles
from explorer.charts.labels import Box, LabelPoint, Placement, place_labels

if TYPE_CHECKING:
    from explorer.charts.bubble import BubbleOptions, BubbleRow, Bubbles, View

_MOST_LABELS = 22
_ALL_LABELS = 40
_MOST_OBSTACLES = 250
# A name with this sign has a note below the chart.
NOTED = " †"


def label_annotations(bubbles: Bubbles, view: View, options: BubbleOptions) -> list[dict[str, Any]]:
    """Plotly annotations that name the bubbles, with a leader line where a name stands off."""
    indices = labelled(bubbles, options)
    size = label_size(options)
    points = [_point(bubbles, index, view, size) for index in indices]
    named = set(indices)
    others = [
        _point(bubbles, index, view, size)
        for index in range(len(bubbles.rows))
        # Where circles lie in heaps, no place is free of them, and looking for one takes seconds.
        if index not in named and len(bubbles.rows) <= _MOST_OBSTACLES
    ]
    if options.size == "params":
        others += legend_obstacles(bubbles.scale, view)
    area = Box(2.0, 4.0, view.width - 2.0, view.height)
    places = _places(tuple(points), area, tuple(others), options.labels == "some")
    return [
        _annotation(bubbles, index, place, view, size)
        for index, place in zip(indices, places, strict=True)
        if place is not None
    ]


def labelled(bubbles: Bubbles, options: BubbleOptions) -> list[int]:
    """Which rows get a name: all, or the front and the best of each family while there is room."""
    if options.labels == "none":
        return []
    # Today's weights beside a 2016 point bear its name: the arrow says whose they are.
    named = [i for i, row in enumerate(bubbles.rows) if not row.follows.startswith("2016:")]
    if options.labels == "all" and len(named) <= _ALL_LABELS:
        return named
    best: dict[str, int] = {}
    for index, row in enumerate(bubbles.rows):
        if row.family not in best or bubbles.y[index] > bubbles.y[best[row.family]]:
            best[row.family] = index
    chosen = dict.fromkeys([*best.values(), *bubbles.front])
    opened = [i for i, row in enumerate(bubbles.rows) if row.model == options.highlight != ""]
    most = _MOST_LABELS if options.width >= NARROW else 8
    return list(dict.fromkeys([*opened[:1], *chosen]))[:most]


def name(row: BubbleRow) -> str:
    """What stands beside the bubble."""
    return row.label + (NOTED if row.group == "2016" and row.note else "")


def label_size(options: BubbleOptions) -> int:
    """Font size of a name in pixels."""
    return theme.FONT_SIZE - 1 if options.width >= NARROW else theme.FONT_SIZE - 4


def _point(bubbles: Bubbles, index: int, view: View, size: int) -> LabelPoint:
    x, y = view.pixel(bubbles.x[index], bubbles.y[index])
    width = theme.text_width(name(bubbles.rows[index]), size) + 4
    return LabelPoint(x, y, bubbles.diameters[index] / 2, width, size * 1.3 + 4)


@lru_cache(maxsize=64)
def _places(
    points: tuple[LabelPoint, ...], area: Box, others: tuple[LabelPoint, ...], drop: bool
) -> list[Placement | None]:
    # The search takes up to some 100 ms; the front page asks for the same one again and again.
    return place_labels(points, area, others, drop=drop)


def _annotation(
    bubbles: Bubbles, index: int, place: Placement, view: View, size: int
) -> dict[str, Any]:
    x, y = view.place(bubbles.x[index], bubbles.y[index])
    note: dict[str, Any] = {
        "x": x,
        "y": y,
        "name": html.escape(bubbles.rows[index].id),
        "text": html.escape(name(bubbles.rows[index])),
        "font": {"size": size},
        "borderpad": 0,
    }
    if not place.leader:
        return note | {
            "showarrow": False, "xanchor": "center", "yanchor": "middle",
            "xshift": place.dx, "yshift": place.dy,
        }  # fmt: skip
    return note | {
        "showarrow": True, "ax": place.dx, "ay": -place.dy, "arrowhead": 0, "arrowwidth": 1,
        "standoff": bubbles.diameters[index] / 2,
    }  # fmt: skip
