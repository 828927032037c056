"""The timeline from LeNet-5 (1998) to ConvNeXt (2022): what was new, and what it was built on.

Transcribed into ``assets/data/history.json`` from the papers that each entry names. Numbers of
networks are not written there: "{vgg16.params}" and "{vgg16.macs}" are filled in from the catalog.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from explorer.catalog import store
from explorer.i18n import language

Kind = Literal["network", "idea"]

_NUMBER = re.compile(r"\{([\w/]+)\.(params|macs)\}")


@dataclass(frozen=True, slots=True)
class SignatureBlock:
    """The part of a network that stands for the entry.

    Attributes:
        model: Catalog id.
        modules: Ids of the module calls that it consists of; empty for the whole network.
    """

    model: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of the timeline.

    Attributes:
        id: Id on the timeline, not in the catalog ("resnet").
        names: Language → name for display.
        year: Of first publication.
        month: Likewise, 1…12.
        kind: A network, or an idea that others used.
        title: Of the paper.
        authors: Of the paper.
        paper: URL.
        ideas: Language ("en", "zh") → sentences on what was new, with numbers still to fill in.
        builds_on: Ids of earlier entries.
        borrowed: Entry id → language → what was taken from it.
        claims: Ids of the statements of folklore that concern it.
        models: Catalog ids that open it, the one as published first.
        block: What is drawn of it.
        explainers: Ids of the ideas that can be tried out, the most telling first.
    """

    id: str
    names: dict[str, str]
    year: int
    month: int
    kind: Kind
    title: str
    authors: tuple[str, ...]
    paper: str
    ideas: dict[str, tuple[str, ...]]
    builds_on: tuple[str, ...]
    borrowed: dict[str, dict[str, str]]
    claims: tuple[str, ...]
    models: tuple[str, ...]
    block: SignatureBlock
    explainers: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in the current language."""
        return self.names[language()]

    @property
    def model_id(self) -> str | None:
        """The catalog id that opens it; None where no runnable network is there."""
        return self.models[0] if self.models else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was new, in the current language, with the catalog's numbers."""
        return tuple(fill(sentence) for sentence in self.ideas[language()])


def fill(sentence: str) -> str:
    """A sentence with "{model.params}" and "{model.macs}" replaced by the catalog's counts.

    Raises:
        KeyError: The catalog has no such model.
    """
    return _NUMBER.sub(_count, sentence)


def _count(match: re.Match[str]) -> str:
    spec = store.spec(match[1])
    value = spec.params if match[2] == "params" else spec.macs
    if value is None:
        raise KeyError(match[0])
    unit = "MACs" if match[2] == "macs" else ""
    factor, prefix = next(
        (pair for pair in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= pair[0]), (1.0, "")
    )
    if match[2] == "params" and factor == 1e9:
        factor, prefix = 1e6, "M"
    return f"{value / factor:.2f} {prefix}{unit}"


@cache
def timeline() -> tuple[HistoryEntry, ...]:
    """All entries, oldest first."""
    return tuple(
        HistoryEntry(
            id=row["id"],
            names=row["name"],
            year=row["year"],
            month=row["month"],
            kind=row["kind"],
            title=row["title"],
            authors=tuple(row["authors"]),
            paper=row["paper"],
            ideas={language: tuple(lines) for language, lines in row["ideas"].items()},
            builds_on=tuple(row["builds_on"]),
            borrowed=row["borrowed"],
            claims=tuple(row["claims"]),
            models=tuple(row["models"]),
            block=SignatureBlock(row["block"]["model"], tuple(row["block"]["modules"])),
            explainers=tuple(row["explainers"]),
        )
        for row in store.read_json("history.json")
    )


def builders_on(entry_id: str) -> tuple[HistoryEntry, ...]:
    """The later entries that took something from this one."""
    return tuple(entry for entry in timeline() if entry_id in entry.builds_on)
