"""Figures 1 and 10 of the 2016 paper beside the bubbles: top-1 bars, accuracy per parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer.charts import theme
from explorer.charts.axes import AXES
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.charts.bubble import BubbleRow

MOST = 24


def bars(rows: Sequence[BubbleRow], key: str, *, most: int = MOST, height: int = 330) -> go.Figure:
    """The rows as bars in ascending order; the best where there are more than ``most``.

    Args:
        rows: Those without a value are left out.
        key: Key of ``AXES``.
        most: How many bars fit.
        height: Pixels.
    """
    from explorer.charts.bubble_traces import OTHER_COLOUR, point_colour

    axis = AXES[key]
    have = [row for row in rows if row.values.get(key) is not None and row.dataset == "imagenet"]
    if not have:
        return theme.empty(_("No network has a value."), height=height)
    ordered = sorted(have, key=lambda row: (row.values[key], row.id))[-most:]
    values = [axis.show(row.values[key]) for row in ordered]
    # Two sets of weights of one network have one name: the category is the row, the text its name.
    trace = {
        "type": "bar",
        "x": [row.id for row in ordered],
        "y": values,
        "customdata": [[row.model, row.weights, row.id, row.group] for row in ordered],
        "marker": {
            "color": [point_colour(row, "family") for row in ordered],
            "line": {"width": 0.5, "color": OTHER_COLOUR},  # black ones are seen on dark too
        },
        "hovertext": [f"{row.label}: {axis.text(row.values[key])}" for row in ordered],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    low = min(values)
    layout = {
        "xaxis": {
            "type": "category", "tickangle": -60, "tickfont": {"size": 12},
            "tickvals": [row.id for row in ordered], "ticktext": [r.label for r in ordered],
        },
        "yaxis": {
            "title": theme.axis_title(_(axis.unit)),
            # Accuracies are read against each other, as the paper's figure 1 does from 50 %.
            "range": [max(0.0, low - 8), max(values) + 2] if key in ("top1", "top5") else None,
        },
        "height": height,
        "bargap": 0.25,
    }  # fmt: skip
    alt = _("{title}: bars of {count} networks, highest {best}.").format(
        title=_(axis.title), count=len(ordered), best=ordered[-1].label
    )
    return theme.figure([trace], layout, alt=alt)
