"""The timeline: when each network or idea came, and what it was built on."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.i18n import _, language

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.catalog.history import HistoryEntry

# Year → place on the axis. Twelve of the 21 entries came from 2014 to 2016: an even axis would
# leave most of the picture empty, so those years are drawn wider.
_KNOTS = (
    (1997.5, 0.0), (1999.5, 0.6), (2009.5, 0.95), (2013.5, 2.9), (2014.4, 3.7), (2017.5, 9.9),
    (2022.6, 13.4),
)  # fmt: skip
END = 2022.6
_YEARS = (1998, 2010, 2012, *range(2014, 2023))
_NARROW = 600
_LANE = 76
_FAINT = 0.22
_ROW = 44
_COLOURS = {
    "lenet5": "LeNet", "ciresan2010": "MLP", "alexnet": "AlexNet", "nin": "NIN", "vgg": "VGG",
    "googlenet": "GoogLeNet", "bn_inception": "Inception-v3", "inception_v3": "Inception-v3",
    "inception_v4": "Inception-v4", "resnet": "ResNet", "squeezenet": "SqueezeNet",
    "enet": "ENet", "xception": "Xception", "bottleneck": "ResNet", "densenet": "DenseNet",
    "resnext": "ResNeXt", "mobilenet": "MobileNet", "efficientnet": "EfficientNet",
    "vit": "ViT", "swin": "Swin", "convnext": "ConvNeXt",
}  # fmt: skip


def timeline(entries: Sequence[HistoryEntry], *, width: int = 1200, chosen: str = "") -> go.Figure:
    """Entries along the years with arrows from what each builds on.

    ``customdata`` of a point is [entry id, catalog id or ""]. On a chart narrower than 600 px the
    time runs downwards.

    Args:
        entries: From ``explorer.catalog.history``, oldest first.
        width: Pixels that the chart will have.
        chosen: Id of the entry whose arrows stand out, those that arrive and those that leave.
    """
    if not entries:
        return theme.empty(_("The timeline has no entries."))
    if width < _NARROW:
        return _rows(entries, chosen)
    return _lanes(entries, width, chosen)


def assign_lanes(spans: Sequence[tuple[float, float]], wanted: Sequence[float]) -> list[int]:
    """A lane for each span so that spans of one lane do not overlap; few lanes, near ``wanted``.

    Args:
        spans: (left, right), ordered by their middle.
        wanted: The lane each would like, for short arrows; may be fractional.
    """
    ends: list[float] = []
    lanes: list[int] = []
    for (left, right), wish in zip(spans, wanted, strict=True):
        free = [lane for lane, end in enumerate(ends) if end <= left]
        if free:
            lane = min(free, key=lambda candidate: (abs(candidate - wish), candidate))
            ends[lane] = right
        else:
            lane = len(ends)
            ends.append(right)
        lanes.append(lane)
    return lanes


def place_of(year: float) -> float:
    """A date in years → its place on the stretched axis."""
    for (year0, place0), (year1, place1) in pairwise(_KNOTS):
        if year <= year1:
            return place0 + (year - year0) / (year1 - year0) * (place1 - place0)
    return _KNOTS[-1][1]


def _date(entry: HistoryEntry) -> float:
    return entry.year + (entry.month - 1) / 12


def _lanes(entries: Sequence[HistoryEntry], width: int, chosen: str) -> go.Figure:
    names = [theme.wrap(html.escape(entry.name), 16) for entry in entries]
    right = place_of(END)
    unit = right / (width - 60)  # places a pixel
    xs = [place_of(_date(entry)) for entry in entries]
    spans = []
    for x, name in zip(xs, names, strict=True):
        half = max(theme.text_width(line, theme.FONT_SIZE) for line in name.split("<br>")) / 2 + 8
        spans.append((x - half * unit, x + half * unit))
    index = {entry.id: i for i, entry in enumerate(entries)}
    lanes: list[int] = []
    for i, entry in enumerate(entries):
        parents = [lanes[index[p]] for p in entry.builds_on if p in index and index[p] < i]
        wish = sum(parents) / len(parents) if parents else 2.0
        lanes = assign_lanes(spans[: i + 1], [*map(float, lanes), wish])
    count = max(lanes) + 1
    ys = [float(lane) for lane in lanes]
    layout: dict[str, Any] = {
        "xaxis": {
            "range": [-0.1, right + 0.1],
            "tickvals": [place_of(year) for year in _YEARS],
            "ticktext": [str(year) for year in _YEARS],
            "title": theme.axis_title(
                _("Year of first publication"), "", _("2010 to 2016 are drawn wider")
            ),
            "fixedrange": True, "zeroline": False,
        },
        "yaxis": {"visible": False, "range": [count - 0.3, -0.5], "fixedrange": True},
        "height": count * _LANE + 84,
        "margin": {"b": theme.BELOW},
        "annotations": [
            {"text": name, "x": x, "y": y, "yshift": -12, "yanchor": "top", "showarrow": False,
             "font": {"size": theme.FONT_SIZE}}
            for name, x, y in zip(names, xs, ys, strict=True)
        ],
        "shapes": _arcs(entries, xs, ys, chosen),
        "dragmode": False,
        "hovermode": "closest",
    }  # fmt: skip
    traces = [_nodes(entries, xs, ys, chosen), _heads(entries, xs, ys)]
    return theme.figure(traces, layout, alt=_alt(entries))


def _rows(entries: Sequence[HistoryEntry], chosen: str) -> go.Figure:
    """Time runs downwards, one row an entry, arcs at the left."""
    ys = [float(i) for i in range(len(entries))]
    xs = [0.0] * len(entries)
    index = {entry.id: i for i, entry in enumerate(entries)}
    shapes = []
    for i, entry in enumerate(entries):
        for parent in entry.builds_on:
            if (j := index.get(parent)) is not None:
                reach = -0.12 * (abs(i - j) ** 0.6) - 0.08
                path = f"M 0,{j} C {reach:.3f},{j} {reach:.3f},{i} 0,{i}"
                shapes.append(_path(path, entries[j], entry, chosen))
    nodes = _nodes(entries, xs, ys, chosen) | {
        "mode": "markers+text",
        "text": [theme.wrap(html.escape(entry.name), 24) for entry in entries],
        "textposition": "middle right",
        "cliponaxis": False,
    }
    layout = {
        "xaxis": {"visible": False, "range": [-0.62, 1.25], "fixedrange": True},
        "yaxis": {
            "range": [len(entries) - 0.4, -0.6], "tickvals": ys, "showgrid": False,
            "ticktext": [str(entry.year) for entry in entries], "fixedrange": True,
            "zeroline": False,
        },
        "height": len(entries) * _ROW + 40,
        "margin": {"l": theme.NUMBERS},
        "shapes": shapes,
        "dragmode": False,
        "hovermode": "closest",
    }  # fmt: skip
    return theme.figure([nodes], layout, alt=_alt(entries))


def _nodes(
    entries: Sequence[HistoryEntry], xs: Sequence[float], ys: Sequence[float], chosen: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(xs),
        "y": list(ys),
        "customdata": [[entry.id, entry.model_id or ""] for entry in entries],
        "hovertext": [_card(entry, entries) for entry in entries],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "size": [27 if entry.id == chosen else 19 for entry in entries],
            "symbol": ["circle" if e.kind == "network" else "diamond" for e in entries],
            "color": [_colour(entry) for entry in entries],
            "opacity": 1,
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "showlegend": False,
    }


def _arcs(
    entries: Sequence[HistoryEntry], xs: Sequence[float], ys: Sequence[float], chosen: str
) -> list[dict[str, Any]]:
    index = {entry.id: i for i, entry in enumerate(entries)}
    shapes = []
    for i, entry in enumerate(entries):
        for parent in entry.builds_on:
            if (j := index.get(parent)) is None:
                continue
            bend = max((xs[i] - xs[j]) * 0.5, 0.25)
            shapes.append(
                _path(
                    f"M {xs[j]:.4f},{ys[j]} C {xs[j] + bend:.4f},{ys[j]} "
                    f"{xs[i] - bend:.4f},{ys[i]} {xs[i]:.4f},{ys[i]}",
                    entries[j],
                    entry,
                    chosen,
                )
            )
    return shapes


def _heads(
    entries: Sequence[HistoryEntry], xs: Sequence[float], ys: Sequence[float]
) -> dict[str, Any]:
    """One arrow head at the left of every entry that builds on another; curves arrive there.

    Markers, because an annotation for each takes the browser a tenth of a second in all.
    """
    placed = [(x, y) for entry, x, y in zip(entries, xs, ys, strict=True) if entry.builds_on]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _y in placed],
        "y": [y for _x, y in placed],
        "hoverinfo": "skip",
        "showlegend": False,
        "marker": {
            "symbol": "arrow", "angle": 90, "size": 11, "standoff": 9, "color": "#80838c",
            "line": {"width": 0}, "opacity": 1,
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }  # fmt: skip


def _colour(entry: HistoryEntry) -> str:
    return theme.family_colour(_COLOURS.get(entry.id, entry.name))


def _path(path: str, source: HistoryEntry, target: HistoryEntry, chosen: str) -> dict[str, Any]:
    own = chosen in (source.id, target.id)
    strength = 0.75 if not chosen else 1 if own else _FAINT
    return {
        "type": "path", "path": path, "layer": "below", "opacity": strength,
        "line": {"width": 2.6 if own else 1.6, "color": _colour(source)},
    }  # fmt: skip


def _card(entry: HistoryEntry, entries: Sequence[HistoryEntry]) -> str:
    """Name, year, the first idea and what was borrowed, in the current language."""
    names = {other.id: other.name for other in entries}
    lines = [f"<b>{html.escape(entry.name)}</b> ({entry.year})"]
    if entry.sentences:
        lines.append(theme.wrap(html.escape(entry.sentences[0]), 60))
    for parent in entry.builds_on:
        reasons = entry.borrowed.get(parent, {})
        reason = reasons.get(language(), reasons.get("en", ""))
        text = _("from {name}: {reason}").format(name=names.get(parent, parent), reason=reason)
        lines.append(f"<i>{theme.wrap(html.escape(text), 60)}</i>")
    return "<br>".join(lines)


def _alt(entries: Sequence[HistoryEntry]) -> str:
    return _("Timeline of {count} networks and ideas, from {first} to {last}.").format(
        count=len(entries), first=entries[0].year, last=entries[-1].year
    )
