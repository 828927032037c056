"""The timeline from LeNet-5 (1998) to Xception (2016): what was new, and what it was built on.

Transcribed into ``assets/data/history.json`` from the papers that each entry names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from explorer.catalog.store import read_json

Kind = Literal["network", "idea"]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of the timeline.

    Attributes:
        id: Id on the timeline, not in the catalog ("resnet").
        name: For display.
        year: Of first publication.
        month: Likewise, 1…12.
        kind: A network, or an idea that others used.
        paper: URL.
        ideas: Language ("en", "zh") → sentences on what was new.
        builds_on: Ids of earlier entries.
        borrowed: Entry id → language → what was taken from it.
        claims: Ids of the statements of folklore that concern it.
        models: Catalog ids that open it, the plainest first; empty where none is runnable.
    """

    id: str
    name: str
    year: int
    month: int
    kind: Kind
    paper: str
    ideas: dict[str, tuple[str, ...]]
    builds_on: tuple[str, ...]
    borrowed: dict[str, dict[str, str]]
    claims: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def model_id(self) -> str | None:
        """The catalog id that opens it; None where no runnable network is there."""
        return self.models[0] if self.models else None


@cache
def timeline() -> tuple[HistoryEntry, ...]:
    """All entries, oldest first."""
    return tuple(
        HistoryEntry(
            id=row["id"],
            name=row["name"],
            year=row["year"],
            month=row["month"],
            kind=row["kind"],
            paper=row["paper"],
            ideas={language: tuple(lines) for language, lines in row["ideas"].items()},
            builds_on=tuple(row["builds_on"]),
            borrowed=row["borrowed"],
            claims=tuple(row["claims"]),
            models=tuple(row["models"]),
        )
        for row in read_json("history.json")
    )
