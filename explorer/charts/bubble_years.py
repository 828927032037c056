"""The chart over the years: frames with the front as it stood, and the share that it dominates."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.axes import AXES
from explorer.charts.bubble_legend import NARROW
from explorer.charts.pareto import hypervolume, pareto_front
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.charts.bubble import BubbleOptions, BubbleRow, Bubbles, View

FIRST, LAST = 2012, 2026
YEARS = tuple(range(FIRST, LAST + 1))


@dataclass(frozen=True, slots=True)
class YearFront:
    """The front of everything published up to a year.

    Attributes:
        year: The last year that counts.
        front: Indices into the rows, in order of x.
        share: Hypervolume over that of the box between the worst and the best values of all rows,
            0…1, on the axes as drawn; None where the axes have no better end.
        count: Rows up to then.
    """

    year: int
    front: tuple[int, ...]
    share: float | None
    count: int


def fronts(
    rows: Sequence[BubbleRow], x: Sequence[float], y: Sequence[float], options: BubbleOptions
) -> list[YearFront]:
    """The front year by year.

    Args:
        rows: For their years; a row without one never counts.
        x: Shown units, one a row.
        y: Shown units, one a row.
        options: Which ends are better, and whether a scale is logarithmic.
    """
    from explorer.charts.bubble import cost_and_merit

    ends = AXES[options.x].better and AXES[options.y].better
    places = cost_and_merit(
        [math.log10(a) for a in x] if options.log_x else x,
        [math.log10(b) for b in y] if options.log_y else y,
        options,
    )
    worst = (max(p[0] for p in places), min(p[1] for p in places))
    box = (worst[0] - min(p[0] for p in places)) * (max(p[1] for p in places) - worst[1])
    found = []
    for year in YEARS:
        members = [i for i, row in enumerate(rows) if row.values.get("year", math.inf) <= year]
        there = [places[i] for i in members]
        front = tuple(members[i] for i in pareto_front(there)) if ends else ()
        share = hypervolume(there, worst) / box if ends and box > 0 else None
        found.append(YearFront(year, front, share, len(members)))
    return found


def add_years(figure: go.Figure, bubbles: Bubbles, view: View, options: BubbleOptions) -> None:
    """Gives the figure a frame a year, a slider and a button; it stands at ``options.until``."""
    import plotly.graph_objects as go

    years = fronts(bubbles.rows, bubbles.x, bubbles.y, options)
    index = {html.escape(row.id): i for i, row in enumerate(bubbles.rows)}
    members = {
        number: [index[html.escape(custom[2])] for custom in trace.customdata]
        for number, trace in enumerate(figure.data)
        if trace.customdata is not None
    }
    front = next((i for i, t in enumerate(figure.data) if t.name == _("Pareto front")), None)
    notes = [note.to_plotly_json() for note in figure.layout.annotations]
    frames: list[dict[str, Any]] = []
    for entry in years:
        data: list[dict[str, Any]] = []
        numbers: list[int] = []
        for number, rows in members.items():
            numbers.append(number)
            data.append({"type": "scatter", "x": [_x(bubbles, i, entry.year) for i in rows]})
        if front is not None:
            numbers.append(front)
            data.append({
                "type": "scatter", "x": [bubbles.x[i] for i in entry.front],
                "y": [bubbles.y[i] for i in entry.front],
            })  # fmt: skip
        layout = {"annotations": [*_kept(notes, bubbles, index, entry), _caption(entry, view)]}
        frames.append({"name": str(entry.year), "data": data, "traces": numbers, "layout": layout})
    figure.frames = [go.Frame(frame) for frame in frames]
    start = min(max(options.until, FIRST), LAST) - FIRST
    first = frames[start]
    for number, change in zip(first["traces"], first["data"], strict=True):
        figure.data[number].update({key: change[key] for key in ("x", "y") if key in change})
    figure.layout.annotations = first["layout"]["annotations"]
    figure.update_layout(**_controls(start, options, view))


def _x(bubbles: Bubbles, index: int, year: int) -> float | None:
    """Where the row stands, or nowhere before it was published."""
    return bubbles.x[index] if bubbles.rows[index].values.get("year", math.inf) <= year else None


def _kept(
    notes: Sequence[dict[str, Any]], bubbles: Bubbles, index: dict[str, int], entry: YearFront
) -> list[dict[str, Any]]:
    """The annotations without the names of what was not yet there."""
    return [
        note
        for note in notes
        if note.get("name") not in index or _x(bubbles, index[note["name"]], entry.year) is not None
    ]


def _caption(entry: YearFront, view: View) -> dict[str, Any]:
    text = f"<b>{entry.year}</b>"
    if entry.share is not None:
        text += "  " + _("front dominates {share:.0f} %").format(share=100 * entry.share)
    return {
        "text": text, "x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right",
        "yanchor": "bottom", "showarrow": False, "font": {"size": 18 if view.width > 500 else 14},
        "bgcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def _controls(start: int, options: BubbleOptions, view: View) -> dict[str, Any]:
    """The slider over the years and the buttons, below the axis title."""
    narrow = options.width < NARROW
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True},
             "transition": {"duration": 0}}  # fmt: skip
    moving = {"fromcurrent": True, "frame": {"duration": 900, "redraw": True},
              "transition": {"duration": 0}}  # fmt: skip
    top = -(112 if narrow else 84) / view.height
    steps = [
        {"label": str(year) if not narrow or year % 4 == 0 else "", "method": "animate",
         "args": [[str(year)], still]}
        for year in YEARS
    ]  # fmt: skip
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, moving]},
        {"label": "❚❚", "method": "animate", "args": [[None], still]},
    ]
    return {
        "sliders": [{
            "active": start, "steps": steps, "x": 0.13 if not narrow else 0.3, "y": top,
            "len": 0.87 if not narrow else 0.7, "yanchor": "top", "pad": {"t": 0, "b": 0},
            "currentvalue": {"visible": False}, "ticklen": 4, "font": {"size": 12},
        }],
        "updatemenus": [{
            "type": "buttons", "direction": "left", "buttons": buttons, "x": 0, "y": top,
            "xanchor": "left", "yanchor": "top", "pad": {"t": 0, "r": 0}, "showactive": False,
            "font": {"size": 13, "color": "#31333f"}, "bgcolor": "#f0f2f6",
        }],
    }  # fmt: skip


def hypervolume_chart(
    rows: Sequence[BubbleRow], options: BubbleOptions, *, height: int = 260
) -> go.Figure:
    """How much of the plane the front dominated, year by year; a sentence where it has no sense."""
    from explorer.charts.bubble import drawable

    drawn = drawable(rows, options)
    x_axis, y_axis = AXES[options.x], AXES[options.y]
    if len(drawn) < 2 or not (x_axis.better and y_axis.better):
        return theme.empty(_("These axes have no front."), height=height)
    x = [x_axis.show(row.values[options.x]) for row in drawn]
    y = [y_axis.show(row.values[options.y]) for row in drawn]
    years = [entry for entry in fronts(drawn, x, y, options) if entry.share is not None]
    if not years:
        return theme.empty(_("These axes have no front."), height=height)
    shares = [100 * (entry.share or 0.0) for entry in years]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [entry.year for entry in years],
        "y": shares,
        "customdata": [[entry.count, len(entry.front)] for entry in years],
        "hovertemplate": "%{x}: %{y:.1f} %<br>"
        + _("{count} networks, {front} on the front").format(
            count="%{customdata[0]}", front="%{customdata[1]}"
        )
        + "<extra></extra>",
        "line": {"shape": "hv", "color": "#0072b2"},
        "marker": {"size": 6},
    }
    layout = {
        "xaxis": {"dtick": 2, "title": theme.axis_title(_("Year"))},
        "yaxis": {
            "rangemode": "tozero",
            "title": theme.axis_title(_("Dominated by the front"), "%"),
        },
        "height": height,
    }
    alt = _("Share dominated by the Pareto front: {first:.0f} % in {start}, {last:.0f} % in {end}.")
    alt = alt.format(first=shares[0], start=years[0].year, last=shares[-1], end=years[-1].year)
    return theme.figure([trace], layout, alt=alt)
