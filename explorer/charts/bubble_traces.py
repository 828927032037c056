"""The bubbles themselves: one trace a colour, and the hover cards."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from explorer.catalog.pretraining import LABELS
from explorer.charts import theme
from explorer.charts.axes import AXES
from explorer.charts.bubble_legend import NARROW
from explorer.i18n import N_, _

if TYPE_CHECKING:
    from explorer.charts.bubble import BubbleOptions, BubbleRow, Bubbles

ColourBy = Literal["family", "year", "data", "licence", "crop"]
COLOURS: Mapping[ColourBy, str] = {
    "family": N_("Family"),
    "year": N_("Year"),
    "data": N_("Training data"),
    "licence": N_("Licence"),
    "crop": N_("Crop"),
}
OTHER_COLOUR = "#8a8d99"
_MOST_GROUPS = 26
_MANY = 300  # rows from which outlines are thinner
_CROPS = ((224, "≤ 224 px"), (299, "225–299 px"), (399, "300–399 px"), (9999, "≥ 400 px"))
# Years from dark to light blue-green-yellow: viridis without its ends, which vanish on a ground.
_YEARS = ("#482475", "#414487", "#35608d", "#2a788e", "#21908d", "#22a884", "#43bf71", "#7ad151",
          "#bbdf27", "#e0b400", "#e69f00", "#d98200", "#c96500", "#b04a00", "#932f00")  # fmt: skip
_FIRST_YEAR = 2012


def group_traces(bubbles: Bubbles, options: BubbleOptions) -> list[dict[str, Any]]:
    """One trace a colour, large bubbles first so that small ones stay reachable."""
    groups = _groups(bubbles, options.colour)
    ordered = sorted(groups, key=lambda name: -max(bubbles.diameters[i] for i in groups[name]))
    ranks = {name: rank for rank, name in enumerate(sorted(groups, key=str.casefold))}
    traces = [_group_trace(name, groups[name], bubbles, options) for name in ordered]
    for trace in traces:
        trace["legendrank"] = 1000 + ranks[trace["name"]]
        if trace["name"] == _("Others"):
            trace["legendrank"] = 2000
    return traces


def _groups(bubbles: Bubbles, colour: ColourBy) -> dict[str, list[int]]:
    """Legend entry → its rows; the rarest share one where a legend would have too many."""
    counts = Counter(group_name(row, colour) for row in bubbles.rows)
    own = {name for name, _count in counts.most_common(_MOST_GROUPS)}
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(bubbles.rows):
        name = group_name(row, colour)
        groups.setdefault(name if name in own else _("Others"), []).append(index)
    return groups


def group_name(row: BubbleRow, colour: ColourBy) -> str:
    """The legend entry that a row belongs to, translated."""
    if colour == "family":
        return row.family
    if colour == "year":
        year = row.values.get("year")
        return _("unknown") if year is None else f"{year:.0f}"
    if colour == "licence":
        return row.licence or _("not stated")
    if colour == "crop":
        return next((text for most, text in _CROPS if 0 < row.crop <= most), _("unknown"))
    return next((_(text) for key, text in LABELS.items() if key == row.data), _("unknown"))


def point_colour(row: BubbleRow, colour: ColourBy) -> str:
    """Hexadecimal colour of a row."""
    if colour == "family":
        return row.colour or theme.family_colour(row.family)
    if colour == "year":
        year = row.values.get("year")
        if year is None:
            return OTHER_COLOUR
        return _YEARS[min(max(int(year) - _FIRST_YEAR, 0), len(_YEARS) - 1)]
    if colour == "licence":
        return theme.family_colour(row.licence) if row.licence else OTHER_COLOUR
    if colour == "crop":
        place = next((i for i, (most, _text) in enumerate(_CROPS) if 0 < row.crop <= most), None)
    else:
        place = list(LABELS).index(row.data) if row.data in LABELS else None  # type: ignore[arg-type]
    return OTHER_COLOUR if place is None else theme.COLORWAY[place]


def usual_crop(rows: Sequence[BubbleRow]) -> int:
    """The side of the crop that most rows were evaluated at; 0 where none is known."""
    crops = Counter(row.crop for row in rows if row.crop)
    return crops.most_common(1)[0][0] if crops else 0


def _group_trace(
    name: str, members: Sequence[int], bubbles: Bubbles, options: BubbleOptions
) -> dict[str, Any]:
    indices = sorted(members, key=lambda i: -bubbles.diameters[i])
    rows = [bubbles.rows[i] for i in indices]
    usual = usual_crop(bubbles.rows)
    mixed = any(row.group == "2016" for row in bubbles.rows)
    together = name == _("Others")
    thin, thick = (1.0, 2.6) if len(bubbles.rows) <= _MANY else (0.4, 1.2)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [bubbles.x[i] for i in indices],
        "y": [bubbles.y[i] for i in indices],
        "customdata": [[row.model, row.weights, row.id, row.group] for row in rows],
        "hovertext": [_card(row, options) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            # With sizemode "area", Plotly's diameter is sqrt(2 · size / sizeref): sizeref 2 makes
            # size the diameter squared, in pixels.
            "size": [bubbles.diameters[i] ** 2 for i in indices],
            "sizemode": "area",
            "sizeref": 2,
            "sizemin": 2,  # a radius of 2 px, so that a phone's finger still finds it
            "color": [
                OTHER_COLOUR if together else point_colour(row, options.colour) for row in rows
            ],
            "opacity": _opacity(len(bubbles.rows), options),
            "symbol": [_symbol(row, mixed) for row in rows],
            "line": {"width": [thick if row.crop and row.crop != usual else thin for row in rows]},
        },
        "unselected": {"marker": {"opacity": 0.6}},
        "showlegend": options.legend and options.width >= NARROW,
        "cliponaxis": False,
    }


def _opacity(count: int, options: BubbleOptions) -> float:
    """Many circles let each other, and the density below them, show through."""
    if options.density and not options.play:
        return 0.4
    return 0.82 if count < 40 else 0.7


def _symbol(row: BubbleRow, mixed: bool) -> str:
    """Measured here: a diamond; published today beside the 2016 points: hollow."""
    if row.group == "measured":
        return "diamond"
    return "circle-open" if mixed and row.group == "today" else "circle"


def _card(row: BubbleRow, options: BubbleOptions) -> str:
    """The hover card; every value is escaped, labels may come from a file."""
    lines = [f"<b>{html.escape(row.label)}</b>"]
    pairs = list(row.hover)
    if not pairs:
        keys = dict.fromkeys((options.y, options.x, options.size))
        for key in keys:
            if key and (value := row.values.get(key)) is not None:
                pairs.append((_(AXES[key].title), AXES[key].text(value)))
    lines += [f"{html.escape(name)}: {html.escape(value)}" for name, value in pairs]
    if row.note:
        lines.append(f"<i>{theme.wrap(html.escape(row.note), 56)}</i>")
    return "<br>".join(lines)
