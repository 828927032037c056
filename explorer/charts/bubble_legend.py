"""The legend of areas in the bubble chart's lower right corner, on axes of its own in pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from explorer.charts.labels import LabelPoint
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.charts.bubble import BubbleOptions, View

# The paper's legend of areas, 5 to 155 million parameters.
LEGEND_MILLIONS = (5, 35, 65, 95, 125, 155)
_LEGEND_GAP = 6.0
_LEGEND_TEXT = 20.0
# Charts narrower than this many pixels are for a phone.
NARROW = 600


def area_scale(options: BubbleOptions) -> float:
    """Square pixels of a bubble (diameter squared) per million parameters.

    155 million parameters, the largest circle of the paper's legend, are 84 px wide on a chart of
    1,200 px, and a twelfth of the width on a smaller one.
    """
    largest = max(26.0, min(84.0, options.width * 0.07))
    return largest**2 / LEGEND_MILLIONS[-1]


def legend_trace(options: BubbleOptions) -> dict[str, Any]:
    """The paper's circles for 5 to 155 million parameters, on axes of their own, in pixels."""
    largest = _largest_diameter(options)
    step = largest + _LEGEND_GAP
    count = len(LEGEND_MILLIONS)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [(i + 0.5) * step for i in range(count)],
        "y": [largest / 2 + _LEGEND_TEXT] * count,
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {
            "size": [millions * area_scale(options) for millions in LEGEND_MILLIONS],
            "sizemode": "area",
            "sizeref": 2,
            "color": "rgba(138,141,153,0.10)",
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def legend_notes(options: BubbleOptions) -> list[dict[str, Any]]:
    """The numbers below the legend's circles, and what they count above the small ones."""
    largest = _largest_diameter(options)
    step = largest + _LEGEND_GAP
    narrow = options.width < NARROW
    common = {"xref": "x2", "yref": "y2", "showarrow": False}
    font = {"size": 10 if narrow else 12}
    notes = [
        common | {
            "x": (i + 0.5) * step, "y": _LEGEND_TEXT / 2, "font": font,
            "text": str(millions) if narrow else f"{millions} M",
        }
        for i, millions in enumerate(LEGEND_MILLIONS)
    ]  # fmt: skip
    title = common | {
        "x": 0, "y": largest + _LEGEND_TEXT, "xanchor": "left",
        "yanchor": "bottom" if narrow else "top", "text": _("Area: million parameters"),
        "font": font,
    }  # fmt: skip
    return [*notes, title]


def _largest_diameter(options: BubbleOptions) -> float:
    """Pixels of the legend's largest circle."""
    return math.sqrt(LEGEND_MILLIONS[-1] * area_scale(options))


def legend_axes(options: BubbleOptions, view: View) -> dict[str, Any]:
    """The layout entries of the legend's own axes: one unit is one pixel."""
    width, height = _extent(options)
    hidden = {"visible": False, "fixedrange": True}
    left, top = max(0.0, 1 - width / view.width), min(1.0, height / view.height)
    return {
        "xaxis2": hidden | {"domain": [left, 1], "anchor": "y2", "range": [0, width]},
        "yaxis2": hidden | {"domain": [0, top], "anchor": "x2", "range": [0, height]},
    }


def legend_obstacles(options: BubbleOptions, view: View) -> list[LabelPoint]:
    """The legend's circles in pixels of the plotting area, for names to keep clear of."""
    largest = _largest_diameter(options)
    width, _height = _extent(options)
    step = largest + _LEGEND_GAP
    y = largest / 2 + _LEGEND_TEXT
    return [
        LabelPoint(view.width - width + (i + 0.5) * step, y, largest / 2 + _LEGEND_TEXT, 0, 0)
        for i in range(len(LEGEND_MILLIONS))
    ]


def _extent(options: BubbleOptions) -> tuple[float, float]:
    """Width and height of the legend in pixels."""
    largest = _largest_diameter(options)
    return len(LEGEND_MILLIONS) * (largest + _LEGEND_GAP), largest + _LEGEND_TEXT + 4
