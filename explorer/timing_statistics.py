"""What raw times say: percentiles that are earned, the median's interval, signs of unsteadiness.

Pure functions of numpy arrays. Times are seconds; nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]

#: Runs that must lie beyond a percentile before it is told.
BEYOND = 10
CONFIDENCE = 0.95
#: Fewest runs among which a drift or two groups are looked for.
FEWEST_DRIFT = 30
FEWEST_GROUPS = 100
#: Change of the median from the first to the last third of the runs that is called a drift.
DRIFT = 0.05
#: Rank correlation of time and order, in its standard deviations: one false alarm in a thousand.
DRIFT_SIGMAS = 3.29
#: Share of the runs that the smaller of two groups holds at least.
GROUP = 0.1
#: Distance of two groups' peaks relative to the lower one.
GROUPS_APART = 0.05
#: Height of the valley between two groups relative to the lower peak, at most.
VALLEY = 0.5
#: Share of the machine's cores that other programs use on average before it is said.
OTHER_LOAD = 0.1
#: Change of the clock frequency, from lowest to highest, that is said.
FREQUENCY = 0.1


@dataclass(frozen=True, slots=True)
class Unsteady:
    """One reason not to trust a median to the last digit.

    Attributes:
        kind: "drift", "bimodal", "load" or "frequency".
        values: The numbers behind it.
    """

    kind: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one sample of times, in seconds; a percentile that is not earned is None.

    Attributes:
        runs: Size of the sample.
        median: Of the times; None for an empty sample.
        mean: Arithmetic.
        minimum: Fastest run.
        maximum: Slowest run.
        p5: 5th percentile.
        p25: Lower quartile.
        p75: Upper quartile.
        p95: 95th percentile.
        p99: 99th percentile.
        interval: Confidence interval of the median; None below six runs.
        confidence: Of the interval, at least, where runs are independent of each other.
    """

    runs: int
    median: float | None
    mean: float | None
    minimum: float | None
    maximum: float | None
    p5: float | None
    p25: float | None
    p75: float | None
    p95: float | None
    p99: float | None
    interval: tuple[float, float] | None
    confidence: float = CONFIDENCE

    @property
    def iqr(self) -> float | None:
        """Distance of the quartiles."""
        return None if self.p25 is None or self.p75 is None else self.p75 - self.p25


def runs_needed(q: float) -> int:
    """Runs that earn the q-th percentile: ten must lie beyond it (p95: 200, p99: 1,000).

    The median needs one run.
    """
    if q == 50:
        return 1
    # The exact quotient: 10 / 0.01 must not become 1,001.
    tail = min(q, 100 - q)
    return math.ceil(round(BEYOND * 100 / tail, 6)) if tail > 0 else 0


def percentile(seconds: Times, q: float) -> float | None:
    """The q-th percentile, q in 0…100; None where the sample does not earn it.

    Linear between order statistics (Hyndman & Fan 1996, type 7). The extremes (0 and 100) are never
    earned: they say how long was measured.
    """
    return percentiles(seconds, (q,))[0]


def percentiles(seconds: Times, qs: Sequence[float]) -> tuple[float | None, ...]:
    """Several percentiles of one sample, which is sorted once for all of them."""
    earned = [q for q in qs if 0 < runs_needed(q) <= len(seconds)]
    if not earned:
        return (None,) * len(qs)
    found = dict(zip(earned, np.percentile(seconds, earned).tolist(), strict=True))
    return tuple(found.get(q) for q in qs)


def summarise(seconds: Times) -> Statistics:
    """All of a sample's statistics."""
    times = np.asarray(seconds, np.float64)
    some = times.size > 0
    p5, p25, median, p75, p95, p99 = percentiles(times, (5, 25, 50, 75, 95, 99))
    return Statistics(
        runs=int(times.size),
        median=median,
        mean=float(times.mean()) if some else None,
        minimum=float(times.min()) if some else None,
        maximum=float(times.max()) if some else None,
        p5=p5,
        p25=p25,
        p75=p75,
        p95=p95,
        p99=p99,
        interval=median_interval(times),
    )


def median_interval(seconds: Times, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Confidence interval of the median from order statistics, whatever the distribution.

    The number of runs below the true median is binomial (n, 1/2), so that the j-th smallest and the
    j-th largest time enclose it with probability 1 − 2·P(B ≤ j − 1); the largest such j is taken
    (Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2; Hahn & Meeker,
    Statistical Intervals, 1991, section 5.2). Runs are taken as independent.

    Returns:
        (low, high) in seconds; None where even the extremes do not reach the confidence (below six
        runs for 95 %).
    """
    rank = interval_rank(len(seconds), confidence)
    if rank == 0:
        return None
    ordered = np.partition(seconds, (rank - 1, len(seconds) - rank))
    return float(ordered[rank - 1]), float(ordered[len(seconds) - rank])


def interval_rank(n: int, confidence: float = CONFIDENCE) -> int:
    """The largest j, counted from 1, whose order statistics reach the confidence; 0 for none."""
    alpha = (1 - confidence) / 2
    if n < 1:
        return 0
    if n > 2000:  # the normal limit with continuity correction is within one rank there
        sigmas = {0.95: 1.959964}.get(confidence) or _normal_quantile(1 - alpha)
        return max(0, math.floor(n / 2 - 0.5 - sigmas * math.sqrt(n) / 2 + 0.5))
    k = np.arange(1, n + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * math.log(2)
    below = np.cumsum(np.exp(logs))  # P(B ≤ 0), P(B ≤ 1), …
    return int(np.searchsorted(below, alpha, side="right"))


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


def drift(seconds: Times) -> Unsteady | None:
    """Whether times go up or down while they are taken.

    Both must hold: Spearman's rank correlation of time and order lies beyond 3.29 of its standard
    deviations, 1/√(n − 1), under independence; and the medians of the first and the last third
    differ by more than 5 %.
    """
    n = len(seconds)
    if n < FEWEST_DRIFT:
        return None
    order = np.arange(n)
    rho = float(np.corrcoef(_ranks(seconds), order)[0, 1]) if np.ptp(seconds) > 0 else 0.0
    first, last = float(np.median(seconds[: n // 3])), float(np.median(seconds[-(n // 3) :]))
    change = last / first - 1 if first > 0 else 0.0
    if abs(rho) * math.sqrt(n - 1) <= DRIFT_SIGMAS or abs(change) <= DRIFT:
        return None
    return Unsteady("drift", {"change": change, "first": first, "last": last, "rho": rho})


def _ranks(values: Times) -> Times:
    """Ranks from 0; equal values share the mean of theirs."""
    _unique, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Times = (ends - (counts + 1) / 2)[inverse]
    return ranks


def bimodality(seconds: Times) -> Unsteady | None:
    """Whether times fall into two groups, as when a thread moves between kinds of cores.

    The density of the logarithms is estimated with a Gaussian kernel of Silverman's width
    (Silverman, Density Estimation, 1986, eq. 3.31: 0.9 · min(σ, IQR / 1.34) · n^(−1/5)); two peaks
    count where the valley between them is at most half as high as the lower one, each side holds at
    least a tenth of the runs, and they are 5 % apart. One long tail is no second group.
    """
    n = len(seconds)
    if n < FEWEST_GROUPS or float(seconds.min()) <= 0:
        return None
    logs = np.log(seconds)
    low, high = np.percentile(logs, (25, 75))
    width = 0.9 * min(float(logs.std()), float(high - low) / 1.34) * n**-0.2
    if width <= 0:
        return None
    left, right = np.percentile(logs, (1, 99))
    grid = np.linspace(left - 3 * width, right + 3 * width, 512)
    density = _density(logs, grid, width)
    inner = density[1:-1]
    peaks = np.flatnonzero((inner > density[:-2]) & (inner >= density[2:])) + 1
    best: Unsteady | None = None
    deepest = VALLEY
    for i, one in enumerate(peaks):
        for two in peaks[i + 1 :]:
            valley = one + int(np.argmin(density[one : two + 1]))
            depth = float(density[valley] / min(density[one], density[two]))
            slow = logs > grid[valley]
            share = float(slow.mean())
            if depth > deepest or min(share, 1 - share) < GROUP:
                continue
            # The groups' own medians: the kernel is wide, and its peaks lean towards each other.
            below, above = float(np.median(seconds[~slow])), float(np.median(seconds[slow]))
            if above / below - 1 >= GROUPS_APART:
                deepest = depth
                best = Unsteady("bimodal", {"low": below, "high": above, "share": share})
    return best


def _density(values: Times, grid: Times, width: float) -> Times:
    """A Gaussian kernel density on an even grid: counted in bins, then smoothed."""
    step = grid[1] - grid[0]
    edges = np.concatenate([grid - step / 2, [grid[-1] + step / 2]])
    counts = np.histogram(values, bins=edges)[0].astype(np.float64)
    reach = min(len(grid) // 2, max(1, math.ceil(4 * width / step)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smoothed: Times = np.convolve(counts, kernel / kernel.sum(), mode="same")
    return smoothed


def other_load(other_cores: Times, cores: int) -> Unsteady | None:
    """Whether other programs kept more than a tenth of the machine's cores busy meanwhile."""
    known = other_cores[np.isfinite(other_cores)]
    if known.size == 0 or cores < 1 or float(known.mean()) <= OTHER_LOAD * cores:
        return None
    return Unsteady("load", {"busy": float(known.mean()), "cores": cores})


def frequency(mhz: Times) -> Unsteady | None:
    """Whether the processor's clock frequency moved by more than a tenth meanwhile."""
    known = mhz[np.isfinite(mhz)]
    if known.size < 2 or float(known.min()) <= 0:
        return None
    low, high = float(known.min()), float(known.max())
    if high / low - 1 <= FREQUENCY:
        return None
    return Unsteady("frequency", {"low": low, "high": high})
