"""Figures that are kept: a page that comes again, or a switch back, builds none of them anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from explorer.charts.dressing import keep_looks
from explorer.i18n import language

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_FIGURES = 64
# A figure of all of timm takes megabytes: such a one is drawn anew, so that 64 take little.
MOST_ROWS = 1000


def kept_figure(draw: Callable[..., go.Figure], *args: Any, **kwargs: Any) -> go.Figure:
    """``draw(*args, **kwargs)`` for this visitor's language.

    The figure is shared between visitors: it is shown and never changed.

    Args:
        draw: A function of ``explorer.charts``.
        args: Its arguments, all hashable: rows as a tuple.
        kwargs: The same by name.
    """
    rows = sum(len(arg) for arg in args if isinstance(arg, tuple))
    if rows > MOST_ROWS:
        return draw(*args, **kwargs)
    return _drawn(draw, args, tuple(kwargs.items()), language())


@lru_cache(maxsize=MOST_FIGURES)
def _drawn(
    draw: Callable[..., go.Figure],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    _language: str,
) -> go.Figure:
    return keep_looks(draw(*args, **dict(kwargs)))
