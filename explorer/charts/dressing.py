"""A figure with the template's values written into it, as the browser is to get it.

Plotly compares templates (and ``meta``) by identity: a figure that carries one is calculated and
drawn anew at each update, also at the second one that Streamlit makes of every chart. Without them,
and with a ``datarevision``, an update that changes nothing draws nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.charts import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

_AXIS = re.compile(r"[xy]axis\d*")
_ITEMS = {"annotations": "annotationdefaults", "shapes": "shapedefaults"}
_CARTESIAN = {"scatter", "scattergl", "bar", "histogram", "heatmap", "box", "violin", "contour"}


def dressed(fig: go.Figure, dark: bool, modes: Mapping[str, Any] | None = None) -> go.Figure:
    """The figure on the light or the dark ground, without a template.

    Args:
        fig: Of ``theme.figure``; stays as it is.
        dark: Whether on the dark ground.
        modes: ``clickmode``, ``hovermode``, ``dragmode`` where the figure has none of its own.

    Returns:
        A new figure that looks the same, made without checking it a second time; for a figure that
        is kept (``keep_looks``) the one of the last time.
    """
    looks: dict[Any, go.Figure] | None = vars(fig).get("_looks")
    if looks is None:
        return _dress(fig, dark, modes)
    look = dark, tuple(sorted((modes or {}).items()))
    if look not in looks:
        from explorer.charts.finished import FinishedFigure

        looks[look] = _dress(fig, dark, modes, FinishedFigure)
    return looks[look]


def keep_looks(fig: go.Figure) -> go.Figure:
    """Has a figure that is shared and never changed be dressed once for each ground."""
    vars(fig)["_looks"] = {}
    return fig


def _dress(
    fig: go.Figure, dark: bool, modes: Mapping[str, Any] | None, kind: type | None = None
) -> go.Figure:
    import plotly.graph_objects as go
    from plotly.io import to_json

    body = fig.to_dict()
    layout = body.setdefault("layout", {})
    for name in ("template", "meta"):
        layout.pop(name, None)
    template = theme.template(dark)
    defaults = dict(template["layout"])
    axes = {name: defaults.pop(name) for name in ("xaxis", "yaxis", "coloraxis")}
    items = {name: defaults.pop(default, {}) for name, default in _ITEMS.items()}
    _fill(layout, defaults)
    for name in [*layout, *(axis for trace in body["data"] for axis in _axes_of(trace))]:
        if _AXIS.fullmatch(name):
            _fill(layout.setdefault(name, {}), axes[name[:5]])
        elif name.startswith("coloraxis"):
            _fill(layout[name], axes["coloraxis"])
    for name, default in items.items():
        for item in layout.get(name, ()):
            _fill(item, default)
    for trace in body["data"]:
        for default in template["data"].get(trace.get("type", "scatter"), ()):
            _fill(trace, default)
    for name, mode in (modes or {}).items():
        layout[name] = layout.get(name) or mode  # Streamlit takes False for none, too
    data = to_json({"data": body["data"]}, validate=False)
    layout["datarevision"] = zlib.crc32(data.encode())
    drawn = (kind or go.Figure)(body, _validate=False)
    drawn.layout.template = None  # Plotly gives every figure its own default
    return drawn


def _fill(target: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Gives ``target`` what it has not; what it has wins, at any depth."""
    for name, value in defaults.items():
        if isinstance(value, Mapping):
            inner = target.setdefault(name, {})
            if isinstance(inner, dict):
                _fill(inner, value)
        elif target.get(name) is None:
            target[name] = value


def _axes_of(trace: Mapping[str, Any]) -> list[str]:
    """The layout's names of the axes that a trace stands on: "xaxis", "yaxis2"."""
    if trace.get("type", "scatter") not in _CARTESIAN:
        return []
    return [f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}" for letter in "xy"]
