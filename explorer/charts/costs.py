"""Where parameters, multiply–accumulates and memory go: along the depth and by kind."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.axes import AXES, Axis
from explorer.charts.layers import CostRow, LayerCost, Quantity, layer_costs, reader
from explorer.i18n import N_, _

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "KIND_COLOURS",
    "KIND_TITLES",
    "CostRow",
    "LayerCost",
    "ProfileOptions",
    "Quantity",
    "kind_shares",
    "layer_costs",
    "profile",
    "reader",
]

KIND_TITLES: Mapping[str, str] = {
    "convolution": N_("convolution"),
    "depthwise": N_("depthwise"),
    "linear": N_("linear"),
    "attention": N_("attention"),
    "normalisation": N_("normalisation"),
    "activation": N_("activation"),
    "pooling": N_("pooling"),
    "elementwise": N_("elementwise"),
    "layout": N_("layout"),
    "other": N_("other"),
}
# Okabe & Ito's hues for the kinds that carry cost, greys and browns for the rest.
KIND_COLOURS: Mapping[str, str] = {
    "convolution": "#0072b2",
    "depthwise": "#56b4e9",
    "linear": "#e69f00",
    "attention": "#d55e00",
    "normalisation": "#009e73",
    "activation": "#cc79a7",
    "pooling": "#7b6fd0",
    "elementwise": "#a6761d",
    "layout": "#9aa0a6",
    "other": "#6b6f76",
}


# What a panel under the profile shows: title, unit, how to read it from a layer.
PANELS: Mapping[str, tuple[str, str]] = {
    "channels": (N_("Channels"), ""),
    "side": (N_("Resolution"), N_("pixels a side")),
    "receptive_field": (N_("Receptive field"), N_("pixels of the input")),
    "live_bytes": (N_("Live activations"), N_("MiB")),
}
_PANEL_HEIGHT = 84
_PANEL_COLOUR = "#7b8794"
GHOST_COLOUR = "rgba(128,132,142,0.45)"


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """What a profile shows beside the layers' bars.

    Attributes:
        setting: What the numbers were counted for; "" for one image at the network's own size.
        ghost: Rows of a second network, drawn behind, stretched to the same length.
        ghost_name: Its name.
        panels: Keys of ``PANELS``, drawn below on the same axis.
        chosen: Name of a layer to point at.
        operations: How the cards count work.
    """

    setting: str = ""
    operations: Quantity = "macs"
    ghost: Sequence[CostRow] = ()
    ghost_name: str = ""
    panels: Sequence[str] = ()
    chosen: str = ""


def profile(
    rows: Sequence[CostRow],
    quantity: Quantity = "macs",
    *,
    width: int = 1200,
    height: int = 320,
    options: ProfileOptions | None = None,
) -> go.Figure:
    """One bar a layer along the depth of the network, coloured by kind.

    Shaded bands are the network's blocks; the strip on top changes its shade at every branch of a
    block, so that the branches of an inception module, which run one after the other, stay apart.

    Args:
        rows: In order of execution.
        quantity: What the bars show.
        width: Pixels that the chart will have.
        height: Pixels without the legend and the panels.
        options: What is shown beside the bars.
    """
    options = options or ProfileOptions()
    axis, value = reader(quantity, options.setting)
    total = sum(value(row) for row in rows)
    if not total:
        return _nothing(axis)
    axis = axis.fitting(max(map(value, rows)))
    traces = [*_ghost_bars(rows, axis, value, options), *_kind_bars(rows, axis, value, options)]
    legend = legend_height(len(traces), width)
    below = _PANEL_HEIGHT * len(options.panels)
    bottom = below / (height + below)
    convention = _("of {count} layers, input at the left").format(count=len(rows))
    if options.setting:
        convention = theme.wrap(f"{convention}; {options.setting}", max(30, width // 8))
    names = _band_names(rows, width)
    highest = axis.show(max(map(value, [*rows, *options.ghost])))
    layout: dict[str, Any] = {
        "xaxis": {
            "title": theme.axis_title(_("Layer in order of execution"), _("number"), convention),
            "range": [0.25, len(rows) + 0.75], "showgrid": False,
            "anchor": f"y{len(options.panels) + 1}" if options.panels else "y",
        },
        "yaxis": {
            "title": value_title(axis, height), "domain": [bottom, 1],
            # Names of blocks stand below the upper edge, and no bar behind them.
            "range": [0, highest * (1.12 if names else 1.05)],
        },
        "barmode": "overlay",
        "height": height + below + legend,
        "margin": _margins(width, legend),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
        "hovermode": "closest",
        "shapes": _bands(rows),
        "annotations": [*names, *_pointer(rows, value, axis, options)],
    }  # fmt: skip
    for number, key in enumerate(options.panels):
        top = bottom * (1 - number / len(options.panels)) - 0.045
        low = bottom * (1 - (number + 1) / len(options.panels))
        traces.append(_panel(rows, key, number))
        layout[f"yaxis{number + 2}"] = {
            "domain": [low, max(low + 0.02, top)], "rangemode": "tozero", "nticks": 3,
            "fixedrange": True,
        }  # fmt: skip
        layout["annotations"].append(_panel_title(key, top))
    most = max(rows, key=value)
    alt = _("{title} of {count} layers; the largest is {name} with {share} of the total.").format(
        title=_(axis.title), count=len(rows), name=most.name or _("(top level)"),
        share=f"{100 * value(most) / total:.1f} %",
    )  # fmt: skip
    return theme.figure(traces, layout, alt=alt)


def _kind_bars(
    rows: Sequence[CostRow],
    axis: Axis,
    value: Callable[[CostRow], float],
    options: ProfileOptions,
) -> Iterator[dict[str, Any]]:
    total = sum(value(row) for row in rows)
    for kind, title in KIND_TITLES.items():
        members = [(i, row) for i, row in enumerate(rows) if row.kind == kind and value(row)]
        if members:
            yield {
                "type": "bar",
                "name": _(title),
                "x": [i + 1 for i, _row in members],
                "y": [axis.show(value(row)) for _i, row in members],
                "width": 0.9,
                "marker": {"color": KIND_COLOURS[kind]},
                "customdata": [[row.name] for _i, row in members],
                "hovertext": [
                    _card(row, value(row) / total, options.operations) for _i, row in members
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }


def _ghost_bars(
    rows: Sequence[CostRow],
    axis: Axis,
    value: Callable[[CostRow], float],
    options: ProfileOptions,
) -> Iterator[dict[str, Any]]:
    """The second network's layers, its first and last at the ends of the axis too."""
    if not options.ghost:
        return
    step = len(rows) / len(options.ghost)
    members = [(i, row) for i, row in enumerate(options.ghost) if value(row)]
    name = html.escape(options.ghost_name)
    yield {
        "type": "bar",
        "name": name,
        "x": [0.5 + (i + 0.5) * step for i, _row in members],
        "y": [axis.show(value(row)) for _i, row in members],
        "width": 0.9 * max(step, 1.0),
        "marker": {"color": GHOST_COLOUR},
        "hovertext": [
            f"{name}<br>{html.escape(row.name)}<br>{axis.text(value(row))}" for _i, row in members
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def blocks_of(rows: Sequence[CostRow]) -> list[str]:
    """The block of each row: the first part of its path, or two where one part holds most rows."""
    parts = [row.name.partition("@")[0].split(".") for row in rows]
    first = [path[0] for path in parts]
    opened = {name for name in first if first.count(name) > 0.6 * len(rows)}
    return [".".join(path[:2]) if path[0] in opened else path[0] for path in parts]


def _runs(names: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """(name, first, last) of every stretch of equal names."""
    place = 0
    for name, members in groupby(names):
        length = len(list(members))
        yield name, place, place + length - 1
        place += length


def _margins(width: int, legend: int) -> dict[str, int]:
    """What plotly.js finds by drawing twice; a narrow chart has no pixel to spare for a guess."""
    if width < 600:
        return {"t": 12, "b": theme.BELOW}
    return {"l": theme.BESIDE, "t": 32 + legend, "b": theme.BELOW}


def _bands(rows: Sequence[CostRow]) -> list[dict[str, Any]]:
    blocks = blocks_of(rows)
    shapes = []
    for number, (_name, first, last) in enumerate(_runs(blocks)):
        if number % 2:
            shapes.append(_band(first, last, (0, 1), "rgba(128,132,142,0.10)"))
    branches = [
        f"{block}/{_branch(row.name, block)}" for row, block in zip(rows, blocks, strict=True)
    ]
    for number, (_name, first, last) in enumerate(_runs(branches)):
        shade = "rgba(128,132,142,0.75)" if number % 2 else "rgba(128,132,142,0.3)"
        shapes.append(_band(first, last, (0.985, 1), shade))
    return shapes if len(shapes) <= 500 else shapes[: len(shapes) - len(branches)]


def _branch(name: str, block: str) -> str:
    """The branch of a layer: "Mixed_5b.branch5x5_2.conv" in "Mixed_5b" → "branch5x5"."""
    rest = name.partition("@")[0].removeprefix(block).lstrip(".").split(".")[0]
    return re.sub(r"_\d+\w?$", "", rest)


def _band(first: int, last: int, y: tuple[float, float], colour: str) -> dict[str, Any]:
    return {
        "type": "rect", "layer": "below", "xref": "x", "yref": "y domain",
        "x0": first + 0.5, "x1": last + 1.5, "y0": y[0], "y1": y[1],
        "fillcolor": colour, "line": {"width": 0},
    }  # fmt: skip


def _band_names(rows: Sequence[CostRow], width: int) -> list[dict[str, Any]]:
    """Block names under the strip, where they fit into their band."""
    pixels = (width - 110) / max(1, len(rows))
    notes = []
    for name, first, last in _runs(blocks_of(rows)):
        room = pixels * (last - first + 1)
        label = name.rpartition(".")[2]
        if label and theme.text_width(label, 12) + 6 < room:
            notes.append(
                {"text": html.escape(label), "x": (first + last) / 2 + 1, "xref": "x",
                 "y": 0.975, "yref": "y domain", "yanchor": "top", "showarrow": False,
                 "font": {"size": 12}, "opacity": 0.75, "bgcolor": "rgba(0,0,0,0)"}
            )  # fmt: skip
    return notes


def _pointer(
    rows: Sequence[CostRow], value: Any, axis: Axis, options: ProfileOptions
) -> list[dict[str, Any]]:
    for place, row in enumerate(rows):
        if options.chosen and row.name == options.chosen:
            return [
                {"text": f"<b>{html.escape(row.name)}</b>", "x": place + 1, "xref": "x",
                 "y": axis.show(value(row)), "yref": "y", "showarrow": True, "ax": 0, "ay": -34}
            ]  # fmt: skip
    return []


def _panel(rows: Sequence[CostRow], key: str, number: int) -> dict[str, Any]:
    values = [panel_value(row, key) for row in rows]
    return {
        "type": "scatter",
        "mode": "lines",
        "line": {"shape": "hvh", "width": 1.5, "color": _PANEL_COLOUR},
        "fill": "tozeroy",
        "fillcolor": "rgba(123,135,148,0.25)",
        "x": list(range(1, len(rows) + 1)),
        "y": values,
        "yaxis": f"y{number + 2}",
        "customdata": [[row.name] for row in rows],
        "hovertext": [
            f"<b>{html.escape(row.name) or _('(top level)')}</b><br>{_(PANELS[key][0])}: "
            f"{'–' if shown is None else f'{shown:,.4g}'} {_(PANELS[key][1])}"
            for row, shown in zip(rows, values, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
        "connectgaps": False,
    }


def panel_value(row: CostRow, key: str) -> float | None:
    """What a panel shows of a layer; None where the layer has no such thing."""
    if not isinstance(row, LayerCost):
        return None
    if key == "channels":
        return row.channels or None
    if key == "side":
        return round(sqrt(row.positions), 1) if row.positions else None
    if key == "receptive_field":
        return row.receptive_field
    return row.live_bytes / 2**20


def _panel_title(key: str, top: float) -> dict[str, Any]:
    title, unit = _(PANELS[key][0]), _(PANELS[key][1])
    return {
        "text": f"{title} [{unit}]" if unit else title, "x": 0, "xref": "paper", "y": top,
        "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False,
    }  # fmt: skip


def kind_shares(
    rows: Sequence[CostRow],
    *,
    width: int = 1200,
    height: int = 210,
    operations: Quantity = "macs",
) -> go.Figure:
    """Three stacked bars: which kinds of layer hold parameters, MACs and activation memory.

    Args:
        rows: In any order.
        width: Pixels that the chart will have.
        height: Pixels without the legend.
        operations: How the work is counted.
    """
    quantities: tuple[Quantity, ...] = ("params", operations, "activation_bytes")
    readers = [reader(quantity) for quantity in quantities]
    totals = [sum(value(row) for row in rows) for _axis, value in readers]
    if not any(totals):
        return theme.empty(_("Nothing to share out: no layer has parameters or operations."))
    traces = []
    least = 100 * 40 / (width - 150)  # percent of the axis that a number of 40 px needs
    for kind, title in KIND_TITLES.items():
        parts = [sum(value(row) for row in rows if row.kind == kind) for _axis, value in readers]
        if not any(parts):
            continue
        shares = [100 * part / total if total else 0.0 for part, total in zip(parts, totals)]  # noqa: B905
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": _(title),
                "x": shares,
                "y": [_(axis.title) for axis, _value in readers],
                "width": 0.6,
                "marker": {"color": KIND_COLOURS[kind]},
                "text": [f"{share:.0f} %" if share > least else "" for share in shares],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "textfont": {"color": "#ffffff"},
                "customdata": [
                    [axis.text(part)] for (axis, _value), part in zip(readers, parts, strict=True)
                ],
                "hovertemplate": f"{_(title)}: %{{customdata[0]}} (%{{x:.2f}} %)<extra></extra>",
            }
        )
    layout = {
        "barmode": "stack",
        "xaxis": {
            "title": theme.axis_title(_("Share of the total"), "%"),
            "range": [0, 100], "fixedrange": True,
        },
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False},
        "height": height + legend_height(len(traces), width),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom",
                   "traceorder": "normal"},
        "showlegend": True,
        "dragmode": False,
    }  # fmt: skip
    alt = _("Shares of parameters, multiply–accumulates and activation memory by kind of layer.")
    return theme.figure(traces, layout, alt=alt)


def legend_height(entries: int, width: int) -> int:
    """Pixels that a legend above the plot takes, in rows of entries 150 px wide."""
    columns = max(1, (width - 110) // 150)
    return 24 * -(-entries // columns)


def value_title(axis: Axis, height: int, title: str = "") -> dict[str, Any]:
    """The title of an upright axis, broken into lines that fit a chart of ``height`` pixels."""
    letters = height // 10
    heading = theme.wrap(title or _(axis.title), letters - len(_(axis.unit)) - 3)
    return theme.axis_title(heading, _(axis.unit), theme.wrap(_(axis.convention), letters + 4))


def _card(row: CostRow, share: float, operations: Quantity) -> str:
    name = html.escape(row.name) or _("(top level)")
    lines = [f"<b>{name}</b>", _(KIND_TITLES.get(row.kind, row.kind)), f"{100 * share:.2f} %"]
    shown: tuple[Quantity, ...] = ("params", operations, "activation_bytes")
    for key in shown:
        axis, value = reader(key)
        amount = value(row)
        exact = axis.text(amount) if key == "activation_bytes" else f"{amount:,}"
        lines.append(f"{_(axis.title)}: {exact}")
    if isinstance(row, LayerCost) and row.seconds is not None:
        lines.append(f"{_(AXES['latency'].title)}: {AXES['latency'].text(row.seconds)}")
    return "<br>".join(lines)


def _nothing(axis: Axis) -> go.Figure:
    return theme.empty(
        _("Nothing to draw: no layer has {quantity}.").format(quantity=_(axis.title).lower())
    )
