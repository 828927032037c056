"""Keys of tasks: one digest for what is the same, in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass


def digest(*parts: object) -> str:
    """A stable hex key of plain data: strings, numbers, bytes, tuples, dicts, frozen dataclasses.

    Dicts count by their items, whatever their order.
    """
    found = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(_plain(part)).encode()
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


def _plain(value: object) -> object:
    """The value with dataclasses and dicts turned into tuples in a fixed order."""
    if is_dataclass(value) and not isinstance(value, type):
        items = tuple((field.name, _plain(getattr(value, field.name))) for field in fields(value))
        return type(value).__name__, items
    if isinstance(value, Mapping):
        return "dict", tuple(sorted((repr(key), _plain(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value
