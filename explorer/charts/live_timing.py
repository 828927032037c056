"""A measurement while it runs, as plain HTML and SVG: three small charts in one piece of text.

Three Plotly charts redrawn several times a second fill a core of the machine whose times are being
measured: on two cores they made EfficientNet-Lite0's median a third longer
(``tests/benchmarks/bench_live.py``). A path for each curve, which the browser only has to parse and
fill, costs a fiftieth of that. What has been measured is then drawn with Plotly, once.

The paths are drawn in a square of 1,000 by 1,000 that is stretched over the panel; lines and dots
keep their width (``vector-effect``), and all letters are HTML, so that they keep their shape.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.charts.latency import (
    LOW,
    MEDIAN,
    P95,
    P99,
    TIMES,
    bins,
    extremes,
    running,
    summary,
    within_fence,
)
from explorer.i18n import _, ngettext

if TYPE_CHECKING:
    import numpy.typing as npt

    from explorer.results import LatencySeries

    Numbers = npt.NDArray[np.float64]

SQUARE = 1000
#: Most runs that are drawn in the timeline: each is a round dot that the browser fills anew.
DOTS = 600
STYLES = {5: "low", 50: "median", 95: "p95", 99: "p99"}
#: Of the component that shows them; what changes several times a second holds no style.
STYLE = f"""
.live-charts {{ display: grid; gap: 0.8rem 1.6rem; grid-template-columns: 1fr 1fr;
  font-variant-numeric: tabular-nums; }}
.live-charts .wide {{ grid-column: 1 / -1; }}
.live-charts .head {{ font-size: 0.95rem; min-height: 1.5rem; display: flex; flex-wrap: wrap;
  gap: 0 0.9rem; }}
.live-charts .head b {{ font-weight: 600; }}
.live-charts .key::before {{ content: ""; display: inline-block; width: 0.28rem; height: 0.85rem;
  margin-right: 0.35rem; vertical-align: -0.1rem; background: var(--c); }}
.live-charts .plot {{ position: relative; height: 205px; margin: 1.6rem 0.6rem 0 4rem; }}
.live-charts .wide .plot {{ height: 150px; }}
.live-charts svg {{ position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }}
.live-charts path {{ fill: none; stroke-width: 2px; vector-effect: non-scaling-stroke; }}
.live-charts .grid {{ stroke: currentColor; stroke-width: 1px; opacity: 0.16; }}
.live-charts .bars {{ fill: {TIMES}; stroke: none; }}
.live-charts .dots {{ stroke: {TIMES}; stroke-width: 5px; stroke-linecap: round; opacity: 0.85; }}
.live-charts .median {{ stroke: {MEDIAN}; --c: {MEDIAN}; }}
.live-charts .low {{ stroke: {LOW}; --c: {LOW}; }}
.live-charts .p95 {{ stroke: {P95}; --c: {P95}; }}
.live-charts .p99 {{ stroke: {P99}; --c: {P99}; }}
.live-charts .dashed {{ stroke-dasharray: 6 4; }}
.live-charts .tick {{ position: absolute; font-size: 0.8rem; line-height: 1; opacity: 0.85;
  white-space: nowrap; }}
.live-charts .tick.y {{ right: 100%; margin-right: 0.4rem; transform: translateY(50%); }}
.live-charts .tick.x {{ top: 100%; margin-top: 0.45rem; transform: translateX(-50%); }}
.live-charts .axis {{ font-size: 0.85rem; text-align: center; margin: 1.5rem 0 0 4rem; }}
.live-charts .unit {{ position: absolute; left: -4rem; top: -1.35rem; font-size: 0.8rem;
  opacity: 0.85; }}
@media (max-width: 640px) {{ .live-charts {{ grid-template-columns: minmax(0, 1fr); }} }}
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where a number stands on one side of the square.

    Attributes:
        low: At the left or lower end.
        high: At the other end, larger.
        ticks: Numbers that are written at the axis, upwards.
        texts: As they are written.
        log: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    texts: tuple[str, ...]
    log: bool = False

    def part(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, low, 1e-9))
        return (at - low) / (high - low)

    def places(self, values: npt.ArrayLike) -> list[int]:
        """Thousandths of the way for many numbers; what lies far outside is held near the edge."""
        low, high, at = self.low, self.high, np.asarray(values, np.float64)
        if self.log:
            low, high = math.log10(low), math.log10(high)
            at = np.log10(np.maximum(at, max(self.low, 1e-9)))
        share = np.clip((at - low) / (high - low), -0.2, 1.2)
        found: list[int] = np.rint(SQUARE * share).astype(int).tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Mark:
    """A path with its class, and what is said of it above the panel."""

    style: str
    path: str = ""
    key: str = ""


def live_charts(series: LatencySeries) -> str:
    """Histogram, running percentiles and raw times so far, as HTML that needs ``STYLE``.

    Args:
        series: Raw times of one batch size, at least one of them; still growing.
    """
    times = np.asarray(series.seconds, np.float64) * 1e3
    panels = (_histogram(series, times), _percentiles(series), _timeline(series, times))
    label = html.escape(summary(series), quote=True)
    return f'<div class="live-charts" role="img" aria-label="{label}">{"".join(panels)}</div>'


def _histogram(series: LatencySeries, times: Numbers) -> str:
    shown, beyond = within_fence(times)
    counts, edges = np.histogram(shown, bins=bins(shown))
    x = linear(float(edges[0]), float(edges[-1]))
    y = linear(0.0, float(counts.max()), whole=True)
    bars = "".join(
        f"M{left} {SQUARE}V{SQUARE - height}H{right}V{SQUARE}Z"
        for left, right, height in zip(
            x.places(edges[:-1]), x.places(edges[1:]), y.places(counts), strict=True
        )
        if height > 0
    )
    marks = [_Mark("bars", bars)]
    for name, style, q in ((_("median"), "median", 50), (_("p95"), "p95 dashed", 95)):
        value = series.percentile(q)
        if value is None:
            continue
        part = x.part(value * 1e3)
        key = f"{name} {value * 1e3:.2f} {_('ms')}"
        marks.append(_Mark(style, _upright(part) if part <= 1 else "", key))
    if beyond:
        sentence = ngettext(
            "{count} slower run is beyond the right edge",
            "{count} slower runs are beyond the right edge",
            beyond,
        ).format(count=beyond)
        marks.append(_Mark("", key=sentence))
    return _panel(
        _("Distribution"), (x, _titled(_("Time per batch"), _("ms"))), (y, _("Runs")), marks
    )


def _percentiles(series: LatencySeries) -> str:
    curves = [curve for curve in running(series) if curve.runs]
    values = [value for curve in curves for value in curve.milliseconds]
    x = powers(len(series.seconds))
    y = linear(min(values), max(values))
    marks = [
        _Mark(
            STYLES[curve.q], _line(x.places(curve.runs), y.places(curve.milliseconds)), curve.name
        )
        for curve in curves
    ]
    return _panel(_("Running percentiles"), (x, _("Runs so far")), (y, _("ms")), marks)


def _timeline(series: LatencySeries, times: Numbers) -> str:
    chosen = extremes(times, DOTS)
    starts = np.asarray(series.starts, np.float64)[chosen]
    x = linear(0.0, max(float(starts[-1]), 1e-3))
    y = linear(0.0, float(times.max()))
    # A dot is a line of no length with round ends.
    dots = "".join(
        f"M{a} {SQUARE - b}h0"
        for a, b in zip(x.places(starts), y.places(times[chosen]), strict=True)
    )
    marks = [_Mark("dots", dots)]
    if series.median is not None:
        marks.append(_Mark("median", f"M0 {_at(1 - y.part(series.median * 1e3))}H{SQUARE}"))
    marks += [_Mark("p99 dashed", _upright(x.part(run.start))) for run in series.dropped]
    if len(chosen) < times.size:
        sentence = _("{shown:,} of {count:,} runs drawn: fastest and slowest of each stretch")
        marks.append(_Mark("", key=sentence.format(shown=len(chosen), count=times.size)))
    since = _titled(_("Since the first run"), _("s"))
    return _panel(_("Every run"), (x, since), (y, _("ms")), marks, wide=True)


def _titled(title: str, unit: str) -> str:
    return f"{title} [{unit}]"


def _panel(
    title: str,
    across: tuple[Axis, str],
    up: tuple[Axis, str],
    marks: Sequence[_Mark],
    *,
    wide: bool = False,
) -> str:
    (x, x_title), (y, y_title) = across, up
    keys = "".join(
        f'<span class="{"key " if mark.style else ""}{mark.style}">{html.escape(mark.key)}</span>'
        for mark in marks
        if mark.key
    )
    grid = _Mark("grid", "".join(f"M0 {_at(1 - y.part(tick))}H{SQUARE}" for tick in y.ticks))
    drawn = "".join(
        f'<path class="{mark.style}" d="{mark.path}"></path>'
        for mark in (grid, *marks)
        if mark.path
    )
    ticks = "".join(
        f'<span class="tick y" style="bottom:{100 * y.part(at):.1f}%">{text}</span>'
        for at, text in zip(y.ticks, y.texts, strict=True)
    ) + "".join(
        f'<span class="tick x" style="left:{100 * x.part(at):.1f}%">{text}</span>'
        for at, text in zip(x.ticks, x.texts, strict=True)
    )
    return (
        f'<div class="{"wide" if wide else ""}"><div class="head"><b>{html.escape(title)}</b>'
        f'{keys}</div><div class="plot"><span class="unit">[{html.escape(y_title)}]</span>'
        f'<svg viewBox="0 0 {SQUARE} {SQUARE}" preserveAspectRatio="none">{drawn}</svg>'
        f'{ticks}</div><div class="axis">{html.escape(x_title)}</div></div>'
    )


def linear(low: float, high: float, *, whole: bool = False, most: int = 5) -> Axis:
    """An axis from ``low`` to ``high``, widened where they are equal, with ticks at 1, 2 or 5.

    Args:
        low: Smallest number shown.
        high: Largest number shown, not below ``low``.
        whole: Ticks at whole numbers only.
        most: Ticks, at most.
    """
    size = max(abs(low), abs(high))
    if high - low <= max(1e-6 * size, 1e-9):
        pad = 0.05 * size if size > 1e-6 else 1.0
        low, high = low - (pad if low else 0.0), high + pad
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(
        factor for factor in (1, 2, 5, 10, 20) if (high - low) / (step * factor) <= most - 1
    )
    if whole:
        step = max(1.0, step)
    first = math.ceil(low / step - 1e-9)
    ticks = tuple(step * n for n in range(first, math.floor(high / step + 1e-9) + 1))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return Axis(low, high, ticks, tuple(f"{tick:,.{decimals}f}" for tick in ticks))


def powers(most: int) -> Axis:
    """A logarithmic axis of counts from 1 to ``most`` with ticks at 1, 3, 10, 30 and so on."""
    ticks = tuple(
        float(10**power * first)
        for power in range(7)
        for first in (1, 3)
        if 10**power * first <= max(most, 3)
    )
    return Axis(1.0, float(max(most, 3)), ticks, tuple(f"{tick:,.0f}" for tick in ticks), log=True)


def _at(part: float) -> int:
    return round(SQUARE * part)


def _upright(part: float) -> str:
    return f"M{_at(part)} 0V{SQUARE}"


def _line(x: Sequence[int], y: Sequence[int]) -> str:
    points = [f"{a} {SQUARE - b}" for a, b in zip(x, y, strict=True)]
    return f"M{points[0]}h0" if len(points) == 1 else "M" + "L".join(points)
