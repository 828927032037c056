"""The bubble chart: accuracy against cost, area proportional to parameters.

The form is figure 2 of Canziani, Paszke & Culurciello 2016 (arXiv:1605.07678).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from explorer.charts import theme
from explorer.charts.axes import ACCURACIES, AXES, Axis
from explorer.charts.bubble_extras import (
    arrow_trace,
    density_trace,
    front_trace,
    ring_trace,
    trend_traces,
)
from explorer.charts.bubble_labels import label_annotations
from explorer.charts.bubble_legend import (
    NARROW,
    AreaScale,
    area_scale,
    legend_axes,
    legend_notes,
    legend_trace,
)
from explorer.charts.bubble_traces import ColourBy, group_traces
from explorer.charts.pareto import pareto_front
from explorer.i18n import _, ngettext

if TYPE_CHECKING:
    import plotly.graph_objects as go

Group = Literal["2016", "today", "measured"]


@dataclass(frozen=True, slots=True)
class BubbleRow:
    """One bubble.

    Attributes:
        id: Unique in the chart.
        label: Short name beside the bubble.
        family: Decides the colour when ``colour`` is "".
        group: "2016" (the paper's plotted values), "today" (published) or "measured" (here).
        values: Base units by key of ``AXES``: counts, percent, seconds, bytes.
        model: Catalog id that a click opens; "" where the network is not in the catalog.
        weights: Weights id; "" where there is none.
        dataset: What the accuracy was measured on; only "imagenet" goes on an accuracy axis.
        colour: "#rrggbb", or "" for the family's.
        hover: (name, value) lines of the card, translated.
        note: A sentence at the foot of the card, translated.
        licence: Of the weights; "" where the publisher states none.
        data: What the weights were trained on, a key of ``catalog.pretraining.LABELS``.
        crop: Side in pixels of the crop that the accuracy is for; 0 where unknown.
        follows: Id of the row that an arrow comes from: older weights, the 2016 point.
    """

    id: str
    label: str
    family: str
    group: Group
    values: Mapping[str, float] = field(hash=False)
    model: str = ""
    weights: str = ""
    dataset: str = "imagenet"
    colour: str = ""
    hover: tuple[tuple[str, str], ...] = ()
    note: str = ""
    licence: str = ""
    data: str = ""
    crop: int = 0
    follows: str = ""


@dataclass(frozen=True, slots=True)
class BubbleOptions:
    """How the chart is drawn.

    Attributes:
        x: Key of ``AXES``.
        y: Key of ``AXES``.
        size: Key of ``AXES`` that the area is proportional to; "" for equal bubbles.
        log_x: Logarithmic x axis; values ≤ 0 are left out and counted.
        log_y: Likewise for y.
        colour: What a colour stands for.
        pareto: Draw the front of rows that no other row beats on both axes.
        labels: "all", "some" (the front and each family's best, where there is room) or "none".
        paper_look: The 2016 figure's ranges: 0–40 G-Ops, 50–80 %.
        legend: Show the families as a legend.
        highlight: Catalog id of the model that is open, drawn with a ring; "" for none.
        arrows: From a row to the row that it ``follows``.
        trend: The least-squares line of y on x as drawn, with its 95 % confidence band.
        density: Shades where many rows lie.
        play: A slider and a button that show the years one after another.
        until: Year that play stands at.
        width: Pixels that the chart will have, for sizes and label places.
        height: Pixels, likewise.
    """

    x: str = "flops"
    y: str = "top1"
    size: str = "params"
    log_x: bool = False
    log_y: bool = False
    colour: ColourBy = "family"
    pareto: bool = False
    labels: Literal["all", "some", "none"] = "all"
    paper_look: bool = False
    legend: bool = False
    highlight: str = ""
    arrows: bool = False
    trend: bool = False
    density: bool = False
    play: bool = False
    until: int = 2026
    width: int = 1200
    height: int = 700


PAPER_OPTIONS = BubbleOptions(x="canziani_ops", paper_look=True)
TODAY_OPTIONS = BubbleOptions(x="macs", log_x=True, labels="some", legend=True, pareto=True)


@dataclass(frozen=True, slots=True)
class Margins:
    """Pixels around the plotting area, fixed so that label places are known beforehand."""

    left: int = 76
    right: int = 20
    top: int = 28
    bottom: int = 84


@dataclass(frozen=True, slots=True)
class View:
    """The axes as drawn; ranges in shown units, exponents where logarithmic.

    Attributes:
        x_range: Left and right end.
        y_range: Bottom and top end.
        log_x: Whether ``x_range`` holds powers of ten.
        log_y: Whether ``y_range`` does.
        width: Of the plotting area in pixels.
        height: Of the plotting area in pixels.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    log_x: bool
    width: float
    height: float
    log_y: bool = False

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where a point in shown units is drawn: pixels from the lower left corner."""
        x, y = self.place(x, y)
        return (
            (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0]) * self.width,
            (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0]) * self.height,
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The point on the axes' own scales, as annotations want it."""
        return (math.log10(x) if self.log_x else x, math.log10(y) if self.log_y else y)


@dataclass(frozen=True, slots=True)
class Bubbles:
    """Rows that can be drawn, with their places in shown units and diameters in pixels."""

    rows: tuple[BubbleRow, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    diameters: tuple[float, ...]
    scale: AreaScale
    front: tuple[int, ...] = field(default=())


def bubble_chart(rows: Sequence[BubbleRow], options: BubbleOptions) -> go.Figure:
    """Draws the rows; ``customdata`` of a point is [model, weights, row id, group].

    Args:
        rows: What to draw, of any group; see ``bubble_rows``.
        options: Axes and looks.

    Returns:
        The figure. Rows without a value on an axis are left out and their number is written above
        the plot (and in ``layout.meta["missing"]``).

    Raises:
        KeyError: An axis is not in ``AXES``.
    """
    x_axis, y_axis = AXES[options.x], AXES[options.y]
    drawn = drawable(rows, options)
    missing = len(rows) - len(drawn)
    if not drawn:
        return theme.empty(_empty_sentence(rows, x_axis, y_axis), height=options.height // 2)
    bubbles = _bubbles(drawn, options)
    margins = _margins(options)
    view = _view(bubbles, options, margins)
    traces = _below(bubbles, view, options) + group_traces(bubbles, options)
    if options.arrows and (arrows := arrow_trace(bubbles)):
        traces.append(arrows)
    highlighted = [
        i for i, row in enumerate(drawn) if options.highlight and row.model == options.highlight
    ]
    if highlighted and not options.play:
        traces.append(ring_trace(bubbles, highlighted))
    if options.size == "params":
        traces.append(legend_trace(bubbles.scale))
    layout = _layout(view, options, margins)
    layout["annotations"] = label_annotations(bubbles, view, options) + _missing_note(missing, view)
    if options.size == "params":
        layout["annotations"] += legend_notes(bubbles.scale)
        layout |= legend_axes(bubbles.scale, view)
    layout["meta"] = {"missing": missing}
    figure = theme.figure(traces, layout, alt=_alt(bubbles, x_axis, y_axis))
    if options.play:
        from explorer.charts.bubble_years import add_years  # only here: heavier than the chart

        add_years(figure, bubbles, view, options)
    return figure


def drawable(rows: Sequence[BubbleRow], options: BubbleOptions) -> list[BubbleRow]:
    """The rows that have a place on the axes of ``options``."""
    return [row for row in rows if _has_place(row, options)]


def _below(bubbles: Bubbles, view: View, options: BubbleOptions) -> list[dict[str, Any]]:
    """What lies under the bubbles: density, trend, front."""
    found: list[dict[str, Any]] = []
    if options.density and not options.play:
        found += density_trace(bubbles, view)
    if options.trend and not options.play:
        found += trend_traces(bubbles, view)
    if options.pareto and (len(bubbles.front) > 1 or options.play):
        found.append(front_trace(bubbles, bubbles.front))
    return found


def _has_place(row: BubbleRow, options: BubbleOptions) -> bool:
    if row.dataset != "imagenet" and ACCURACIES & {options.x, options.y}:
        return False
    x, y = row.values.get(options.x), row.values.get(options.y)
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
        return False
    return (x > 0 or not options.log_x) and (y > 0 or not options.log_y)


def _bubbles(rows: Sequence[BubbleRow], options: BubbleOptions) -> Bubbles:
    x_axis, y_axis = AXES[options.x], AXES[options.y]
    x = tuple(x_axis.show(row.values[options.x]) for row in rows)
    y = tuple(y_axis.show(row.values[options.y]) for row in rows)
    front: list[int] = []
    if x_axis.better and y_axis.better:
        front = pareto_front(cost_and_merit(x, y, options))
    scale = area_scale(options, max(row.values.get("params", 0.0) for row in rows))
    diameters = _diameters(rows, options.size, scale)
    return Bubbles(tuple(rows), x, y, diameters, scale, tuple(front))


def cost_and_merit(
    x: Sequence[float], y: Sequence[float], options: BubbleOptions
) -> list[tuple[float, float]]:
    """(x, y) turned so that a small first and a large second number are good."""
    sign_x = -1 if AXES[options.x].better == "high" else 1
    sign_y = -1 if AXES[options.y].better == "low" else 1
    return [(sign_x * a, sign_y * b) for a, b in zip(x, y, strict=True)]


def _diameters(rows: Sequence[BubbleRow], key: str, scale: AreaScale) -> tuple[float, ...]:
    """Pixels; areas are proportional to the values, rows without one get a small dot."""
    if not key:
        return (14.0,) * len(rows)
    values = [max(row.values.get(key, 0.0), 0.0) for row in rows]
    if key == "params":
        return tuple(scale.diameter(value) if value else 6.0 for value in values)
    most = max(values) or 1.0
    return tuple(scale.largest * math.sqrt(value / most) if value else 6.0 for value in values)


def _margins(options: BubbleOptions) -> Margins:
    if options.width < NARROW:
        return Margins(left=62, right=10, top=40, bottom=112 + (80 if options.play else 0))
    bottom = 84 + (78 if options.play else 0)
    return Margins(right=200 if options.legend else 20, bottom=bottom)


def _view(bubbles: Bubbles, options: BubbleOptions, margins: Margins) -> View:
    width = options.width - margins.left - margins.right
    height = options.height - margins.top - margins.bottom
    if options.paper_look:
        # The paper's 0–40 and 50–80, widened so that no circle is cut at the edge.
        top = 83.0 if all(row.group == "2016" for row in bubbles.rows) else 85.0
        return View((-1.6, 43.5), (50.0, top), False, width, height)
    xs = [math.log10(x) for x in bubbles.x] if options.log_x else list(bubbles.x)
    ys = [math.log10(y) for y in bubbles.y] if options.log_y else list(bubbles.y)
    radii = [diameter / 2 + 6 for diameter in bubbles.diameters]
    foot = bubbles.scale.largest if options.size == "params" else 0.0
    return View(
        _fitted(xs, radii, width), _fitted(ys, radii, height, foot), options.log_x,
        width, height, options.log_y,
    )  # fmt: skip


def _fitted(
    values: Sequence[float], radii: Sequence[float], pixels: float, foot: float = 0.0
) -> tuple[float, float]:
    """The range on which no circle is cut, with ``foot`` pixels more at the lower end.

    The room that a radius takes depends on the range itself; a few rounds settle it.
    """
    low, high = min(values), max(values)
    if high == low:
        return low - (abs(low) or 1.0) * 0.1, high + (abs(high) or 1.0) * 0.1
    for _round in range(8):
        unit = (high - low) / pixels
        low = min(v - r * unit for v, r in zip(values, radii, strict=True)) - foot * unit
        high = max(v + r * unit for v, r in zip(values, radii, strict=True))
    return low, high


def _layout(view: View, options: BubbleOptions, margins: Margins) -> dict[str, Any]:
    x_axis, y_axis = AXES[options.x], AXES[options.y]
    x: dict[str, Any] = {
        "title": x_axis.layout(view.width),
        "range": list(view.x_range),
        "automargin": False,
    }
    y: dict[str, Any] = {
        "title": y_axis.layout(view.height),
        "range": list(view.y_range),
        "automargin": False,
    }
    if view.log_x:
        x |= {"type": "log", "dtick": "D2" if view.x_range[1] - view.x_range[0] < 2.5 else 1}
    if view.log_y:
        y |= {"type": "log", "dtick": "D2" if view.y_range[1] - view.y_range[0] < 2.5 else 1}
    if options.paper_look:
        x |= {"dtick": 5 if options.width >= NARROW else 10, "tick0": 0, "zeroline": False}
        y |= {"dtick": 5, "tick0": 50}
    layout: dict[str, Any] = {
        "xaxis": x,
        "yaxis": y,
        "height": options.height,
        "margin": {"l": margins.left, "r": margins.right, "t": margins.top, "b": margins.bottom},
        "hovermode": "closest",
        "dragmode": "zoom" if options.width >= NARROW else False,
        "showlegend": options.legend and options.width >= NARROW,
        "legend": {
            "x": 1.01,
            "y": 1,
            "xanchor": "left",
            "yanchor": "top",
            "itemsizing": "constant",
        },
        # The view stays when only the highlight or the language changes.
        "uirevision": f"{options.x}|{options.y}|{options.log_x}|{options.log_y}|"
        f"{options.paper_look}",
    }
    return layout


def _missing_note(missing: int, view: View) -> list[dict[str, Any]]:
    if not missing:
        return []
    sentence = ngettext(
        "{count} network has no value on these axes and is not drawn.",
        "{count} networks have no value on these axes and are not drawn.",
        missing,
    ).format(count=missing)
    note = {
        "text": theme.wrap(sentence, int(view.width / 6.5)),
        "x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "bottom", "showarrow": False, "font": {"size": theme.SMALL_FONT_SIZE},
    }  # fmt: skip
    return [note]


def _empty_sentence(rows: Sequence[BubbleRow], x: Axis, y: Axis) -> str:
    if not rows:
        return _("Nothing to draw: no network matches; widen the filters.")
    return _(
        "Nothing to draw: none of the {count} networks has a value for both {x} and {y}; "
        "choose other axes."
    ).format(count=len(rows), x=_(x.title), y=_(y.title))


def _alt(bubbles: Bubbles, x: Axis, y: Axis) -> str:
    best = max(range(len(bubbles.rows)), key=lambda i: bubbles.y[i])
    return _(
        "Bubble chart of {count} networks: {y} against {x}; the highest is {best} at {value}."
    ).format(
        count=len(bubbles.rows),
        x=_(x.title),
        y=_(y.title),
        best=bubbles.rows[best].label,
        value=y.text(bubbles.y[best] * y.scale),
    )
