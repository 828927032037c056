"""Patterns of model names → catalog ids."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from explorer.catalog import CATALOG, find
from explorer.errors import UnknownModelError
from explorer.i18n import N_


def select_models(patterns: Iterable[str]) -> tuple[str, ...]:
    """Ids of the models that match any of the patterns, in the order of the patterns.

    Args:
        patterns: Catalog ids, or shell patterns of them ("resnet*", "timm/convnext_*").

    Raises:
        UnknownModelError: A pattern matches nothing.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        if not any(mark in pattern for mark in "*?["):
            found[find(pattern).id] = None
            continue
        matching = sorted(model for model in CATALOG if fnmatchcase(model, pattern))
        if not matching:
            raise UnknownModelError(
                N_("No model matches “{pattern}”; try a shorter pattern, like resnet*."),
                pattern=pattern,
            )
        found.update(dict.fromkeys(matching))
    return tuple(found)
