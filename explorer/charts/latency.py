"""Forward times: the distribution, its percentiles as they settle, and the raw times in order."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.charts import theme
from explorer.i18n import _, ngettext
from explorer.timing_statistics import percentiles

if TYPE_CHECKING:
    import numpy.typing as npt
    import plotly.graph_objects as go

    from explorer.results import LatencySeries

    Times = npt.NDArray[np.float64]

TIMES = "#56b4e9"
MEDIAN = "#d55e00"
P95 = "#8c6bb1"
P99 = "#cc79a7"
LOW = "#009e73"
_FEWEST_P95 = 200  # ten runs beyond the 95th percentile: 10 / 0.05
MOST_DOTS = 2000  # more are slow to send and to draw
CHECKPOINTS = 40
COLOURS = {5: LOW, 50: MEDIAN, 95: P95, 99: P99}


@dataclass(frozen=True, slots=True)
class Running:
    """One percentile of the first runs, the first two, …, all of them.

    Attributes:
        q: Percentile, 0 to 100.
        name: As the legend has it.
        runs: Numbers of first runs that earn the percentile.
        milliseconds: The percentile of so many first runs.
    """

    q: int
    name: str
    runs: tuple[int, ...]
    milliseconds: tuple[float, ...]


def latency_histogram(series: LatencySeries, *, height: int = 320) -> go.Figure:
    """Histogram of the forward times with lines at the median and the 95th percentile.

    Times more than six interquartile ranges above the upper quartile are outside the axis; their
    number is written in the chart. A p95 that the sample does not earn is said, not drawn.

    Args:
        series: Raw times of one batch size; may still be growing.
        height: Pixels.
    """
    times = np.asarray(series.seconds, np.float64) * 1e3
    if times.size == 0:
        return _nothing(height)
    shown, beyond = within_fence(times)
    counts, edges = np.histogram(shown, bins=bins(shown))
    width = float(edges[1] - edges[0])
    bars = {
        "type": "bar",
        "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
        "y": counts.tolist(),
        "width": [width * 0.94] * len(counts),
        "customdata": np.stack([edges[:-1], edges[1:]], axis=1).tolist(),
        "hovertemplate": _("%{customdata[0]:.3f} to %{customdata[1]:.3f} ms: %{y} runs")
        + "<extra></extra>",
        "marker": {"color": TIMES},
        "showlegend": False,
    }
    shapes, notes = _percentile_lines(series)
    if beyond:
        sentence = ngettext(
            "{count} slower run is beyond the right edge",
            "{count} slower runs are beyond the right edge",
            beyond,
        ).format(count=beyond)
        notes.append(_corner(sentence, 1.0))
    layout = {
        "xaxis": {
            "title": _time_title(series),
            "range": [float(edges[0]) - width, float(edges[-1]) + width],
        },
        "yaxis": {"title": theme.axis_title(_("Runs"), _("count")), "rangemode": "tozero"},
        "height": height,
        "margin": {"t": 76},
        "bargap": 0,
        "shapes": shapes,
        "annotations": notes,
        "dragmode": False,
        "uirevision": "latency",
    }
    return theme.figure([bars], layout, alt=summary(series))


def latency_timeline(series: LatencySeries, *, height: int = 240) -> go.Figure:
    """Every forward time against the moment it began, so that drift and bursts are seen.

    Of more than 2,000 runs, only the fastest and the slowest of each of 1,000 stretches are drawn;
    the chart says so. Runs that the machine slept through are marked at the foot.

    Args:
        series: Raw times of one batch size; may still be growing.
        height: Pixels.
    """
    times = np.asarray(series.seconds, np.float64) * 1e3
    if times.size == 0:
        return _nothing(height)
    shown = extremes(times)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": np.asarray(series.starts, np.float64)[shown].tolist(),
        "y": times[shown].tolist(),
        "marker": {"size": 5, "color": TIMES, "opacity": 0.8, "line": {"width": 0}},
        "hovertemplate": _("%{y:.3f} ms, begun after %{x:.3f} s") + "<extra></extra>",
        "showlegend": False,
    }
    shapes: list[dict[str, Any]] = []
    if series.median is not None:
        line = {"color": MEDIAN, "width": 2}
        shapes.append(
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": series.median * 1e3,
             "y1": series.median * 1e3, "line": line}
        )  # fmt: skip
    shapes += [
        {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": run.start, "x1": run.start,
         "line": {"color": P99, "width": 2, "dash": "dot"}}
        for run in series.dropped
    ]  # fmt: skip
    notes = []
    if len(shown) < times.size:
        notes.append(
            _corner(
                _("{shown:,} of {count:,} runs drawn: fastest and slowest of each stretch").format(
                    shown=len(shown), count=times.size
                ),
                1.0,
            )
        )
    layout = {
        "xaxis": {"title": theme.axis_title(_("Since the first run"), _("s"))},
        "yaxis": {"title": theme.axis_title(_("Time"), _("ms")), "rangemode": "tozero"},
        "height": height,
        "shapes": shapes,
        "annotations": notes,
        "margin": {"t": 24},
        "dragmode": False,
        "uirevision": "latency",
    }
    return theme.figure([dots], layout, alt=summary(series))


def running_percentiles(series: LatencySeries, *, height: int = 320) -> go.Figure:
    """Percentiles of the first runs, the first two, …, all of them: whether they have settled.

    A percentile begins where the runs so far earn it.

    Args:
        series: Raw times of one batch size; may still be growing.
        height: Pixels.
    """
    times = np.asarray(series.seconds, np.float64)
    if times.size == 0:
        return _nothing(height)
    traces = []
    for curve in running(series):
        if not curve.runs:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(curve.runs) < 3 else "lines",
                "name": curve.name,
                "x": list(curve.runs),
                "y": list(curve.milliseconds),
                "line": {"color": COLOURS[curve.q], "width": 2.5},
                "hovertemplate": _("%{y:.3f} ms of the first %{x} runs")
                + f"<extra>{curve.name}</extra>",
            }
        )
    layout = {
        "xaxis": {"title": theme.axis_title(_("Runs so far"), _("count")), "type": "log"}
        | _whole_powers(int(times.size)),
        "yaxis": {"title": theme.axis_title(_("Time per batch"), _("ms"))},
        "height": height,
        "margin": {"t": 40},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
        "dragmode": False,
        "uirevision": "latency",
    }
    return theme.figure(traces, layout, alt=summary(series))


def running(series: LatencySeries) -> list[Running]:
    """p5, median, p95 and p99 at 40 counts of first runs, evenly on a logarithmic axis.

    Args:
        series: Raw times of one batch size, at least one of them.
    """
    times = np.asarray(series.seconds, np.float64)
    counts = np.unique(np.geomspace(1, times.size, CHECKPOINTS).round().astype(int))
    names = {5: _("p5"), 50: _("median"), 95: _("p95"), 99: _("p99")}
    found = [(int(n), percentiles(times[:n], tuple(names))) for n in counts]
    curves = []
    for at, (q, name) in enumerate(names.items()):
        earned = [(n, value * 1e3) for n, row in found if (value := row[at]) is not None]
        runs, values = tuple(n for n, _value in earned), tuple(value for _n, value in earned)
        curves.append(Running(q, name, runs, values))
    return curves


def _whole_powers(most: int) -> dict[str, Any]:
    """Ticks at 1, 3, 10, 30, … of a logarithmic axis of counts."""
    ticks = [10**power * first for power in range(7) for first in (1, 3)]
    shown = [tick for tick in ticks if tick <= max(most, 3)]
    return {"tickvals": shown, "ticktext": [f"{tick:,}" for tick in shown]}


def extremes(times: Times, most: int = MOST_DOTS) -> npt.NDArray[np.int64]:
    """Indices of the times to draw: all, or the fastest and the slowest of each stretch."""
    n = times.size
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, most // 2 + 1).astype(int)
    found = {0, n - 1}
    for first, last in itertools.pairwise(edges):
        part = times[first:last]
        found |= {int(first + part.argmin()), int(first + part.argmax())}
    return np.array(sorted(found), np.int64)


def _nothing(height: int) -> go.Figure:
    return theme.empty(_("Nothing measured yet: the first run is still under way."), height=height)


def within_fence(times: Times) -> tuple[Times, int]:
    """The times that the axis shows, and how many lie beyond it."""
    if times.size < 20:
        return times, 0
    low, high = np.percentile(times, (25, 75))
    fence = high + 6 * (high - low)
    kept = times[times <= fence]
    return kept, int(times.size - kept.size)


def bins(times: Times) -> int:
    """Freedman & Diaconis 1981: bin width 2 · IQR / n^(1/3), held between 8 and 60 bins."""
    span = float(times.max() - times.min())
    low, high = np.percentile(times, (25, 75))
    width = 2 * float(high - low) / times.size ** (1 / 3)
    if width <= 0 or span <= 0:
        return 8
    return int(min(60, max(8, math.ceil(span / width))))


def _percentile_lines(series: LatencySeries) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at median and p95; their values stand above the plot, where they cannot collide."""
    shapes: list[dict[str, Any]] = []
    parts: list[str] = []
    for name, q, colour in ((_("median"), 50, MEDIAN), (_("p95"), 95, P95)):
        value = series.percentile(q)
        mark = f'<span style="color:{colour}">▎</span>'
        if value is None:
            runs, needed = len(series.seconds), _FEWEST_P95
            parts.append(
                mark
                + _("{name}: not enough runs ({runs} of {needed})").format(
                    name=name, runs=runs, needed=needed
                )
            )
            continue
        parts.append(f"{mark}{name} {value * 1e3:.2f} {_('ms')}")
        line = {"color": colour, "width": 2, "dash": "solid" if q == 50 else "dash"}
        shapes.append(
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": value * 1e3,
             "x1": value * 1e3, "line": line}
        )  # fmt: skip
    return shapes, [_corner("<br>".join(parts), 0.0) | {"align": "left"}]


def _corner(text: str, x: float) -> dict[str, Any]:
    """A line of text above the plot: the first row at the left, the second at the right."""
    return {
        "text": text, "x": x, "y": 1, "xref": "paper", "yref": "paper", "showarrow": False,
        "xanchor": "left" if x == 0 else "right", "yanchor": "bottom",
        "yshift": 22 if x == 0 else 2,
        "font": {"size": theme.FONT_SIZE if x == 0 else theme.SMALL_FONT_SIZE},
    }  # fmt: skip


def _time_title(series: LatencySeries) -> dict[str, Any]:
    convention = ngettext(
        "one forward pass of {count} image", "one forward pass of {count} images", series.batch_size
    ).format(count=series.batch_size)
    return theme.axis_title(_("Time per batch"), _("ms"), convention)


def summary(series: LatencySeries) -> str:
    """What the charts show, in one sentence."""
    return _("Forward times of {count} runs; the median is {median} ms a batch.").format(
        count=len(series.seconds), median=f"{(series.median or 0) * 1e3:.2f}"
    )
