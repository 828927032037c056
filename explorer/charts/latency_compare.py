"""Medians beside each other: over batch sizes, ways to run, parts of the network, and days."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.latency import MEDIAN, P99, TIMES
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

_RATE = "#009e73"


@dataclass(frozen=True, slots=True)
class Timed:
    """A median with its confidence interval.

    Attributes:
        name: What was measured: a batch size, a mode, a part, a date.
        seconds: Median.
        low: Lower end; None where the sample does not earn an interval.
        high: Upper end.
        images_per_second: None where it makes no sense.
        flagged: Whether it differs from the one before.
        note: For the hover card.
    """

    name: str
    seconds: float
    low: float | None = None
    high: float | None = None
    images_per_second: float | None = None
    flagged: bool = False
    note: str = ""


def batch_curve(
    points: Sequence[tuple[int, Timed]], knee: int | None, *, width: int = 1080
) -> go.Figure:
    """Time per batch and images per second over the batch size, with the knee.

    Args:
        points: (batch size, its median), by batch size.
        knee: The batch size that is marked; None for none.
        width: Pixels; two panels stand below each other on a narrow page.
    """
    if not points:
        return theme.empty(_("No batch size is measured yet."))
    sizes = [size for size, _timed in points]
    narrow = width < 520
    text = [timed.note for _size, timed in points]
    times = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": sizes,
        "y": [timed.seconds * 1e3 for _size, timed in points],
        "error_y": _errors([timed for _size, timed in points]),
        "customdata": text,
        "line": {"color": MEDIAN},
        "marker": {"size": 9, "color": MEDIAN},
        "hovertemplate": _("batch %{x}: %{y:.3f} ms") + "<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }
    rates = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": sizes,
        "y": [size / timed.seconds for size, timed in points],
        "xaxis": "x2",
        "yaxis": "y2",
        "customdata": text,
        "line": {"color": _RATE},
        "marker": {"size": 9, "color": _RATE},
        "hovertemplate": _("batch %{x}: %{y:.1f} images/s") + "<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }
    axis = {
        "type": "log",
        "tickvals": sizes,
        "ticktext": [str(size) for size in sizes],
        "title": theme.axis_title(_("Images per batch")),
    }
    left, right = ([0, 1], [0, 1]) if narrow else ([0, 0.45], [0.55, 1])
    above, below = ([0.6, 1], [0, 0.4]) if narrow else ([0, 1], [0, 1])
    layout: dict[str, Any] = {
        "xaxis": {**axis, "domain": left, "anchor": "y"},
        "yaxis": {
            "title": theme.axis_title(_("Time per batch"), _("ms")),
            "rangemode": "tozero",
            "domain": above,
        },
        "xaxis2": {**axis, "domain": right, "anchor": "y2"},
        "yaxis2": {
            "title": theme.axis_title(_("Throughput"), _("images/s")),
            "rangemode": "tozero",
            "domain": below,
            "anchor": "x2",
        },
        "height": 720 if narrow else 380,
        "margin": {"t": 36},
        "dragmode": False,
    }
    if knee is not None:
        # Log axes take the exponent where a shape takes the value.
        layout["shapes"] = [
            {"type": "line", "xref": x, "x0": knee, "x1": knee, "yref": f"{y} domain", "y0": 0,
             "y1": 1, "line": {"color": TIMES, "width": 2, "dash": "dash"}}
            for x, y in (("x", "y"), ("x2", "y2"))
        ]  # fmt: skip
        layout["annotations"] = [
            {"text": _("knee: {batch}").format(batch=knee), "xref": "x2", "yref": "y2 domain",
             "x": _log10(knee), "y": 1, "showarrow": False, "yanchor": "bottom"}
        ]  # fmt: skip
    return theme.figure(
        [times, rates], layout, alt=_("Time and throughput of {count} batch sizes.").format(
            count=len(points)
        ),
    )  # fmt: skip


def _log10(value: float) -> float:
    import math

    return math.log10(value)


def side_by_side(timed: Sequence[Timed], title: str) -> go.Figure:
    """A bar for each way to run, with the median's confidence interval, from zero.

    Args:
        timed: In the order in which they stand, first on top.
        title: What differs between them, translated.
    """
    if not timed:
        return theme.empty(_("Nothing is measured yet."))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [html.escape(one.name) for one in timed],
        "x": [one.seconds * 1e3 for one in timed],
        "error_x": _errors(timed),
        "text": [f"{one.seconds * 1e3:.2f} {_('ms')}" for one in timed],
        "textposition": "inside",
        "insidetextanchor": "start",
        "customdata": [one.note for one in timed],
        "marker": {"color": TIMES},
        "textfont": {"color": "#12202b"},
        "hovertemplate": "%{y}: %{x:.3f} ms<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }
    layout = {
        "xaxis": {"title": theme.axis_title(_("Time per batch"), _("ms")), "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "title": theme.axis_title(title), "type": "category"},
        "height": 110 + 46 * len(timed),
        "dragmode": False,
    }
    names = ", ".join(one.name for one in timed)
    return theme.figure([bars], layout, alt=_("Median times of {names}.").format(names=names))


def module_bars(parts: Sequence[Timed]) -> go.Figure:
    """Where a pass spends its time: one bar for each part, in the order of the forward pass."""
    if not parts:
        return theme.empty(_("Nothing is measured yet."))
    total = sum(part.seconds for part in parts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [html.escape(part.name) for part in parts],
        "x": [part.seconds * 1e3 for part in parts],
        "text": [f"{100 * part.seconds / total:.1f} %" for part in parts],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [part.note for part in parts],
        "marker": {"color": TIMES},
        "hovertemplate": "%{y}: %{x:.3f} ms, %{text}<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Time"), _("ms"), _("one image, fp32, measured with hooks"))
        },
        "yaxis": {"autorange": "reversed", "type": "category"},
        "height": 120 + 24 * len(parts),
        "margin": {"r": 64},
        "dragmode": False,
    }
    return theme.figure(
        [bars], layout, alt=_("Time of {count} parts of the network.").format(count=len(parts))
    )


def history_chart(points: Sequence[Timed]) -> go.Figure:
    """Medians of the same measurement over time; a change is marked.

    Args:
        points: Oldest first; the name is the date and time in ISO 8601.
    """
    if not points:
        return theme.empty(_("This network was not measured on this machine yet."))
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [point.name for point in points],
        "y": [point.seconds * 1e3 for point in points],
        "error_y": _errors(points),
        "customdata": [point.note for point in points],
        "line": {"color": TIMES},
        "marker": {
            "size": [15 if point.flagged else 9 for point in points],
            "symbol": ["diamond" if point.flagged else "circle" for point in points],
            "color": [P99 if point.flagged else TIMES for point in points],
        },
        "hovertemplate": "%{x|%Y-%m-%d %H:%M} UTC: %{y:.3f} ms<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }
    layout = {
        "xaxis": {"title": theme.axis_title(_("Measured"), _("UTC")), "type": "date"},
        "yaxis": {"title": theme.axis_title(_("Time per batch"), _("ms")), "rangemode": "tozero"},
        "height": 320,
        "dragmode": False,
    }
    return theme.figure(
        [line], layout, alt=_("{count} measurements over time.").format(count=len(points))
    )


def _errors(timed: Sequence[Timed]) -> dict[str, Any]:
    """Bars of the 95 % confidence intervals, in ms; none where there is none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [1e3 * (one.high - one.seconds) if one.high else 0 for one in timed],
        "arrayminus": [1e3 * (one.seconds - one.low) if one.low else 0 for one in timed],
        "thickness": 1.5,
        "width": 4,
    }
