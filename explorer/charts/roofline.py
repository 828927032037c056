"""The roofline: what each layer reached, under what the device can do."""

from __future__ import annotations

import html
from collections.abc import Iterator
from math import log10
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.costs import KIND_COLOURS, KIND_TITLES, legend_height
from explorer.i18n import N_, _
from explorer.results import DevicePeaks, LayerTime, RooflineResult

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROOF = "#d55e00"
DTYPE_NAMES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16", "tf32": "TF32"}
_MEMORY, _ARITHMETIC = N_("bound by memory"), N_("bound by arithmetic")


def draw_roofline(
    result: RooflineResult, *, width: int = 1200, height: int = 440, chosen: str = ""
) -> go.Figure:
    """Each layer with multiply–accumulates as a circle, its area the measured time.

    Args:
        result: From ``explorer.roofline``.
        width: Pixels that the chart will have.
        height: Pixels without the legend.
        chosen: Name of a layer to point at.
    """
    layers = [layer for layer in result.layers if layer.macs and layer.seconds]
    if not layers:
        return theme.empty(_("Nothing to draw: no layer multiplies."))
    peaks = result.peaks
    left = min(0.5, *(layer.intensity for layer in layers)) / 1.6
    right = max(4 * peaks.ridge, *(layer.intensity for layer in layers)) * 1.6
    traces = [_roof(peaks, left, right), *_points(layers, peaks)]
    low = min(layer.flops_per_second for layer in layers) / 2e9
    high = 2.2 * max(peaks.roof, *(layer.flops_per_second for layer in layers)) / 1e9
    notes = [*_roof_names(peaks, width), *_pointer(layers, chosen)]
    layout = {
        "xaxis": {
            "type": "log", "range": [log10(left), log10(right)], "dtick": 1,
            "title": theme.axis_title(
                _("Arithmetic intensity"), _("FLOP/byte"),
                _("2 × MACs over the bytes of inputs, weights and outputs, each moved once"),
            ),
        },
        "yaxis": {
            "type": "log", "range": [log10(low), log10(high)], "dtick": 1,
            "title": theme.axis_title(_("Reached"), _("GFLOP/s")),
        },
        "height": height + legend_height(len(traces), width),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
        "hovermode": "closest",
        "annotations": notes,
        "shapes": [
            {"type": "line", "x0": peaks.ridge, "x1": peaks.ridge, "y0": 0, "y1": 1,
             "yref": "y domain", "xref": "x", "line": {"dash": "dot", "width": 1}}
        ],
    }  # fmt: skip
    bound = sum(layer.memory_bound(peaks) for layer in layers)
    alt = _(
        "{memory} of {count} layers are bound by memory; the ridge is at {ridge:.0f} FLOP/byte."
    ).format(memory=bound, count=len(layers), ridge=peaks.ridge)
    return theme.figure(traces, layout, alt=alt)


def bound_text(layer: LayerTime, peaks: DevicePeaks) -> str:
    """What limits the layer here, translated."""
    return _(_MEMORY) if layer.memory_bound(peaks) else _(_ARITHMETIC)


def _roof(peaks: DevicePeaks, left: float, right: float) -> dict[str, Any]:
    xs = [left, peaks.ridge, right]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("roof of this device"),
        "x": xs,
        "y": [min(x * peaks.bandwidth, peaks.roof) / 1e9 for x in xs],
        "line": {"color": _ROOF, "width": 3},
        "hoverinfo": "skip",
    }


def _points(layers: list[LayerTime], peaks: DevicePeaks) -> Iterator[dict[str, Any]]:
    longest = max(layer.seconds for layer in layers)
    whole = sum(layer.seconds for layer in layers)
    for kind, title in KIND_TITLES.items():
        members = [layer for layer in layers if layer.kind == kind]
        if members:
            yield {
                "type": "scatter",
                "mode": "markers",
                "name": _(title),
                "x": [layer.intensity for layer in members],
                "y": [layer.flops_per_second / 1e9 for layer in members],
                "marker": {
                    "color": KIND_COLOURS[kind],
                    "size": [layer.seconds for layer in members],
                    "sizemode": "area",
                    "sizemin": 3,
                    "sizeref": 2 * longest / 30**2,
                    "opacity": 0.75,
                },
                "customdata": [[layer.name] for layer in members],
                "hovertext": [_card(layer, peaks, whole) for layer in members],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }


def _card(layer: LayerTime, peaks: DevicePeaks, whole: float) -> str:
    least = layer.least_seconds(peaks)
    return "<br>".join(
        [
            f"<b>{html.escape(layer.name) or _('(top level)')}</b>",
            bound_text(layer, peaks),
            _("measured {ms:.3f} ms ({share:.1f} % of these layers)").format(
                ms=1e3 * layer.seconds, share=100 * layer.seconds / whole
            ),
            _("at least {ms:.3f} ms by the roof").format(ms=1e3 * least),
            _("{intensity:.1f} FLOP/byte, {reached:.1f} GFLOP/s").format(
                intensity=layer.intensity, reached=layer.flops_per_second / 1e9
            ),
        ]
    )


def _roof_names(peaks: DevicePeaks, width: int) -> Iterator[dict[str, Any]]:
    size = 14 if width >= 600 else 12
    yield {
        "text": _("{gflops:,.0f} GFLOP/s").format(gflops=peaks.roof / 1e9),
        "x": 1, "xref": "paper", "xanchor": "right", "y": log10(peaks.roof / 1e9), "yref": "y",
        "yanchor": "bottom", "showarrow": False, "font": {"size": size},
    }  # fmt: skip
    yield {
        "text": _("ridge {ridge:.1f} FLOP/byte, {bandwidth:,.0f} GB/s").format(
            ridge=peaks.ridge, bandwidth=peaks.bandwidth / 1e9
        ),
        "x": log10(peaks.ridge), "xref": "x", "y": 0.01, "yref": "y domain", "yanchor": "bottom",
        "xanchor": "left" if width >= 600 else "center", "showarrow": False, "xshift": 4,
        "font": {"size": size},
    }  # fmt: skip


def _pointer(layers: list[LayerTime], chosen: str) -> Iterator[dict[str, Any]]:
    for layer in layers:
        if chosen and layer.name == chosen:
            yield {
                "text": f"<b>{html.escape(layer.name)}</b>", "x": log10(layer.intensity),
                "xref": "x", "y": log10(layer.flops_per_second / 1e9), "yref": "y",
                "showarrow": True, "ax": 0, "ay": -36,
            }  # fmt: skip
