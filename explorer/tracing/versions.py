"""Versions of what a trace depends on, without importing any of it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("torch", "torchvision", "timm")


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def library_versions() -> dict[str, str]:
    """Installed versions by distribution name ("torch": "2.14.1")."""
    return dict(_versions())


@cache
def code_version() -> str:
    """Hex digest of the code that makes traces and graphs: a change renews all of them."""
    package = Path(__file__).resolve().parent
    files = [
        *sorted(package.glob("*.py")),
        package.parent / "graph.py",
        package.parent / "trace.py",
    ]
    networks = sorted((package.parent / "networks").glob("*.py"))
    found = hashlib.sha256()
    for file in [*files, *networks]:
        found.update(file.name.encode())
        found.update(file.read_bytes())
    return found.hexdigest()[:16]
