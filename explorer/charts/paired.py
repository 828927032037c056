"""Ratios of times with their intervals."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer.charts import theme
from explorer.i18n import _
from explorer.paired import Ratio

if TYPE_CHECKING:
    import plotly.graph_objects as go


def paired_chart(
    names: Sequence[str], ratios: Sequence[Ratio], seconds: Sequence[float], colours: Sequence[str]
) -> go.Figure:
    """A point with its interval for each model; the line at 1 is the reference.

    Args:
        names: Of the models.
        ratios: To the reference, in their order.
        seconds: Median per batch.
        colours: Hex, one each.
    """
    widest = max(ratio.value for ratio in ratios)
    traces = [
        {
            "type": "scatter", "mode": "markers+text", "name": html.escape(name),
            "x": [ratio.value], "y": [html.escape(name)],
            "marker": {"size": 14, "color": colour},
            "text": [f"{ratio.value:.3f}× · {median * 1e3:.2f} ms"],
            # At the right edge of a phone the label would run out of the chart.
            "textposition": "top left" if ratio.value == widest > 1 else "top center",
            "cliponaxis": False,
            "error_x": {
                "type": "data", "symmetric": False, "thickness": 3, "width": 8, "color": colour,
                "array": [(ratio.high or ratio.value) - ratio.value],
                "arrayminus": [ratio.value - (ratio.low or ratio.value)],
            },
            "hovertemplate": f"{html.escape(name)}: %{{x:.4f}}×<extra></extra>",
        }
        for name, ratio, median, colour in zip(names, ratios, seconds, colours, strict=True)
    ]  # fmt: skip
    in_blocks = any(ratio.in_blocks for ratio in ratios)
    how = (
        _("ratio within blocks, 95 % interval")
        if in_blocks
        else _("ratio within rounds, 95 % interval")
    )
    layout = {
        "xaxis": {
            "title": theme.axis_title(_("Time"), "×", how),
        },
        "yaxis": {"autorange": "reversed", "fixedrange": True},
        "shapes": [
            {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"dash": "dot", "width": 2, "color": "#8a8d96"}}
        ],
        "height": 140 + 70 * len(names),
        "showlegend": False,
    }  # fmt: skip
    alt = _("Times of {names} as ratios with 95 % intervals.").format(names=", ".join(names))
    return theme.figure(traces, layout, alt=alt)
