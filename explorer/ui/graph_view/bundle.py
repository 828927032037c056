"""The component's ES modules as the one module that Streamlit takes inline.

Modules loaded from a string cannot import each other, so they are joined in the order of their
imports, without the import and export words. Nothing is minified: what the browser runs is what
stands in ``js/``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
ENTRY = "main.js"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script() -> str:
    """All modules as one, the entry with its default export last."""
    parts: list[str] = []
    done: set[str] = set()

    def add(name: str) -> None:
        if name in done:
            return
        done.add(name)
        source = (FOLDER / "js" / name).read_text(encoding="utf-8")
        for match in _IMPORT.finditer(source):
            add(match.group(2))
        plain = _EXPORT.sub("", _IMPORT.sub("", source))
        parts.append(f"// {name}\n{plain}")

    add(ENTRY)
    return "\n".join(parts)


@cache
def style() -> str:
    """The style sheet of the frame."""
    return (FOLDER / "graph_view.css").read_text(encoding="utf-8")
