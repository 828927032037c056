"""Weights and activations of one layer: histogram, norms, channels; the field over the image."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from explorer.charts import theme
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BAR, DOT, BOX = "#0072b2", "#d55e00", "#e69f00"
MOST_MARKS = 28  # positions a side that can be clicked


def weight_histogram(counts: IntArray, edges: FloatArray, *, height: int = 230) -> go.Figure:
    """How the weights of a layer are spread, on a logarithmic axis so that the tails are seen.

    Args:
        counts: (bins,) weights in each bin.
        edges: (bins + 1,) of the bins.
        height: Pixels.
    """
    middle = (edges[:-1] + edges[1:]) / 2
    bars = {
        "type": "bar", "x": middle, "y": counts, "width": np.diff(edges),
        "marker": {"color": BAR}, "showlegend": False,
        "hovertemplate": _("around %{x:.4g}: %{y:,} weights") + "<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": theme.axis_title(_("Weight")), "nticks": 5, "fixedrange": True},
        "yaxis": {
            "title": theme.axis_title(_("Weights")), "type": "log", "dtick": 1,
            "exponentformat": "power", "fixedrange": True,
        },
        "height": height, "bargap": 0, "dragmode": False, "margin": {"t": 8},
    }  # fmt: skip
    alt = _("Histogram of {count} weights from {low:.3g} to {high:.3g}.").format(
        count=f"{int(counts.sum()):,}", low=float(edges[0]), high=float(edges[-1])
    )
    return theme.figure([bars], layout, alt=alt)


def channel_norms(norms: FloatArray, *, height: int = 210) -> go.Figure:
    """L2 norm of each output channel's weights, in the order of the channels."""
    bars = {
        "type": "bar", "x": np.arange(len(norms)), "y": norms, "marker": {"color": BAR},
        "showlegend": False,
        "hovertemplate": _("channel %{x}: norm %{y:.4g}") + "<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": theme.axis_title(_("Output channel")), "nticks": 6, "fixedrange": True},
        "yaxis": {"title": theme.axis_title(_("L2 norm")), "rangemode": "tozero", "nticks": 5,
                  "fixedrange": True},
        "height": height, "bargap": 0, "dragmode": False, "margin": {"t": 8},
    }  # fmt: skip
    alt = _("Norms of {count} output channels, the largest {high:.3g}.").format(
        count=len(norms), high=float(norms.max(initial=0.0))
    )
    return theme.figure([bars], layout, alt=alt)


def profile(values: FloatArray, title: str, *, height: int = 230) -> go.Figure:
    """One number a token or output, as a line.

    Args:
        values: (n,).
        title: What the numbers are, translated.
        height: Pixels.
    """
    line = {
        "type": "scatter", "mode": "lines", "x": np.arange(len(values)), "y": values,
        "line": {"color": BAR, "width": 1}, "showlegend": False,
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": theme.axis_title(_("Index")), "nticks": 6, "fixedrange": True},
        "yaxis": {"title": theme.axis_title(title), "nticks": 5, "fixedrange": True},
        "height": height, "dragmode": False, "margin": {"t": 8},
    }  # fmt: skip
    alt = _("{title}: {count} values.").format(title=title, count=len(values))
    return theme.figure([line], layout, alt=alt)


@dataclass(frozen=True, slots=True)
class FieldView:
    """What is drawn over the image.

    Attributes:
        map: (H, W) gradient magnitudes, 0…1; None draws the image alone.
        grid: (rows, columns) of the layer's output.
        position: (row, column) that is looked at.
        box: First row, last row, first column, last column of the theoretical field in pixels, may
            reach over the border; None where there is none.
        centres: Rows and columns in pixels of the centres of all positions.
    """

    map: FloatArray | None
    grid: tuple[int, int]
    position: tuple[int, int]
    box: tuple[float, float, float, float] | None
    centres: tuple[FloatArray, FloatArray]


def field_over_image(
    crop: npt.NDArray[np.uint8], view: FieldView, *, height: int = 370
) -> go.Figure:
    """The receptive field over the image; positions are points that can be clicked.

    ``customdata`` of each point is its (row, column) in the layer's grid.

    Args:
        crop: (H, W, 3) uint8, what the network saw.
        view: The field.
        height: Pixels.
    """
    rows, columns = crop.shape[:2]
    traces: list[dict[str, Any]] = []
    if view.map is not None:
        traces.append(_heat(view.map))
    traces.append(_marks(view))
    y, x = view.centres[0][view.position[0]], view.centres[1][view.position[1]]
    traces.append(
        {
            "type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "skip",
            "marker": {"symbol": "cross", "size": 8, "color": BOX,
                       "line": {"color": "#000000", "width": 1.5}},
            "showlegend": False,
        }
    )  # fmt: skip
    shapes = []
    if view.box is not None:
        top, bottom, left, right = view.box
        shapes.append(
            {
                "type": "rect", "x0": left - 0.5, "x1": right + 0.5, "y0": top - 0.5,
                "y1": bottom + 0.5, "line": {"color": BOX, "width": 3},
            }
        )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout = {
        "images": [_picture(crop)],
        "xaxis": {**hidden, "range": [-0.5, columns - 0.5]},
        "yaxis": {**hidden, "range": [rows - 0.5, -0.5], "scaleanchor": "x"},
        "shapes": shapes, "height": height, "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "dragmode": False, "hovermode": "closest", "clickmode": "event+select", "hoverdistance": 40,
    }  # fmt: skip
    alt = _("Receptive field of position {row}, {column} over the image.").format(
        row=view.position[0], column=view.position[1]
    )
    return theme.figure(traces, layout, alt=alt)


def _heat(values: FloatArray) -> dict[str, Any]:
    """Square roots, so that the weak rim of the field is seen beside its peak."""
    return {
        "type": "heatmap", "z": np.round(np.sqrt(values), 3), "zmin": 0, "zmax": 1,
        "colorscale": [[0, "rgba(60,8,70,0)"], [0.3, "rgba(150,30,90,0.75)"],
                       [0.65, "rgba(235,110,40,0.95)"], [1, "rgba(252,240,150,1)"]],
        "showscale": False, "hoverinfo": "skip",
    }  # fmt: skip


def _marks(view: FieldView) -> dict[str, Any]:
    """Points for clicking, thinned out where the grid is fine."""
    picked = [
        np.unique(np.linspace(0, size - 1, min(size, MOST_MARKS)).round().astype(int))
        for size in view.grid
    ]
    places = [(int(row), int(column)) for row in picked[0] for column in picked[1]]
    return {
        "type": "scatter", "mode": "markers",
        "x": [view.centres[1][column] for _row, column in places],
        "y": [view.centres[0][row] for row, _column in places],
        "customdata": [list(place) for place in places],
        "marker": {"size": 4, "color": "#ffffff", "opacity": 0.4,
                   "line": {"color": "#000000", "width": 0.5}},
        "selected": {"marker": {"opacity": 0.4}}, "unselected": {"marker": {"opacity": 0.4}},
        "hovertemplate": _("row %{customdata[0]}, column %{customdata[1]}") + "<extra></extra>",
        "showlegend": False,
    }  # fmt: skip


def _picture(crop: npt.NDArray[np.uint8]) -> dict[str, Any]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(crop, np.uint8)).save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {
        "source": source, "xref": "x", "yref": "y", "x": -0.5, "y": -0.5,
        "sizex": crop.shape[1], "sizey": crop.shape[0], "sizing": "stretch", "layer": "below",
        "yanchor": "top",
    }  # fmt: skip
