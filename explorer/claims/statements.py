"""The sentences of folklore, from ``assets/data/claims.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from explorer.catalog.store import read_json

Verdict = Literal["true", "imprecise", "false", "uncheckable"]
VERDICTS: tuple[Verdict, ...] = ("true", "imprecise", "false", "uncheckable")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence and what became of it.

    Attributes:
        id: For the address.
        about: Id of the timeline's entry; "" for the field as a whole.
        verdict: What holds.
        claim: Language → the sentence.
        found: Language → what is the case, with "{name}" for what is recomputed.
        how: Language → how it was found.
        source: Papers and tables.
        models: Catalog ids of the networks that it is about.
    """

    id: str
    about: str
    verdict: Verdict
    claim: Mapping[str, str]
    found: Mapping[str, str]
    how: Mapping[str, str]
    source: tuple[str, ...]
    models: tuple[str, ...]


@cache
def claims() -> dict[str, Claim]:
    """All sentences by id, in the order of the history."""
    return {
        row["id"]: Claim(
            id=row["id"],
            about=row["about"],
            verdict=row["verdict"],
            claim=row["claim"],
            found=row["found"],
            how=row["how"],
            source=tuple(row["source"]),
            models=tuple(row["models"]),
        )
        for row in read_json("claims.json")
    }


def counts() -> dict[Verdict, int]:
    """Verdict → number of sentences."""
    found = Counter(claim.verdict for claim in claims().values())
    return {verdict: found[verdict] for verdict in VERDICTS}
