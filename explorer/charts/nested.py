"""Costs by module path as nested areas: treemap, sunburst, icicle."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING, Any, Literal

from explorer.charts import theme
from explorer.charts.costs import KIND_COLOURS, KIND_TITLES
from explorer.charts.layers import CostRow, Quantity, reader
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

Form = Literal["treemap", "sunburst", "icicle"]
FORMS: tuple[Form, ...] = ("treemap", "sunburst", "icicle")
# White names stay readable on all of it (4.5 : 1 at least).
_SCALE = [[0.0, "#0b4f7d"], [0.5, "#6b6f76"], [1.0, "#b8480a"]]
_DECADES = 1.5


@dataclass(frozen=True, slots=True)
class NestedOptions:
    """How the areas look.

    Attributes:
        form: Which chart.
        colour: "kind", or a quantity: its amount for the area, beside the network's average.
        title: Name of the network.
        setting: What the numbers were counted for; "" for one image at the network's own size.
        height: Pixels.
    """

    form: Form = "treemap"
    colour: Quantity | Literal["kind"] = "kind"
    title: str = ""
    setting: str = ""
    height: int = 460


def treemap(
    rows: Sequence[CostRow], quantity: Quantity = "params", *, title: str = "", height: int = 460
) -> go.Figure:
    """Nested rectangles by module path; the area is the quantity, the colour the kind."""
    return nested(rows, quantity, NestedOptions(title=title, height=height))


def nested(
    rows: Sequence[CostRow], quantity: Quantity, options: NestedOptions | None = None
) -> go.Figure:
    """Areas by module path; each is exactly the sum of those inside.

    Args:
        rows: In any order; names are module paths.
        quantity: What the areas show.
        options: Form, colours, title.
    """
    options = options or NestedOptions()
    axis, value = reader(quantity, options.setting)
    tree = _Tree()
    for row in rows:
        if value(row):
            tree.add(row, value(row), _coloured(row, options))
    total = tree.sums[""]
    if not total:
        return theme.empty(
            _("Nothing to draw: no layer has {quantity}.").format(quantity=_(axis.title).lower())
        )
    ids = list(_only_needed(tree.sums))
    main = [max(tree.kinds[part], key=lambda kind: tree.kinds[part][kind]) for part in ids]
    labels = [_leaf(part) if part else html.escape(options.title or _("network")) for part in ids]
    trace: dict[str, Any] = {
        "type": options.form,
        "ids": [_id(part) for part in ids],
        "labels": labels,
        "parents": ["" if not part else _id(_parent(part)) for part in ids],
        "values": [tree.sums[part] for part in ids],
        "branchvalues": "total",
        "customdata": [
            [part.rstrip("\x00"), axis.text(tree.sums[part]), _(KIND_TITLES.get(kind, kind))]
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
    }
    if options.form == "treemap":
        trace |= {"tiling": {"pad": 2}}
    if options.form != "sunburst":
        trace |= {"pathbar": {"visible": True, "thickness": 24}}
    else:
        trace |= {"insidetextorientation": "radial"}
    if options.colour != "kind":
        _colour_by(trace, [(tree.colours[part], tree.sums[part]) for part in ids], options)
    layout = {
        "height": options.height,
        "margin": {"l": 0, "r": 0, "t": 28, "b": 0},
        # Names that would be smaller than this are left to the hover card.
        "uniformtext": {"minsize": 11, "mode": "hide"},
    }
    alt = _("{title} by module; the whole is {total}.").format(
        title=_(axis.title), total=axis.text(total)
    )
    return theme.figure([trace], layout, alt=alt)


@dataclass(slots=True)
class _Tree:
    """Sums by path; the root is "", work of a module beside its children ends in a zero byte."""

    sums: dict[str, float] = field(default_factory=lambda: {"": 0.0})
    colours: dict[str, float] = field(default_factory=lambda: {"": 0.0})
    kinds: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, row: CostRow, amount: float, colour: float) -> None:
        # Work of a module that also has children becomes a leaf of its own beside them.
        parts = (*_ancestors(row.name), row.name + "\x00" if row.name else "\x00")
        for part in ("", *parts):
            self.sums[part] = self.sums.get(part, 0.0) + amount
            self.colours[part] = self.colours.get(part, 0.0) + colour
            kinds = self.kinds.setdefault(part, {})
            kinds[row.kind] = kinds.get(row.kind, 0.0) + amount


def _coloured(row: CostRow, options: NestedOptions) -> float:
    return 0.0 if options.colour == "kind" else reader(options.colour)[1](row)


def _colour_by(
    trace: dict[str, Any], pairs: Sequence[tuple[float, float]], options: NestedOptions
) -> None:
    """Colours each area by how much of another quantity it has for its size; average is grey."""
    if options.colour == "kind":
        return
    axis, _value = reader(options.colour)
    whole = pairs[0][0] / pairs[0][1] if pairs and pairs[0][1] else 0.0
    if not whole:
        return
    ratios = [part / size / whole if size else 0.0 for part, size in pairs]
    trace["marker"] = {
        "colors": [
            max(-_DECADES, min(_DECADES, log10(ratio))) if ratio else -_DECADES for ratio in ratios
        ],
        "colorscale": _SCALE,
        "cmin": -_DECADES,
        "cmax": _DECADES,
        "showscale": True,
        "colorbar": {
            "title": {
                "text": theme.wrap(_("{title} for its area").format(title=_(axis.title)), 18)
            },
            "tickvals": [-1, 0, 1],
            "ticktext": ["0.1×", _("average"), "10×"],
            "thickness": 14,
            "outlinewidth": 0,
        },
    }
    trace["customdata"] = [
        [*card[:2], f"{card[2]}<br>{_(axis.title)}: {axis.text(part)} ({ratio:.2g}×)"]
        for card, (part, _size), ratio in zip(trace["customdata"], pairs, ratios, strict=True)
    ]


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
