"""Predictions as bars, attribution maps as a heat map over the image that the network saw."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorer.charts import theme
from explorer.i18n import _

if TYPE_CHECKING:
    import numpy.typing as npt
    import plotly.graph_objects as go

    from explorer.results import Attribution, ClassScore, TrustCard

BAR = "#0072b2"
# Blue for what speaks against, orange for what speaks for: the pair that all common forms of colour
# blindness keep apart (Okabe & Ito 2008). Weak values are transparent, so that the image is seen.
DIVERGING = (
    (0.0, "rgba(0,90,181,1)"),
    (0.25, "rgba(86,160,233,0.75)"),
    (0.5, "rgba(247,247,247,0)"),
    (0.75, "rgba(245,160,60,0.75)"),
    (1.0, "rgba(200,70,0,1)"),
)
# Rises evenly in lightness, from transparent over red to pale yellow.
SEQUENTIAL = (
    (0.0, "rgba(60,8,70,0)"),
    (0.35, "rgba(150,30,90,0.7)"),
    (0.7, "rgba(235,110,40,0.9)"),
    (1.0, "rgba(252,240,150,1)"),
)


@dataclass(frozen=True, slots=True)
class MapOptions:
    """How a map is drawn.

    Attributes:
        opacity: 0…1 of the whole map.
        mode: "signed" with two colours, "positive" (what speaks for the class) or "absolute".
        scale: |value| drawn at full strength; None for the map's own 99th percentile of |value|.
        height: Pixels.
        colourbar: Show the scale beside the map.
    """

    opacity: float = 0.8
    mode: Literal["signed", "positive", "absolute"] = "signed"
    scale: float | None = None
    height: int = 420
    colourbar: bool = True


def probability_bars(top: Sequence[ClassScore], *, most: int = 5, height: int = 0) -> go.Figure:
    """The most probable classes as horizontal bars, names above the bars so that none is cut.

    Args:
        top: What a network said of an image, best first.
        most: Classes shown.
        height: Pixels; 0 for 46 a class.
    """
    scores = top[:most]
    if not scores:
        return theme.empty(_("The network gave no class."))
    count = len(scores)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [100 * score.probability for score in scores],
        "y": list(range(count)),
        "width": 0.36,
        "customdata": [[score.index, html.escape(score.label), score.logit] for score in scores],
        "text": [f"{100 * score.probability:.1f} %" for score in scores],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": _(
            "%{customdata[1]} (class %{customdata[0]})<br>probability %{x:.3f} %<br>"
            "logit %{customdata[2]:.3f}"
        )
        + "<extra></extra>",
        "marker": {"color": BAR, "opacity": [1.0] + [0.6] * (count - 1)},
        # Spelled out: without them, plotly.js fails on the labels of a bar that is clicked.
        "selected": {"marker": {"opacity": 1.0}, "textfont": {"color": BAR}},
        "unselected": {"marker": {"opacity": 0.6}, "textfont": {"color": BAR}},
        "showlegend": False,
    }
    names = [
        {
            "text": html.escape(_shortened(score.label)), "x": 0, "y": place, "xanchor": "left",
            "yanchor": "bottom", "yshift": 8, "showarrow": False,
        }
        for place, score in enumerate(scores)
    ]  # fmt: skip
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Probability"), "%", _("softmax over all classes")),
            # Room at the right for the longest number.
            "range": [0, 120], "tickvals": [0, 25, 50, 75, 100], "fixedrange": True,
        },
        "yaxis": {
            "visible": False, "fixedrange": True, "range": [count - 0.5, -0.75],
        },
        "height": height or 46 * count + 90,
        "annotations": names,
        "margin": {"t": 4, "b": theme.BELOW - 8},
        "dragmode": False,
    }  # fmt: skip
    first = scores[0]
    alt = _("The network says {label} with a probability of {probability}.").format(
        label=first.label, probability=f"{100 * first.probability:.1f} %"
    )
    return theme.figure([bars], layout, alt=alt)


def shared_scale(maps: Sequence[Attribution], percentile: float = 99.0) -> float:
    """One |value| at full strength for several maps: the largest of their percentiles.

    Args:
        maps: Attributions to be seen side by side.
        percentile: Of |value| in each map, 0…100.

    Returns:
        0 where there are no maps or all are zero.
    """
    return max((_own_scale(item.map, percentile) for item in maps), default=0.0)


def attribution_map(found: Attribution, options: MapOptions = MapOptions()) -> go.Figure:
    """The map over the crop; the value of every pixel is in its hover text.

    Args:
        found: Map (H, W) and crop (H, W, 3).
        options: Sign, opacity and scale.
    """
    values = np.nan_to_num(np.asarray(found.map, np.float64), posinf=0.0, neginf=0.0)
    if options.mode == "positive":
        values = np.clip(values, 0, None)
    elif options.mode == "absolute":
        values = np.abs(values)
    scale = options.scale or _own_scale(found.map, 99.0) or 1.0
    rows, columns = values.shape
    signed = options.mode == "signed"
    heat = {
        "type": "heatmap",
        "z": np.round(values, 6).astype(np.float32),
        "x0": 0.5, "dx": 1, "y0": 0.5, "dy": 1,
        "zmin": -scale if signed else 0.0,
        "zmax": scale,
        "colorscale": [list(stop) for stop in (DIVERGING if signed else SEQUENTIAL)],
        "opacity": min(max(options.opacity, 0.0), 1.0),
        "zsmooth": False,
        "showscale": options.colourbar,
        "colorbar": {
            "title": {"text": _("Attribution"), "side": "right"}, "thickness": 12,
            "exponentformat": "e", "nticks": 5, "outlinewidth": 0,
        },
        "hovertemplate": _("column %{x:.0f}, row %{y:.0f}: %{z:.4g}") + "<extra></extra>",
    }  # fmt: skip
    layout = {
        "images": [_picture(found.crop, rows, columns)],
        "xaxis": {"visible": False, "range": [0, columns], "constrain": "domain"},
        "yaxis": {
            "visible": False, "range": [rows, 0], "scaleanchor": "x", "constrain": "domain",
        },
        "height": options.height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "dragmode": False,
    }  # fmt: skip
    alt = _("Attribution map of {rows} × {columns} pixels over the image.").format(
        rows=rows, columns=columns
    )
    return theme.figure([heat], layout, alt=alt)


def difference_map(
    first: Attribution, second: Attribution, options: MapOptions = MapOptions()
) -> go.Figure:
    """One map minus another over the crop, each first divided by its own 99th percentile.

    Args:
        first: Where it is stronger, the difference is positive.
        second: Of the same image.
        options: Opacity and height; the scale is 1, both signs are shown.
    """
    parts = [
        np.nan_to_num(np.asarray(item.map, np.float64)) / (_own_scale(item.map, 99.0) or 1.0)
        for item in (first, second)
    ]
    difference = replace(first, map=np.asarray(parts[0] - parts[1], np.float32))
    return attribution_map(difference, replace(options, mode="signed", scale=1.0))


def trust_curves(card: TrustCard, *, height: int = 300) -> go.Figure:
    """Deletion and insertion by the map, over the range of random orders.

    Args:
        card: With both curves.
        height: Pixels.
    """
    traces: list[dict[str, Any]] = []
    named = (
        (card.deletion, _("strongest taken out"), "#d55e00", "rgba(213,94,0,0.18)"),
        (card.insertion, _("strongest put in"), BAR, "rgba(0,114,178,0.18)"),
    )
    for curve, name, colour, pale in named:
        if curve is None:
            continue
        x = [100 * float(share) for share in curve.shares]
        low, high = 100 * curve.random_scores.min(axis=0), 100 * curve.random_scores.max(axis=0)
        traces.append(
            {
                "type": "scatter", "x": [*x, *x[::-1]], "y": [*high.tolist(), *low[::-1].tolist()],
                "fill": "toself", "fillcolor": pale, "line": {"width": 0}, "hoverinfo": "skip",
                "mode": "lines", "name": _("random orders"), "showlegend": False,
            }
        )  # fmt: skip
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": x, "name": name,
                "y": (100 * curve.scores).tolist(), "line": {"color": colour, "width": 2.5},
                "hovertemplate": _("%{x:.0f} % of the places: %{y:.2f} %") + "<extra></extra>",
            }
        )  # fmt: skip
    if not traces:
        return theme.empty(_("The curves were not computed."))
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Places changed"), "%"), "range": [0, 100],
            "fixedrange": True,
        },
        "yaxis": {
            "title": theme.axis_title(_("Probability of the class"), "%"), "rangemode": "tozero",
            "fixedrange": True,
        },
        "height": height,
        "margin": {"t": 36},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "dragmode": False,
    }  # fmt: skip
    alt = _("Probability while places are taken out or put in; bands show random orders.")
    return theme.figure(traces, layout, alt=alt)


def _own_scale(values: npt.NDArray[np.float32], percentile: float) -> float:
    magnitude = np.abs(np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0))
    if magnitude.size == 0:
        return 0.0
    found = float(np.percentile(magnitude, percentile))
    # A map with few points away from zero has a percentile of zero; its maximum still shows them.
    return found or float(magnitude.max())


def _picture(crop: npt.NDArray[np.uint8], rows: int, columns: int) -> dict[str, Any]:
    """The crop below the map; a PNG is a tenth of the numbers that ``go.Image`` would send."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(crop, np.uint8)).save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {
        "source": source, "xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": columns,
        "sizey": rows, "sizing": "stretch", "layer": "below", "yanchor": "top",
    }  # fmt: skip


def _shortened(label: str, most: int = 34) -> str:
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"
