"""What a survey is: its items in order, what all of its rows depend on, its columns."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

DONE, FAILED = "done", "failed"

#: What every table begins with: an item's place in the plan, how it ended, and why it failed.
HEAD = (("position", pa.int32()), ("state", pa.string()), ("reason", pa.string()))


def columns(*own: tuple[str, pa.DataType]) -> pa.Schema:
    """The schema of a survey's table: the common head, then its own columns."""
    return pa.schema([*HEAD, *own])


@dataclass(frozen=True, slots=True)
class Survey:
    """One job over many items.

    Attributes:
        name: "costs", "latency" or "attribution"; also of the merged file.
        items: What is surveyed, each a dict of plain values that its row begins with, in order.
        conditions: What the rows depend on besides, as JSON can hold it: options, versions.
        schema: Columns of the table.
        notes: What is worth keeping beside and does not have to agree when it goes on.
    """

    name: str
    items: tuple[dict[str, Any], ...]
    conditions: dict[str, Any]
    schema: pa.Schema
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Hex digest of the items and their order."""
        text = json.dumps(self.items, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def row(self, position: int, found: dict[str, Any]) -> dict[str, Any]:
        """The row of an item that was done.

        Args:
            position: Of the item.
            found: The other columns by name; those that are left out are null.
        """
        return self._row(position, DONE, None, found)

    def failure(self, position: int, reason: str, **found: Any) -> dict[str, Any]:
        """The row of an item that could not be done, with the reason in one sentence."""
        return self._row(position, FAILED, reason, found)

    def _row(
        self, position: int, state: str, reason: str | None, found: dict[str, Any]
    ) -> dict[str, Any]:
        values = {"position": position, "state": state, "reason": reason}
        values |= self.items[position] | found
        unknown = set(values) - set(self.schema.names)
        if unknown:
            raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
        return {name: values.get(name) for name in self.schema.names}
