"""The axes of figures 3 to 9 of Canziani et al. 2016 (arXiv:1605.07678), for measurements."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.findings import Hyperbola, Point, curve_points
from explorer.i18n import N_, _

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is on an axis.

    Attributes:
        title: Msgid.
        unit: Msgid.
        of: Its value of a point in the unit shown; None where it is not known.
        log: Whether the axis is logarithmic.
        convention: Msgid of what is counted.
    """

    title: str
    unit: str
    of: Callable[[Point], float | None]
    log: bool = False
    convention: str = ""


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


_BATCH = Quantity(N_("Images per batch"), "", lambda p: p.batch_size, log=True)
_TIME = Quantity(N_("Time per image"), N_("ms"), lambda p: p.image_seconds * 1e3, log=True)
_POWER = Quantity(N_("Power"), N_("W"), lambda p: p.watts, convention=N_("mean over the runs"))
_MEMORY = Quantity(
    N_("Memory of one pass"), N_("MiB"), lambda p: _scaled(p.peak_bytes, 2**20), log=True,
    convention=N_("allocator's peak, without the weights"),
)  # fmt: skip
_PARAMS = Quantity(N_("Parameters"), N_("million"), lambda p: _scaled(p.params, 1e6), log=True)
_MACS = Quantity(
    N_("Multiply–accumulates"), N_("GMACs"), lambda p: _scaled(p.macs, 1e9), log=True
)  # fmt: skip
_RATE = Quantity(N_("Throughput"), N_("images/s"), lambda p: 1 / p.image_seconds, log=True)
_TOP1 = Quantity(
    N_("Top-1 accuracy"), N_("%"), lambda p: p.top1,
    convention=N_("as published for the weights, ImageNet validation set"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """One figure's axes.

    Attributes:
        id: For the address.
        title: Msgid.
        x: On the horizontal axis.
        y: On the vertical axis.
        lines: Whether a network's points are joined: it has one at each batch size.
        absent: Msgid of the sentence when there is nothing to draw.
    """

    id: str
    title: str
    x: Quantity
    y: Quantity
    lines: bool
    absent: str


_NO_TIME = N_("Nothing with these numbers is measured yet.")
_NO_POWER = N_("This machine does not tell its power, so that there is nothing to draw here.")
_NO_MEMORY = N_("No memory was measured: torch does not tell it on this device.")

FIGURES: Mapping[str, PaperFigure] = {
    figure.id: figure
    for figure in (
        PaperFigure(
            "time-batch", N_("Time per image against batch"), _BATCH, _TIME, True, _NO_TIME
        ),
        PaperFigure("power-batch", N_("Power against batch"), _BATCH, _POWER, True, _NO_POWER),
        PaperFigure("memory-batch", N_("Memory against batch"), _BATCH, _MEMORY, True, _NO_MEMORY),
        PaperFigure(
            "memory-params", N_("Memory against parameters"), _PARAMS, _MEMORY, False, _NO_MEMORY
        ),
        PaperFigure(
            "operations-time", N_("Operations against time"), _TIME, _MACS, False, _NO_TIME
        ),
        PaperFigure(
            "operations-power", N_("Operations against power"), _POWER, _MACS, False, _NO_POWER
        ),
        PaperFigure(
            "accuracy-rate", N_("Accuracy against images per second"), _RATE, _TOP1, False, _NO_TIME
        ),
        PaperFigure(
            "accuracy-time", N_("Accuracy against time"), _TIME, _TOP1, False, _NO_TIME
        ),
    )
}  # fmt: skip


def paper_figure(
    figure: PaperFigure,
    points: Sequence[Point],
    *,
    curve: Hyperbola | None = None,
    width: int = 1080,
) -> go.Figure:
    """Measured networks on a figure's axes.

    Args:
        figure: Its axes.
        points: Of any batch sizes where a network's points are joined, else of one.
        curve: The hyperbola, drawn on the axes of accuracy against time.
        width: Pixels; on a narrow page the legend stands below.
    """
    known = [p for p in points if figure.x.of(p) is not None and figure.y.of(p) is not None]
    if not known:
        return theme.empty(_(figure.absent), height=200)
    traces = _traces(figure, known)
    if curve is not None and figure.id == "accuracy-time":
        traces.append(_curve(curve, known))
    narrow = width < 600
    legend = (
        {"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top"} if narrow else {"x": 1.01, "y": 1}
    )
    networks = len({point.model for point in known})
    layout = {
        "xaxis": _axis(figure.x, known),
        "yaxis": _axis(figure.y, known),
        "height": 420 + (24 * networks if narrow else max(0, 22 * networks - 380)),
        "legend": legend,
        "showlegend": True,
        "dragmode": False,
    }
    alt = _("{title}: {count} networks.").format(title=_(figure.title), count=networks)
    return theme.figure(traces, layout, alt=alt)


def _traces(figure: PaperFigure, points: Sequence[Point]) -> list[dict[str, Any]]:
    """One for each network, coloured by family, with a symbol of its own within the family."""
    names = list(dict.fromkeys(point.model for point in points))
    seen: dict[str, int] = {}
    traces = []
    for name in names:
        own = sorted((p for p in points if p.model == name), key=lambda p: p.batch_size)
        family = own[0].family
        place = seen[family] = seen.get(family, -1) + 1
        colour = theme.family_colour(family)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if figure.lines else "markers",
                "name": html.escape(name),
                "x": [figure.x.of(point) for point in own],
                "y": [figure.y.of(point) for point in own],
                "customdata": [point.batch_size for point in own],
                "line": {"color": colour, "width": 2},
                "marker": {
                    "size": 11,
                    "color": colour,
                    "symbol": _SYMBOLS[place % len(_SYMBOLS)],
                },
                "hovertemplate": "%{x:.4~g} "
                + _(figure.x.unit)
                + ", %{y:.4~g} "
                + _(figure.y.unit)
                + "<br>"
                + _("batch %{customdata}"),
            }
        )
    return traces


def _curve(curve: Hyperbola, points: Sequence[Point]) -> dict[str, Any]:
    times, top1 = curve_points(curve, [point.image_seconds for point in points])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("hyperbola"),
        "x": (times * 1e3).tolist(),
        "y": top1.tolist(),
        "line": {"color": "#8a8d96", "width": 2, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _axis(quantity: Quantity, points: Sequence[Point]) -> dict[str, Any]:
    title = theme.axis_title(_(quantity.title), _(quantity.unit), _(quantity.convention))
    axis: dict[str, Any] = {"title": title}
    if quantity.log:
        axis |= {"type": "log", **_ticks([quantity.of(point) or 0.0 for point in points])}
    if quantity is _BATCH:
        sizes = sorted({point.batch_size for point in points})
        axis |= {"tickvals": sizes, "ticktext": [str(size) for size in sizes]}
    return axis


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    """1, 2, 5, 10, … over the values, written in full: Plotly writes 2 where it means 200."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    steps = [first * 10.0**power for power in range(low, high + 1) for first in (1, 2, 5)]
    return {"tickvals": steps, "ticktext": [f"{step:,.15g}" for step in steps]}
