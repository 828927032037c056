"""Figures of the complexity page, kept: a switch and the switch back build each of them once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from explorer.charts import theme
from explorer.i18n import language
from explorer.ui.charts import is_dark

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_FIGURES = 64


def kept_figure(draw: Callable[..., go.Figure], *args: Any, **kwargs: Any) -> go.Figure:
    """``draw(*args, **kwargs)`` for this visitor's language and theme.

    The figure is shared between visitors: it is shown and never changed.

    Args:
        draw: A function of ``explorer.charts``.
        args: Its arguments, all hashable: rows as a tuple.
        kwargs: The same by name.
    """
    return _drawn(draw, args, tuple(kwargs.items()), (language(), is_dark()))


@lru_cache(maxsize=MOST_FIGURES)
def _drawn(
    draw: Callable[..., go.Figure],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    look: tuple[str, bool],
) -> go.Figure:
    _language, dark = look
    return theme.apply(draw(*args, **dict(kwargs)), dark)
