"""Where parameters, multiply–accumulates and memory go: along depth, by module, by kind."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from explorer.charts import theme
from explorer.charts.axes import AXES, Axis
from explorer.i18n import N_, _

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.graph import LayerGraph, Op

Quantity = Literal["macs", "flops", "params", "activation_bytes"]

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


class CostRow(Protocol):
    """A layer with what it costs; ``explorer.costs`` has such rows, ``layer_costs`` makes them."""

    @property
    def name(self) -> str:
        """Module path ("layer1.0.conv1")."""

    @property
    def kind(self) -> str:
        """One of ``explorer.graph.KINDS``."""

    @property
    def params(self) -> int:
        """Trainable parameters of its own."""

    @property
    def macs(self) -> int:
        """Multiply–accumulates, one image."""

    @property
    def activation_bytes(self) -> int:
        """Bytes that it writes."""


@dataclass(frozen=True, slots=True)
class LayerCost:
    """A ``CostRow`` as data."""

    name: str
    kind: str
    params: int
    macs: int
    activation_bytes: int


def layer_costs(graph: LayerGraph) -> list[LayerCost]:
    """One row for each module call that runs operations itself, in order of execution.

    The sums over all rows are the graph's totals: parameters read in several places count once, at
    the first.

    Args:
        graph: From ``explorer.trace``.
    """
    numel = {p.name: p.tensor.numel for p in graph.parameters if p.trainable and not p.aux}
    by_module: dict[str, list[Op]] = {}
    for op in graph.ops:
        by_module.setdefault(op.module, []).append(op)
    rows = []
    for module, ops in by_module.items():
        names = dict.fromkeys(name for op in ops for name in op.params)
        weight = max(ops, key=lambda op: (op.macs, op.output_bytes))
        rows.append(
            LayerCost(
                name=module,
                kind=weight.kind,
                params=sum(numel.pop(name, 0) for name in names),
                macs=sum(op.macs for op in ops),
                activation_bytes=sum(op.output_bytes for op in ops),
            )
        )
    return rows


def profile(
    rows: Sequence[CostRow], quantity: Quantity = "macs", *, width: int = 1200, height: int = 320
) -> go.Figure:
    """One bar a layer along the depth of the network, coloured by kind.

    Args:
        rows: In order of execution.
        quantity: What the bars show.
        width: Pixels that the chart will have.
        height: Pixels without the legend.
    """
    axis, value = reader(quantity)
    total = sum(value(row) for row in rows)
    if not total:
        return _nothing(axis)
    traces = []
    for kind, title in KIND_TITLES.items():
        members = [(i, row) for i, row in enumerate(rows) if row.kind == kind and value(row)]
        if not members:
            continue
        traces.append(
            {
                "type": "bar",
                "name": _(title),
                "x": [i + 1 for i, _row in members],
                "y": [axis.show(value(row)) for _i, row in members],
                "width": 0.9,
                "marker": {"color": KIND_COLOURS[kind]},
                "customdata": [[row.name] for _i, row in members],
                "hovertext": [_card(row, value(row) / total) for _i, row in members],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    convention = _("of {count} layers, input at the left").format(count=len(rows))
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Layer in order of execution"), _("number"), convention),
            "range": [0.25, len(rows) + 0.75], "showgrid": False,
        },
        "yaxis": {"title": value_title(axis, height), "rangemode": "tozero"},
        "barmode": "overlay",
        "height": height + legend_height(len(traces), width),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
        "hovermode": "closest",
    }  # fmt: skip
    most = max(rows, key=value)
    alt = _("{title} of {count} layers; the largest is {name} with {share} of the total.").format(
        title=_(axis.title), count=len(rows), name=most.name or _("(top level)"),
        share=f"{100 * value(most) / total:.1f} %",
    )  # fmt: skip
    return theme.figure(traces, layout, alt=alt)


def treemap(
    rows: Sequence[CostRow], quantity: Quantity = "params", *, title: str = "", height: int = 460
) -> go.Figure:
    """Nested rectangles by module path; the area is the quantity, the colour the kind.

    Args:
        rows: In any order; names are module paths.
        quantity: What the areas show.
        title: Name of the network, on the outermost rectangle.
        height: Pixels.
    """
    axis, value = reader(quantity)
    total = sum(value(row) for row in rows)
    if not total:
        return _nothing(axis)
    sums: dict[str, float] = {"": 0.0}
    kinds: dict[str, dict[str, float]] = {}
    for row in rows:
        amount = value(row)
        if not amount:
            continue
        # Work of a module that also has children becomes a leaf of its own beside them.
        parts = (*_ancestors(row.name), row.name + "\x00" if row.name else "\x00")
        for part in ("", *parts):
            sums[part] = sums.get(part, 0.0) + amount
            kinds.setdefault(part, {})
            kinds[part][row.kind] = kinds[part].get(row.kind, 0.0) + amount
    ids = list(_only_needed(sums))
    labels = [_leaf(part) if part else html.escape(title or _("network")) for part in ids]
    main = [max(kinds[part], key=lambda kind: kinds[part][kind]) for part in ids]
    trace = {
        "type": "treemap",
        "ids": [_id(part) for part in ids],
        "labels": labels,
        "parents": ["" if not part else _id(_parent(part)) for part in ids],
        "values": [sums[part] for part in ids],
        "branchvalues": "total",
        "customdata": [
            [part.rstrip("\x00"), axis.text(sums[part]), _(KIND_TITLES.get(kind, kind))]
            for part, kind in zip(ids, main, strict=True)
        ],
        "texttemplate": "%{label}<br>%{percentRoot:.1%}",
        "hovertemplate": _(
            "<b>%{customdata[0]}</b><br>%{customdata[1]} (%{percentRoot:.2%})<br>mostly "
            "%{customdata[2]}"
        )
        + "<extra></extra>",
        "marker": {"colors": [KIND_COLOURS.get(kind, "#6b6f76") for kind in main]},
        "textfont": {"color": "#ffffff"},
        "tiling": {"pad": 2},
        "pathbar": {"visible": True, "thickness": 24},
    }
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 28, "b": 0},
        # Names that would be smaller than this are left to the hover card.
        "uniformtext": {"minsize": 11, "mode": "hide"},
    }
    alt = _("{title} by module; the whole is {total}.").format(
        title=_(axis.title), total=axis.text(total)
    )
    return theme.figure([trace], layout, alt=alt)


def kind_shares(rows: Sequence[CostRow], *, width: int = 1200, height: int = 210) -> go.Figure:
    """Three stacked bars: which kinds of layer hold parameters, MACs and activation memory.

    Args:
        rows: In any order.
        width: Pixels that the chart will have.
        height: Pixels without the legend.
    """
    quantities: tuple[Quantity, ...] = ("params", "macs", "activation_bytes")
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


def reader(quantity: Quantity) -> tuple[Axis, Callable[[CostRow], int]]:
    """The axis of a quantity, and how to read it from a row."""
    readers: dict[str, Callable[[CostRow], int]] = {
        "macs": lambda row: row.macs,
        "flops": lambda row: 2 * row.macs,
        "params": lambda row: row.params,
        "activation_bytes": lambda row: row.activation_bytes,
    }
    return AXES[quantity], readers[quantity]


def value_title(axis: Axis, height: int, title: str = "") -> dict[str, Any]:
    """The title of an upright axis, broken into lines that fit a chart of ``height`` pixels."""
    letters = height // 10
    heading = theme.wrap(title or _(axis.title), letters - len(_(axis.unit)) - 3)
    return theme.axis_title(heading, _(axis.unit), theme.wrap(_(axis.convention), letters + 4))


def _card(row: CostRow, share: float) -> str:
    name = html.escape(row.name) or _("(top level)")
    lines = [f"<b>{name}</b>", _(KIND_TITLES.get(row.kind, row.kind)), f"{100 * share:.2f} %"]
    for key, amount in (
        ("params", row.params),
        ("macs", row.macs),
        ("activation_bytes", row.activation_bytes),
    ):
        lines.append(f"{_(AXES[key].title)}: {_exact(key, amount)}")
    return "<br>".join(lines)


def _exact(key: str, amount: int) -> str:
    """A count to the last digit; bytes in MiB."""
    return AXES[key].text(amount) if key == "activation_bytes" else f"{amount:,}"


def _nothing(axis: Axis) -> go.Figure:
    return theme.empty(
        _("Nothing to draw: no layer has {quantity}.").format(quantity=_(axis.title).lower())
    )


def _ancestors(name: str) -> tuple[str, ...]:
    """The path and all paths above it, outermost first; nothing for the top level."""
    parts = name.split(".") if name else []
    return tuple(".".join(parts[: i + 1]) for i in range(len(parts)))


def _only_needed(sums: Mapping[str, float]) -> list[str]:
    """The tree without own-work leaves of modules that have no other child."""
    children: dict[str, int] = {}
    for part in sums:
        if part:
            children[_parent(part)] = children.get(_parent(part), 0) + 1
    return [part for part in sums if not (part.endswith("\x00") and children[_parent(part)] == 1)]


def _parent(part: str) -> str:
    if part.endswith("\x00"):
        return part[:-1]
    return part.rpartition(".")[0]


def _leaf(part: str) -> str:
    name = part.rstrip("\x00")
    return html.escape(name.rpartition(".")[2]) if not part.endswith("\x00") else _("(itself)")


def _id(part: str) -> str:
    return "root/" + part.replace("\x00", "/itself")
