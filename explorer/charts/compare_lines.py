"""Several models as lines over all quantities at once, and as points among all others."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.charts.compare import CompareEntry, colour_of
from explorer.charts.pareto import pareto_front
from explorer.compare_table import TableRow
from explorer.i18n import _

if TYPE_CHECKING:
    import plotly.graph_objects as go

Point = tuple[str, float, float]
"""Name, multiply–accumulates, top-1 in percent."""


def parallel(
    rows: Sequence[TableRow],
    names: Sequence[str],
    reference: int,
    colours: Sequence[str] = (),
    *,
    width: int = 1200,
) -> go.Figure:
    """One line per model over the quantities that have a ratio; the reference is the line at 1.

    Args:
        rows: Of the table.
        names: Of the models.
        reference: Place of the model at 1.
        colours: Of the models.
        width: Pixels that the chart will have.
    """
    shown = [row for row in rows if row.quantity.ratio]
    if not shown:
        return theme.empty(_("Nothing to compare: choose two models."))
    # Seven pixels a character; a word with a dash may need two lines.
    room = min(18, int((width - 120) / len(shown) / 7))
    titles = [_(row.quantity.title) for row in shown]
    if room < 18:
        titles = [title.replace("–", "– ") for title in titles]
    labels = [theme.wrap(title, room) for title in titles]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": html.escape(name),
            "x": labels,
            "y": [row.against[place] for row in shown],
            "line": {"color": colour_of(place, colours), "width": 3},
            "marker": {"size": 9},
            "customdata": [[row.text(place), row.against_text(place)] for row in shown],
            "hovertemplate": f"{html.escape(name)}<br>%{{x}}: %{{customdata[0]}} "
            "(%{customdata[1]})<extra></extra>",
        }
        for place, name in enumerate(names)
    ]
    layout = {
        "yaxis": {
            "type": "log",
            "title": theme.axis_title(
                _("Ratio"), "×", _("to {model}").format(model=names[reference])
            ),
            "dtick": "D2",
        },
        "xaxis": {"fixedrange": True}
        | ({"tickangle": 0, "tickfont": {"size": theme.SMALL_FONT_SIZE}} if room < 18 else {}),
        "height": 400,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 74, "t": 60, "b": 54},
    }
    alt = _("Costs of {names} as ratios to {model}.").format(
        names=", ".join(names), model=names[reference]
    )
    return theme.figure(traces, layout, alt=alt)


def among_all(entries: Sequence[CompareEntry], others: Sequence[Point]) -> go.Figure:
    """The models over the cloud of all others, accuracy against operations, with the Pareto front.

    Args:
        entries: The models; those without accuracy have no place.
        others: Every model with a published accuracy.
    """
    placed = [
        (number, entry.macs, entry.top1)
        for number, entry in enumerate(entries)
        if entry.macs is not None and entry.top1 is not None
    ]
    if not placed:
        return theme.empty(_("None of these has a published accuracy on ImageNet."))
    front = [others[index] for index in pareto_front([(x, y) for _name, x, y in others])]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "markers", "name": _("all of torchvision"),
            "x": [macs / 1e9 for _name, macs, _top1 in others],
            "y": [top1 for _name, _macs, top1 in others],
            "text": [html.escape(name) for name, _macs, _top1 in others],
            "marker": {"size": 7, "color": "#8a8d96", "opacity": 0.55},
            "hovertemplate": "%{text}<br>%{x:.2f} GMACs · %{y:.2f} %<extra></extra>",
        },
        {
            "type": "scatter", "mode": "lines", "name": _("Pareto front"),
            "x": [macs / 1e9 for _name, macs, _top1 in front],
            "y": [top1 for _name, _macs, top1 in front],
            "line": {"shape": "hv", "dash": "dot", "color": "#8a8d96", "width": 2},
            "hoverinfo": "skip",
        },
    ]  # fmt: skip
    for number, macs, top1 in placed:
        entry = entries[number]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": html.escape(entry.name),
                "x": [macs / 1e9], "y": [top1],
                "marker": {
                    "size": 18, "color": entry.colour or colour_of(number),
                    "line": {"width": 2, "color": "#ffffff"},
                },
                "hovertemplate": f"{html.escape(entry.name)}<br>%{{x:.2f}} GMACs · %{{y:.2f}} %"
                "<extra></extra>",
            }
        )  # fmt: skip
    layout = {
        "xaxis": {
            "type": "log", "dtick": "D2",
            "title": theme.axis_title(_("Multiply–accumulates"), "GMACs", _("one image")),
        },
        "yaxis": {
            "title": theme.axis_title(_("Top-1"), "%", _("published, each at its own crop"))
        },
        "height": 420,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hovermode": "closest",
        "margin": {"l": 74, "t": 60, "b": theme.BELOW},
    }  # fmt: skip
    names = ", ".join(entries[number].name for number, _macs, _top1 in placed)
    return theme.figure(
        traces, layout, alt=_("Accuracy against operations: {names}.").format(names=names)
    )
