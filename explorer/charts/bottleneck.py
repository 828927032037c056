"""A convolution and what takes its place, both drawn: widths are channels, colours are cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from explorer.bottleneck import Convolution, Design
from explorer.charts import theme
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

_BAR = 0.1  # of a layer's length: the slab that stands for a tensor
_TENSOR = "#6b6f76"
_SPATIAL, _POINTWISE, _DEPTHWISE = "#0072b2", "#e69f00", "#56b4e9"


def draw_designs(designs: Sequence[Design], *, width: int = 1200, height: int = 250) -> go.Figure:
    """Each design as a row of slabs (tensors, as tall as they have channels) and convolutions.

    Args:
        designs: One above the other, at one scale of channels.
        width: Pixels that the chart will have.
        height: Pixels of one design.
    """
    if not designs:
        return theme.empty(_("Nothing to draw: no design was chosen."))
    most = max(max(layer.in_channels, layer.out_channels) for d in designs for layer in d.layers)
    longest = max(len(design.layers) for design in designs)
    traces: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for row, design in enumerate(designs):
        middle = -1.62 * row
        for place, layer in enumerate(design.layers):
            traces.append(_convolution(layer, place, middle, most))
            notes.append(_layer_note(layer, place, middle, width / longest))
        traces += list(_tensors(design, middle, most))
        notes.append(_title(design, middle))
    layout = {
        "height": height * len(designs),
        "xaxis": {"visible": False, "fixedrange": True, "range": [-0.06, longest + 0.14]},
        "yaxis": {
            "visible": False, "fixedrange": True, "range": [-1.62 * len(designs) + 0.75, 0.92],
        },
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "annotations": notes,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
    }  # fmt: skip
    alt = "; ".join(
        f"{_(design.name)}: {' · '.join(layer.text for layer in design.layers)}"
        for design in designs
    )
    return theme.figure(traces, layout, alt=alt)


def _half(channels: int, most: int) -> float:
    """Half the height of a slab; one channel is still seen."""
    return max(0.02, 0.5 * channels / most)


def _convolution(layer: Convolution, place: int, middle: float, most: int) -> dict[str, Any]:
    before, after = _half(layer.in_channels, most), _half(layer.out_channels, most)
    left, right = place + _BAR, place + 1
    colour = _POINTWISE if prod(layer.kernel) == 1 else _SPATIAL
    if layer.groups == layer.in_channels > 1:
        colour = _DEPTHWISE
    return {
        "type": "scatter",
        "mode": "lines",
        "fill": "toself",
        "fillcolor": colour,
        "opacity": 0.55,
        "line": {"width": 0, "color": colour},
        "x": [left, right, right, left, left],
        "y": [middle + before, middle + after, middle - after, middle - before, middle + before],
        "hoveron": "fills",
        "hoverinfo": "text",
        "text": _("{layer}: {macs:,} MACs per position").format(
            layer=layer.text, macs=layer.weights
        ),
    }


def _tensors(design: Design, middle: float, most: int) -> Iterator[dict[str, Any]]:
    channels = [design.layers[0].in_channels, *(layer.out_channels for layer in design.layers)]
    for place, count in enumerate(channels):
        half = _half(count, most)
        yield {
            "type": "scatter",
            "mode": "lines",
            "fill": "toself",
            "fillcolor": _TENSOR,
            "line": {"width": 0, "color": _TENSOR},
            "x": [place, place + _BAR, place + _BAR, place, place],
            "y": [middle + half, middle + half, middle - half, middle - half, middle + half],
            "hoveron": "fills",
            "hoverinfo": "text",
            "text": _("{count} channels").format(count=count),
        }


def _layer_note(layer: Convolution, place: int, middle: float, pixels: float) -> dict[str, Any]:
    lines = [f"<b>{layer.text}</b>", f"{layer.weights:,}"]
    if theme.text_width(layer.text, 14) > 0.8 * pixels:
        lines = [*(f"<b>{part}</b>" for part in layer.text.split(", ")), f"{layer.weights:,}"]
    return {
        "text": "<br>".join(lines), "x": place + (1 + _BAR) / 2, "y": middle, "showarrow": False,
        "font": {"size": 14 if pixels > 130 else 12},
    }  # fmt: skip


def _title(design: Design, middle: float) -> dict[str, Any]:
    text = _("<b>{name}</b>: {macs:,} MACs per position").format(
        name=_(design.name), macs=design.macs_per_position
    )
    return {
        "text": text, "x": 0, "y": middle + 0.58, "xanchor": "left", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 15},
    }  # fmt: skip
