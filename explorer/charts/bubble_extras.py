"""What lies under and over the bubbles: front, ring, arrows, trend with its interval, density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.i18n import _

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from explorer.charts.bubble import Bubbles, View

    Floats = npt.NDArray[np.float64]

GREY = "#8a8d99"
RING = "#e8590c"
CONFIDENCE = 0.95
_BINS, _SMOOTH = 48, 1.6  # cells a side, and standard deviation of the blur in cells


def front_trace(bubbles: Bubbles, front: Sequence[int]) -> dict[str, Any]:
    """A dotted staircase through the rows that no other row beats on both axes."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("Pareto front"),
        "x": [bubbles.x[i] for i in front],
        "y": [bubbles.y[i] for i in front],
        "line": {"shape": "hv", "dash": "dot", "width": 2, "color": GREY},
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
            "color": RING,
            "line": {"width": 3, "color": RING},
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def arrow_trace(bubbles: Bubbles) -> dict[str, Any] | None:
    """Arrows from the rows that others follow to these; None where there are none."""
    places = {row.id: index for index, row in enumerate(bubbles.rows)}
    pairs = [
        (places[row.follows], index)
        for index, row in enumerate(bubbles.rows)
        if row.follows in places
    ]
    if not pairs:
        return None
    x: list[float | None] = []
    y: list[float | None] = []
    gaps: list[float] = []
    for old, new in pairs:
        x += [bubbles.x[old], bubbles.x[new], None]
        y += [bubbles.y[old], bubbles.y[new], None]
        gaps += [0.0, bubbles.diameters[new] / 2, 0.0]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _("Older → newer weights"),
        "x": x,
        "y": y,
        "line": {"width": 1.2, "color": GREY},
        "marker": {
            "symbol": "arrow", "angleref": "previous", "size": [0, 9, 0] * len(pairs),
            "standoff": gaps, "color": GREY, "line": {"width": 0},
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trend:
    """A least-squares line y = intercept + slope · x on the axes as drawn.

    Attributes:
        slope: Of y for one unit of x: a factor of ten where x is logarithmic.
        intercept: y at x = 0.
        low: Lower end of the slope's 95 % confidence interval.
        high: Upper end.
        r2: Share of y's variance that the line explains.
        count: Rows.
    """

    slope: float
    intercept: float
    low: float
    high: float
    r2: float
    count: int


def fit(x: Floats, y: Floats) -> Trend | None:
    """The line through points on the axes' own scales; None for fewer than three different x.

    Ordinary least squares; the interval is slope ± t · s / √Σ(x - x̄)², s² = Σ residual² / (n - 2),
    t of Student's distribution with n - 2 degrees of freedom.
    """
    import numpy as np
    from scipy.special import stdtrit

    count = len(x)
    spread = float(np.sum((x - x.mean()) ** 2)) if count else 0.0
    if count < 3 or spread <= 0 or len(np.unique(x)) < 3:
        return None
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / spread)
    intercept = float(y.mean() - slope * x.mean())
    rest = float(np.sum((y - intercept - slope * x) ** 2))
    whole = float(np.sum((y - y.mean()) ** 2))
    t = float(stdtrit(count - 2, (1 + CONFIDENCE) / 2))
    reach = t * (rest / (count - 2) / spread) ** 0.5
    r2 = 1 - rest / whole if whole else 1.0
    return Trend(slope, intercept, slope - reach, slope + reach, r2, count)


def trend_traces(bubbles: Bubbles, view: View) -> list[dict[str, Any]]:
    """The trend's line and the 95 % confidence band of its mean; nothing for too few rows."""
    import numpy as np
    from scipy.special import stdtrit

    x, y = _places(bubbles, view)
    line = fit(x, y)
    if line is None:
        return []
    grid = np.linspace(x.min(), x.max(), 60)
    middle = line.intercept + line.slope * grid
    spread = np.sum((x - x.mean()) ** 2)
    s2 = np.sum((y - line.intercept - line.slope * x) ** 2) / (line.count - 2)
    t = stdtrit(line.count - 2, (1 + CONFIDENCE) / 2)
    reach = t * np.sqrt(s2 * (1 / line.count + (grid - x.mean()) ** 2 / spread))
    across = _back(np.concatenate([grid, grid[::-1]]), view.log_x)
    band = _back(np.concatenate([middle + reach, (middle - reach)[::-1]]), view.log_y)
    common = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    return [
        common | {
            "x": across, "y": band, "fill": "toself", "fillcolor": "rgba(0,114,178,0.16)",
            "line": {"width": 0}, "name": _("95 % confidence of the mean"),
        },
        common | {
            "x": _back(grid, view.log_x), "y": _back(middle, view.log_y), "name": _("Trend"),
            "line": {"width": 2, "color": "#0072b2"},
        },
    ]  # fmt: skip


def trend_of(bubbles: Bubbles, view: View) -> Trend | None:
    """The trend of the rows as drawn."""
    return fit(*_places(bubbles, view))


def density_trace(bubbles: Bubbles, view: View) -> list[dict[str, Any]]:
    """Contours of how many rows lie where: counts in cells of the plot, blurred."""
    import numpy as np

    x, y = _places(bubbles, view)
    counts, x_edges, y_edges = np.histogram2d(x, y, _BINS, (view.x_range, view.y_range))
    steps = np.arange(-5, 6)
    kernel = np.exp(-(steps**2) / (2 * _SMOOTH**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        counts = np.apply_along_axis(np.convolve, axis, counts, kernel, "same")
    middle_x, middle_y = (x_edges[:-1] + x_edges[1:]) / 2, (y_edges[:-1] + y_edges[1:]) / 2
    trace = {
        "type": "contour",
        "x": _back(middle_x, view.log_x),
        "y": _back(middle_y, view.log_y),
        "z": np.round(counts.T, 3).tolist(),
        "ncontours": 8,
        "colorscale": [[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,0.5)"]],
        "line": {"width": 0.6, "color": GREY},
        "showscale": False,
        "hoverinfo": "skip",
        "name": _("Density"),
    }
    return [trace]


def _places(bubbles: Bubbles, view: View) -> tuple[Floats, Floats]:
    """All rows on the axes' own scales."""
    import numpy as np

    places = [view.place(x, y) for x, y in zip(bubbles.x, bubbles.y, strict=True)]
    found = np.asarray(places, dtype=np.float64)
    return found[:, 0], found[:, 1]


def _back(values: Floats, log: bool) -> list[float]:
    """From an axis's own scale to the values that Plotly takes."""
    return [float(10**value if log else value) for value in values]
