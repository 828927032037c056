"""A figure that is shown to many and never changed again."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import plotly.graph_objects as go


class FinishedFigure(go.Figure):  # type: ignore[misc]
    """A figure whose content as a dictionary, which every visitor is sent, is made once.

    Plotly copies and encodes a figure anew each time it is asked: a third of what the front page
    took. Whoever takes the dictionary must not change it; Streamlit turns it into JSON.
    """

    def to_dict(self) -> dict[str, Any]:
        """The same dictionary each time."""
        return self._content

    @cached_property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = super().to_dict()
        return content
