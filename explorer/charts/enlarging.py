"""A figure for the back of a room: the same picture with larger letters and more height."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PIXELS = re.compile(r"(font-size:\s*)(\d+(?:\.\d+)?)px")
# Distances that belong to letters: they grow with them.
_DISTANCES = {"xshift", "yshift", "standoff"}
_MARGINS = {"l", "r", "t", "b"}


def enlarged(fig: go.Figure, factor: float) -> go.Figure:
    """The figure with all its letters, margins and its height times a factor.

    Args:
        fig: As ``dressing.dressed`` gives it: sizes are written out. It stays as it is.
        factor: 1 for no change.
    """
    import plotly.graph_objects as go

    body = fig.to_dict()
    layout = body.get("layout", {})
    grown = {key: _grown(value, factor, key) for key, value in layout.items()}
    if isinstance(layout.get("height"), int | float):
        grown["height"] = layout["height"] * factor
    data = [_grown(trace, factor, "") for trace in body["data"]]
    drawn = go.Figure({"data": data, "layout": grown}, _validate=False)
    drawn.layout.template = None  # Plotly gives every figure its own default
    return drawn


def _grown(value: Any, factor: float, key: str) -> Any:
    """A value of the figure; ``key`` is the name under which it stands."""
    if isinstance(value, dict):
        found = {name: _grown(item, factor, name) for name, item in value.items()}
        if key.endswith("font") and "size" in value:
            found["size"] = _times(value["size"], factor)
        for name in _MARGINS if key == "margin" else _DISTANCES:
            if name in value:
                found[name] = _times(value[name], factor)
        return found
    if isinstance(value, list | tuple) and key not in ("x", "y", "z", "customdata", "ids"):
        return type(value)(_grown(item, factor, key) for item in value)
    if isinstance(value, str) and "font-size" in value:
        return _PIXELS.sub(lambda found: f"{found[1]}{float(found[2]) * factor:g}px", value)
    return value


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_times(item, factor) for item in value)
    return value * factor if isinstance(value, int | float) else value
