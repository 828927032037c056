"""The legend of areas in the bubble chart's lower right corner, on axes of its own in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.charts.labels import LabelPoint
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.charts.bubble import BubbleOptions, View

# The paper's legend of areas, 5 to 155 million parameters, and one for charts with larger networks.
LEGEND_MILLIONS = (5, 35, 65, 95, 125, 155)
LARGE_LEGEND_MILLIONS = (5, 25, 75, 150, 300, 600)
_LEGEND_GAP = 6.0
_LEGEND_TEXT = 20.0
# Charts narrower than this many pixels are for a phone.
NARROW = 600


@dataclass(frozen=True, slots=True)
class AreaScale:
    """What a bubble's area means.

    Attributes:
        millions: Million parameters of the legend's circles.
        largest: Diameter of its last circle in pixels.
        narrow: Whether the chart is for a phone.
    """

    millions: tuple[int, ...]
    largest: float
    narrow: bool

    @property
    def per_million(self) -> float:
        """Square pixels of diameter per million parameters."""
        return self.largest**2 / self.millions[-1]

    def diameter(self, params: float) -> float:
        """Pixels of a bubble; the area is proportional to the number of parameters."""
        return math.sqrt(params / 1e6 * self.per_million)


def area_scale(options: BubbleOptions, most_params: float) -> AreaScale:
    """The paper's scale while all networks are of its size, else one for larger networks.

    The legend's largest circle is 84 px wide on a chart of 1,200 px.

    Args:
        options: For the chart's width.
        most_params: Parameters of the largest network drawn.
    """
    millions = LEGEND_MILLIONS if most_params <= 160e6 else LARGE_LEGEND_MILLIONS
    return AreaScale(millions, max(26.0, min(84.0, options.width * 0.07)), options.width < NARROW)


def legend_trace(scale: AreaScale) -> dict[str, Any]:
    """The circles that say what areas mean, on axes of their own, in pixels."""
    largest = scale.largest
    step = largest + _LEGEND_GAP
    count = len(scale.millions)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [(i + 0.5) * step for i in range(count)],
        "y": [largest / 2 + _LEGEND_TEXT] * count,
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {
            "size": [millions * scale.per_million for millions in scale.millions],
            "sizemode": "area",
            "sizeref": 2,
            "color": "rgba(138,141,153,0.10)",
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def legend_notes(scale: AreaScale) -> list[dict[str, Any]]:
    """The numbers below the legend's circles, and what they count above the small ones."""
    largest = scale.largest
    step = largest + _LEGEND_GAP
    narrow = scale.narrow
    common = {"xref": "x2", "yref": "y2", "showarrow": False}
    font = {"size": 10 if narrow else 12}
    notes = [
        common | {
            "x": (i + 0.5) * step, "y": _LEGEND_TEXT / 2, "font": font,
            "text": str(millions) if narrow else f"{millions} M",
        }
        for i, millions in enumerate(scale.millions)
    ]  # fmt: skip
    title = common | {
        "x": 0, "y": largest + _LEGEND_TEXT, "xanchor": "left",
        "yanchor": "bottom" if narrow else "top", "text": _("Area: million parameters"),
        "font": font,
    }  # fmt: skip
    return [*notes, title]


def legend_axes(scale: AreaScale, view: View) -> dict[str, Any]:
    """The layout entries of the legend's own axes: one unit is one pixel."""
    width, height = _extent(scale)
    hidden = {"visible": False, "fixedrange": True}
    left, top = max(0.0, 1 - width / view.width), min(1.0, height / view.height)
    return {
        "xaxis2": hidden | {"domain": [left, 1], "anchor": "y2", "range": [0, width]},
        "yaxis2": hidden | {"domain": [0, top], "anchor": "x2", "range": [0, height]},
    }


def legend_obstacles(scale: AreaScale, view: View) -> list[LabelPoint]:
    """The legend's circles in pixels of the plotting area, for names to keep clear of."""
    largest = scale.largest
    width, _height = _extent(scale)
    step = largest + _LEGEND_GAP
    y = largest / 2 + _LEGEND_TEXT
    return [
        LabelPoint(view.width - width + (i + 0.5) * step, y, largest / 2 + _LEGEND_TEXT, 0, 0)
        for i in range(len(scale.millions))
    ]


def _extent(scale: AreaScale) -> tuple[float, float]:
    """Width and height of the legend in pixels."""
    largest = scale.largest
    return len(scale.millions) * (largest + _LEGEND_GAP), largest + _LEGEND_TEXT + 4
