"""The traces of the bubble chart: families, the Pareto front, the ring, and the hover cards."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.axes import AXES
from explorer.charts.bubble_legend import NARROW
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.charts.bubble import BubbleOptions, BubbleRow, Bubbles


def family_traces(bubbles: Bubbles, options: BubbleOptions) -> list[dict[str, Any]]:
    """One trace a family, large bubbles first so that small ones stay reachable."""
    families: dict[str, list[int]] = {}
    for index, row in enumerate(bubbles.rows):
        families.setdefault(row.family, []).append(index)
    ordered = sorted(families, key=lambda name: -max(bubbles.diameters[i] for i in families[name]))
    ranks = {name: rank for rank, name in enumerate(sorted(families, key=str.casefold))}
    traces = [_family_trace(name, families[name], bubbles, options) for name in ordered]
    for trace in traces:
        trace["legendrank"] = 1000 + ranks[trace["name"]]
    return traces


def _family_trace(
    name: str, members: Sequence[int], bubbles: Bubbles, options: BubbleOptions
) -> dict[str, Any]:
    indices = sorted(members, key=lambda i: -bubbles.diameters[i])
    rows = [bubbles.rows[i] for i in indices]
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
            "color": [row.colour or theme.family_colour(row.family) for row in rows],
            "opacity": 0.82 if len(bubbles.rows) < 40 else 0.7,
            "symbol": ["circle" if row.group != "measured" else "diamond" for row in rows],
        },
        "unselected": {"marker": {"opacity": 0.6}},
        "showlegend": options.legend and options.width >= NARROW,
        "cliponaxis": False,
    }


def front_trace(bubbles: Bubbles) -> dict[str, Any]:
    """A dotted staircase through the rows that no other row beats on both axes."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("Pareto front"),
        "x": [bubbles.x[i] for i in bubbles.front],
        "y": [bubbles.y[i] for i in bubbles.front],
        "line": {"shape": "hv", "dash": "dot", "width": 2, "color": "#8a8d99"},
        "hoverinfo": "skip",
        "showlegend": True,
    }


def ring_trace(bubbles: Bubbles, indices: Sequence[int]) -> dict[str, Any]:
    """A ring around the model that is open."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [bubbles.x[i] for i in indices],
        "y": [bubbles.y[i] for i in indices],
        "marker": {
            "symbol": "circle-open",
            "size": [bubbles.diameters[i] + 9 for i in indices],
            "color": "#e8590c",
            "line": {"width": 3, "color": "#e8590c"},
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


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
