"""Two to four models side by side: costs, predictions, profiles along depth."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.axes import AXES, Axis
from explorer.charts.costs import CostRow, Quantity, legend_height, reader, value_title
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.results import Prediction

_PANELS = ("params", "macs", "activation_bytes", "top1")
_NARROW = 480
_MEDIUM = 1000
_TITLE = 76  # pixels of a panel's title
_TICKS = 34


@dataclass(frozen=True, slots=True)
class CompareEntry:
    """One model of the comparison; None where a number is not known.

    Attributes:
        name: For display.
        params: Trainable parameters.
        macs: Multiply–accumulates, one image.
        activation_bytes: Bytes that all operations write, fp32, one image.
        top1: Percent on ImageNet; leave None for a network of another data set.
        colour: Of this model in every figure; "" for one by its place.
    """

    name: str
    params: float | None = None
    macs: float | None = None
    activation_bytes: float | None = None
    top1: float | None = None
    colour: str = ""


def colour_of(place: int, colours: Sequence[str] = ()) -> str:
    """The colour of a model: its own, else one by its place."""
    given = colours[place] if place < len(colours) else ""
    return given or theme.COLORWAY[place % len(theme.COLORWAY)]


def compare_bars(entries: Sequence[CompareEntry], *, width: int = 1200) -> go.Figure:
    """A panel for each quantity with its own unit, a bar for each model, all bars from zero.

    Args:
        entries: Two to four models.
        width: Pixels that the chart will have; fewer panels stand in a row on a narrow one.
    """
    panels = [key for key in _PANELS if any(_value(entry, key) is not None for entry in entries)]
    if not panels:
        return theme.empty(_("Nothing to compare: choose two models."))
    columns = min(len(panels), 1 if width < _NARROW else 2 if width < _MEDIUM else 4)
    rows = -(-len(panels) // columns)
    layout: dict[str, Any] = {
        "height": 60 + rows * _panel_height(entries) + _TICKS,
        "annotations": [],
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yref": "container", "yanchor": "top"},
        "margin": {"l": 12, "r": 8, "t": 52, "b": 8},
        "barmode": "group",
        "dragmode": False,
    }
    traces: list[dict[str, Any]] = []
    for number, key in enumerate(panels):
        traces += _panel(entries, AXES[key], number)
        layout |= _panel_axes(entries, AXES[key], number, (columns, rows))
        layout["annotations"].append(_panel_title(AXES[key], number, width / columns))
    names = ", ".join(entry.name for entry in entries)
    return theme.figure(traces, layout, alt=_("Costs of {names} side by side.").format(names=names))


def compare_predictions(
    predictions: Sequence[tuple[str, Prediction]],
    *,
    most: int = 0,
    height: int = 0,
    colours: Sequence[str] = (),
) -> go.Figure:
    """What each model gives the classes that any of them ranks among its first.

    A class that a model does not list among its top classes has no bar there, which is not zero.

    Args:
        predictions: (model's name, its prediction), of one image and one set of classes.
        most: First classes of each model; 0 for five of two models, three of more.
        height: Pixels; 0 for as much as the bars need.
        colours: Of the models.
    """
    most = most or (5 if len(predictions) < 3 else 3)
    labels: dict[int, str] = {}
    for rank in range(most):
        for _name, prediction in predictions:
            if rank < len(prediction.top):
                score = prediction.top[rank]
                labels.setdefault(score.index, score.label)
    if not labels:
        return theme.empty(_("No prediction to compare yet."))
    places = {index: place for place, index in enumerate(labels)}
    traces = []
    for number, (name, prediction) in enumerate(predictions):
        scores = [score for score in prediction.top if score.index in places]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": html.escape(name),
                "x": [100 * score.probability for score in scores],
                "y": [places[score.index] for score in scores],
                "marker": {"color": colour_of(number, colours)},
                "text": [f"{100 * score.probability:.1f} %" for score in scores],
                "textposition": "outside",
                "textfont": {"size": 12},
                "constraintext": "none",  # or it shrinks with the bar
                "cliponaxis": False,
                "customdata": [[html.escape(score.label)] for score in scores],
                "hovertemplate": f"{html.escape(name)}<br>%{{customdata[0]}}: %{{x:.3f}} %"
                "<extra></extra>",
                "offsetgroup": str(number),
            }
        )
    count = len(labels)
    layout = {
        "barmode": "group",
        # The upper part of each class's band holds its name.
        "bargap": 0.45,
        "xaxis": {
            "title": theme.axis_title(_("Probability"), "%", _("softmax over all classes")),
            "range": [0, 122], "tickvals": [0, 25, 50, 75, 100], "fixedrange": True,
        },
        "yaxis": {"visible": False, "range": [count - 0.5, -0.6], "fixedrange": True},
        "annotations": [
            {"text": f"<b>{html.escape(label)}</b>", "x": 0, "y": place - 0.28, "xanchor": "left",
             "yanchor": "bottom", "showarrow": False}
            for place, label in enumerate(labels.values())
        ],
        "height": height or 130 + count * (26 + 17 * len(predictions)),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom",
                   "traceorder": "normal"},
        "showlegend": True,
        "dragmode": False,
    }  # fmt: skip
    alt = _("Probabilities that {count} models give to the first classes.").format(
        count=len(predictions)
    )
    return theme.figure(traces, layout, alt=alt)


def compare_profiles(
    models: Sequence[tuple[str, Sequence[CostRow]]],
    quantity: Quantity = "macs",
    *,
    width: int = 1200,
    height: int = 340,
    colours: Sequence[str] = (),
) -> go.Figure:
    """How a quantity adds up along the depth of each network, input at the left.

    Args:
        models: (name, rows in order of execution).
        quantity: What is added up.
        width: Pixels that the chart will have.
        height: Pixels without the legend.
        colours: Of the models.
    """
    axis, value = reader(quantity)
    axis = axis.fitting(max((sum(map(value, rows)) for _name, rows in models), default=0.0))
    traces = []
    for number, (name, rows) in enumerate(models):
        total = 0.0
        xs, ys, cards = [0.0], [0.0], [html.escape(name)]
        for place, row in enumerate(rows, 1):
            total += value(row)
            xs.append(100 * place / len(rows))
            ys.append(axis.show(total))
            cards.append(f"{html.escape(name)}<br>{html.escape(row.name)}: {axis.text(total)}")
        if not total:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": html.escape(name),
                "x": xs,
                "y": ys,
                "line": {
                    "shape": "hv", "width": 3,
                    "color": colour_of(number, colours),
                },
                "hovertext": cards,
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )  # fmt: skip
    if not traces:
        return theme.empty(_("Nothing to compare: choose two models."))
    title = _("{quantity}, added up").format(quantity=_(axis.title))
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Depth"), "%", _("of the layers in order of execution")),
            "range": [0, 100],
        },
        "yaxis": {
            "title": value_title(axis, height, title),
            "rangemode": "tozero",
        },
        "height": height + legend_height(len(traces), width),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
        "hovermode": "closest",
    }
    names = ", ".join(name for name, _rows in models)
    alt = _("{quantity} along the depth of {names}.").format(quantity=_(axis.title), names=names)
    return theme.figure(traces, layout, alt=alt)


def _panel_height(entries: Sequence[CompareEntry]) -> int:
    """Pixels of a panel with its title above and its ticks below."""
    return _TITLE + 40 * len(entries) + _TICKS


def _value(entry: CompareEntry, key: str) -> float | None:
    found: float | None = getattr(entry, key)
    return found


def _panel(entries: Sequence[CompareEntry], axis: Axis, number: int) -> list[dict[str, Any]]:
    suffix = "" if number == 0 else str(number + 1)
    traces = []
    for place, entry in enumerate(entries):
        value = _value(entry, axis.id)
        text = _("not known") if value is None else axis.text(value)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": html.escape(entry.name),
                "legendgroup": str(place),
                "showlegend": number == 0,
                "x": [0 if value is None else axis.show(value)],
                "y": [place],
                "width": 0.62,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "marker": {"color": entry.colour or colour_of(place)},
                "text": [text],
                "textposition": "outside" if value is None else "auto",
                "insidetextanchor": "start",
                "cliponaxis": False,
                "hovertemplate": f"{html.escape(entry.name)}: {text}<extra></extra>",
            }
        )
    return traces


def _panel_axes(
    entries: Sequence[CompareEntry], axis: Axis, number: int, grid: tuple[int, int]
) -> dict[str, Any]:
    columns, rows = grid
    column, row = number % columns, number // columns
    gap = 0.035
    width = (1 - gap * (columns - 1)) / columns
    left = column * (width + gap)
    pixels = _panel_height(entries)
    top = 1 - (row + _TITLE / pixels) / rows
    height = (1 - (_TITLE + _TICKS) / pixels) / rows
    values = [axis.show(v) for entry in entries if (v := _value(entry, axis.id)) is not None]
    right = 100.0 if axis.unit == "%" else max(values) * 1.02 or 1.0
    suffix = "" if number == 0 else str(number + 1)
    return {
        f"xaxis{suffix}": {
            "domain": [left, left + width], "anchor": f"y{suffix}", "range": [0, right],
            "nticks": 4, "fixedrange": True,
        },
        f"yaxis{suffix}": {
            "domain": [max(0.0, top - height), top], "anchor": f"x{suffix}", "visible": False,
            "range": [len(entries) - 0.5, -0.5], "fixedrange": True,
        },
    }  # fmt: skip


def _panel_title(axis: Axis, number: int, pixels: float) -> dict[str, Any]:
    suffix = "" if number == 0 else str(number + 1)
    convention = theme.wrap(_(axis.convention), int(pixels / 7.2) - 3)
    text = f"<b>{_(axis.title)} [{_(axis.unit)}]</b><br>"
    text += f'<span style="font-size:12px">{convention}</span>'
    return {
        "text": text, "x": 0, "y": 1, "xref": f"x{suffix} domain", "yref": f"y{suffix} domain",
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left",
    }  # fmt: skip
