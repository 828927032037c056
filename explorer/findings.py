"""The four findings of Canziani, Paszke and Culurciello 2016, as statistics of measurements.

What counts as "holds" is fixed here, before the data are seen; the paper gives no thresholds. Pure
functions of numbers: nothing here knows where a measurement comes from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from explorer.i18n import N_

Floats = npt.NDArray[np.float64]
Verdict = Literal["holds", "fails", "untestable"]

#: Networks below which a finding is not tested.
FEWEST = 8
#: Pearson's r of the logarithms at or above which operations count as a reliable estimate.
RELIABLE = 0.9
#: R² of the hyperbola at or above which the relation counts as hyperbolic.
EXPLAINED = 0.5
#: Coefficient of variation of the power at or below which it counts as constant.
CONSTANT = 0.1
#: Percentage points that a third of the energy must cost at least, for energy to bound accuracy.
BOUND_POINTS = 1.0

FINDINGS = ("power", "hyperbola", "energy", "operations")
"""In the order of the paper's abstract."""


@dataclass(frozen=True, slots=True)
class Point:
    """One network under one set of conditions; None where a number is not known.

    Attributes:
        model: Name.
        batch_size: Images per pass.
        image_seconds: Median time of a batch, shared among its images.
        macs: Multiply–accumulates of one image.
        params: Trainable parameters.
        top1: Percent on ImageNet.
        peak_bytes: Of one pass, without the weights.
        watts: Mean power.
        joules: Energy of one image.
        family: For its colour.
    """

    model: str
    batch_size: int
    image_seconds: float
    macs: float | None = None
    params: float | None = None
    top1: float | None = None
    peak_bytes: float | None = None
    watts: float | None = None
    joules: float | None = None
    family: str = ""


@dataclass(frozen=True, slots=True)
class Hyperbola:
    """top-1 = limit − scale / (time + shift), fitted by least squares.

    Attributes:
        limit: Percent, what endless time would reach.
        scale: Percent · seconds; positive where more time buys accuracy.
        shift: Seconds.
        r2: Share of the variance of accuracy that it explains.
        line_r2: The same of a straight line through the same points.
        better: Whether it beats the line by Akaike's criterion (AICc, one parameter more).
    """

    limit: float
    scale: float
    shift: float
    r2: float
    line_r2: float
    better: bool

    def at(self, seconds: Floats) -> Floats:
        """Percent at these times."""
        return self.limit - self.scale / (seconds + self.shift)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding on one set of measurements.

    Attributes:
        id: In ``FINDINGS``.
        verdict: Whether it holds here.
        n: Networks (power: measurements) that it was tested on.
        statistics: By name.
        reason: Msgid of why it cannot be tested; "" where it was.
        values: What fills the reason.
        curve: The hyperbola, where that is what was fitted.
    """

    id: str
    verdict: Verdict
    n: int
    statistics: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    curve: Hyperbola | None = None


def findings(points: Sequence[Point]) -> tuple[Finding, ...]:
    """All four, in the paper's order.

    Args:
        points: Networks at any batch sizes. Power is looked at over all of them; the others at the
            batch size that most networks were measured at, the smaller one of equals.
    """
    one = at_common_batch(points)
    return (power(points), hyperbola(one), energy(one), operations(one))


def at_common_batch(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points of the batch size that most networks have; the smaller one of equals."""
    sizes = [point.batch_size for point in points]
    if not sizes:
        return ()
    best = min(set(sizes), key=lambda size: (-sizes.count(size), size))
    return tuple(point for point in points if point.batch_size == best)


def operations(points: Sequence[Point]) -> Finding:
    """Finding 4: Pearson's r of log MACs and log time, with Fisher's 95 % interval; Spearman's ρ.

    ``factor`` is the typical error of the estimate: half of the networks lie within it.
    """
    known = [(p.macs, p.image_seconds) for p in points if p.macs and p.image_seconds > 0]
    if len(known) < FEWEST:
        return _too_few("operations", len(known))
    logs = np.log(np.array(known, np.float64))
    x, y = logs[:, 0], logs[:, 1]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return _no_spread("operations", len(known))
    r = pearson(x, y)
    slope = r * float(y.std() / x.std())
    errors = y - y.mean() - slope * (x - x.mean())
    low, high = fisher_interval(r, len(known))
    found = {
        "pearson": r, "low": low, "high": high, "spearman": spearman(x, y), "slope": slope,
        "factor": math.exp(float(np.median(np.abs(errors)))),
    }  # fmt: skip
    return Finding("operations", "holds" if r >= RELIABLE else "fails", len(known), found)


def hyperbola(points: Sequence[Point]) -> Finding:
    """Finding 2: a hyperbola fitted to accuracy against time, beside a straight line."""
    known = [(p.image_seconds, p.top1) for p in points if p.top1 is not None]
    if len(known) < FEWEST:
        return _too_few("hyperbola", len(known))
    data = np.array(known, np.float64)
    if np.ptp(data[:, 0]) == 0 or np.ptp(data[:, 1]) == 0:
        return _no_spread("hyperbola", len(known))
    fit = fit_hyperbola(data[:, 0], data[:, 1])
    holds = fit.r2 >= EXPLAINED and fit.better and fit.scale > 0
    found = {"r2": fit.r2, "line_r2": fit.line_r2, "limit": fit.limit}
    return Finding(
        "hyperbola", "holds" if holds else "fails", len(known), found, curve=fit
    )  # fmt: skip


def power(points: Sequence[Point]) -> Finding:
    """Finding 1: the coefficient of variation of the power over batch sizes and architectures."""
    known = [p for p in points if p.watts]
    networks = {p.model for p in known}
    if not known:
        return Finding("power", "untestable", 0, reason=N_("No power was measured."))
    if len(networks) < FEWEST:
        return _too_few("power", len(networks))
    watts = np.array([p.watts for p in known], np.float64)
    batches = np.array([p.batch_size for p in known], np.float64)
    spread = float(watts.std(ddof=1) / watts.mean())
    found = {"mean": float(watts.mean()), "cv": spread}
    if np.ptp(batches) > 0 and np.ptp(watts) > 0:
        found["spearman_batch"] = spearman(batches, watts)
    macs = np.array([p.macs or math.nan for p in known], np.float64)
    if np.isfinite(macs).all() and np.ptp(macs) > 0 and np.ptp(watts) > 0:
        found["spearman_macs"] = spearman(macs, watts)
    return Finding("power", "holds" if spread <= CONSTANT else "fails", len(known), found)


def energy(points: Sequence[Point]) -> Finding:
    """Finding 3: what a tight budget of energy takes away.

    Compared are the most accurate network among the third that need the least energy an image and
    the most accurate of all; and whether energy grows with operations (Spearman). It holds where
    the tight budget costs at least a percentage point and ρ reaches 0.9.
    """
    known = [(p.joules, p.top1, p.macs) for p in points if p.joules and p.top1 and p.macs]
    if not any(p.joules for p in points):
        return Finding("energy", "untestable", 0, reason=N_("No energy was measured."))
    if len(known) < FEWEST:
        return _too_few("energy", len(known))
    data = np.array(sorted(known), np.float64)
    third = len(data) // 3
    gap = float(data[:, 1].max() - data[:third, 1].max())
    rho = spearman(data[:, 0], data[:, 2])
    holds = gap >= BOUND_POINTS and rho >= RELIABLE
    found = {"gap": gap, "budget": float(data[third - 1, 0]), "spearman": rho}
    return Finding("energy", "holds" if holds else "fails", len(known), found)


def fit_hyperbola(seconds: Floats, top1: Floats) -> Hyperbola:
    """Least squares of limit − scale / (t + shift).

    For a given shift the others are linear; the shift is searched between almost the negative of
    the shortest time and a hundred times the longest, on a grid that is refined three times.
    """
    low, high = float(seconds.min()), float(seconds.max())
    logs = np.linspace(math.log(1e-3 * low), math.log(low + 100 * high), 241)
    best = (math.inf, 0.0, 0.0, 0.0)
    for _round in range(4):
        for place in logs:
            shift = math.exp(float(place)) - low
            best = min(best, (*_linear(1 / (seconds + shift), top1), shift))
        middle, width = math.log(best[3] + low), float(logs[1] - logs[0])
        logs = np.linspace(middle - width, middle + width, 41)
    rest, limit, slope, shift = best
    line = _linear(seconds, top1)[0]
    total = float(((top1 - top1.mean()) ** 2).sum())
    n = len(top1)
    return Hyperbola(
        limit=limit,
        scale=-slope,
        shift=shift,
        r2=1 - rest / total,
        line_r2=1 - line / total,
        better=_aicc(rest, n, 4) < _aicc(line, n, 3),
    )


def _linear(x: Floats, y: Floats) -> tuple[float, float, float]:
    """(sum of squared errors, intercept, slope) of y on x."""
    x_mean, y_mean = float(x.mean()), float(y.mean())
    square = float(((x - x_mean) ** 2).sum())
    slope = float(((x - x_mean) * (y - y_mean)).sum()) / square if square else 0.0
    intercept = y_mean - slope * x_mean
    return float(((y - intercept - slope * x) ** 2).sum()), intercept, slope


def _aicc(rest: float, n: int, k: int) -> float:
    """Akaike's criterion for least squares, corrected for small samples; k counts the variance."""
    return n * math.log(max(rest, 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def pearson(x: Floats, y: Floats) -> float:
    """Correlation of two samples that both vary."""
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x: Floats, y: Floats) -> float:
    """Correlation of the ranks; equal values share the mean of theirs."""
    return pearson(_ranks(x), _ranks(y))


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """95 % interval of Pearson's r (Fisher 1921): tanh(artanh r ± 1.96 / √(n − 3))."""
    if n <= 3 or abs(r) >= 1:
        return r, r
    centre, half = math.atanh(r), 1.959964 / math.sqrt(n - 3)
    return math.tanh(centre - half), math.tanh(centre + half)


def _ranks(values: Floats) -> Floats:
    _unique, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts + 1) / 2)[inverse]
    return ranks


def _too_few(id: str, n: int) -> Finding:
    message = N_("Too few networks with these numbers: {n}; {needed} are needed.")
    return Finding(id, "untestable", n, reason=message, values={"n": n, "needed": FEWEST})


def _no_spread(id: str, n: int) -> Finding:
    return Finding(
        id, "untestable", n, reason=N_("All networks have the same value; there is no relation.")
    )


_MORE_DATA = (
    "in21k", "in22k", "in12k", "ig1b", "yfcc100m", "clip", "laion2b", "laiona", "jft", "swag",
    "openai", "lvd", "webli", "m38m", "m30m", "seer", "miil",
)  # fmt: skip


def imagenet_only(tag: str) -> bool:
    """Whether timm's pretrained tag names ImageNet-1k and no larger data set."""
    parts = tag.split("_")
    return "in1k" in parts and not any(word in tag for word in _MORE_DATA)


def timm_points(device: Literal["cpu", "gpu"]) -> tuple[Point, ...]:
    """The table that timm publishes for a device, one point for each architecture and size.

    Accuracy is that of the best weights trained on ImageNet-1k alone; None where there are none.
    """
    from explorer.catalog import timm_results as timm

    table = timm.benchmark(timm.CPU_FILE if device == "cpu" else timm.GPU_FILE)
    top1: dict[tuple[str, int], float] = {}
    for row in timm.results():
        if imagenet_only(row.tag):
            key = (row.model, row.img_size)
            top1[key] = max(row.top1, top1.get(key, 0.0))
    return tuple(_timm_point(row, top1.get(key)) for key, row in table.items())


def _timm_point(row: Any, top1: float | None) -> Point:
    return Point(
        model=f"{row.model} {row.img_size}",
        batch_size=row.batch_size,
        image_seconds=row.image_seconds,
        macs=row.macs_giga * 1e9 or None,
        params=row.params_millions * 1e6,
        top1=top1,
    )


def timm_findings(device: Literal["cpu", "gpu"]) -> tuple[Finding, ...]:
    """The findings on timm's table; its GPU batch sizes differ, so that all are taken together."""
    points = timm_points(device)
    return (power(points), hyperbola(points), energy(points), operations(points))


def curve_points(
    fit: Hyperbola, seconds: Iterable[float], steps: int = 120
) -> tuple[Floats, Floats]:
    """The hyperbola over the range of the times, even on a logarithmic axis: (seconds, percent)."""
    times = np.array(list(seconds), np.float64)
    grid = np.geomspace(times.min(), times.max(), steps)
    return grid, fit.at(grid)
