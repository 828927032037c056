"""What has to be the same on the server and on every node, found without importing it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

# The same numbers come out only where these agree.
LIBRARIES = ("torch", "torchvision", "timm", "captum")
PACKAGE = Path(__file__).resolve().parents[2]


def installed() -> dict[str, str]:
    """Version by name, of Python to its second figure; "" for what is not installed."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def differing(here: Mapping[str, str], there: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, version here, version there) of what is not the same."""
    return [
        (name, here[name], there.get(name, "")) for name in here if here[name] != there.get(name)
    ]


@cache
def code_digest() -> str:
    """12 hex digits of this program's code: servers share a worker only where it is the same."""
    found = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        found.update(str(file.relative_to(PACKAGE)).encode() + file.read_bytes())
    return found.hexdigest()[:12]
