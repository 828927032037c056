"""Text that may come from outside (URL, file names) made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|:$~])")


def plain(text: str) -> str:
    """The text with Markdown's special characters taken literally."""
    return _SPECIAL.sub(r"\\\1", text)
