"""Text that may come from outside (URL, file names) made safe for Streamlit's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from typing import Protocol

from explorer.i18n import _
from explorer.settings import get_settings

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|:$~])")
# Controls, and the marks that turn the direction of what follows, also outside of the text itself.
_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
)
# A path from the root or the home, of Unix and of Windows, also in file: and sqlite: addresses;
# "https://…", "images/s" and "1 / 2" are none.
_PATH = re.compile(
    r"(?:\b[a-z][a-z0-9+]*:/{2,3}(?=/)|(?<![\w.:/~-])~?)(?:/[^\s/“”'\"<>()\[\],;:]+)+/?"
    r"|\b[A-Za-z]:\\[^\s“”'\"<>()\[\],;]+"
)


class Said(Protocol):
    """An error or a note with one sentence."""

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence."""


def plain(text: str) -> str:
    """The text with Markdown's special characters taken literally, and none that cannot be seen."""
    return _SPECIAL.sub(r"\\\1", _UNSEEN.sub("\ufffd", text))


def sentence(found: Said) -> str:
    """What an error says, in the visitor's language; strangers see no folder of this machine."""
    text = found.text(_)
    return _PATH.sub(_name, text) if get_settings().public else text


def said(found: Said) -> str:
    """The same for Markdown."""
    return plain(sentence(found))


def _name(hit: re.Match[str]) -> str:
    """The last part of a path, with the full stop that may follow it."""
    path = hit[0]
    parts = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    return parts.name
