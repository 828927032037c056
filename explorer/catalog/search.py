"""Finding models by the words that people type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from explorer.catalog import own, store
from explorer.catalog.spec import ModelSpec

_EXACT, _PREFIX, _WORD, _SUBSTRING = range(4)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        hits: The best ones, best first, at most ``limit``.
        total: How many match without the limit.
    """

    hits: tuple[ModelSpec, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a search looks at, prepared once for each model."""

    id: str
    family: str
    year: int | None
    params: int
    curated: bool
    names: tuple[str, ...]  # id and display name, letters and digits only
    words: frozenset[str]
    text: str  # words and compact forms, separated, for substrings


def search(
    query: str = "",
    *,
    family: str | None = None,
    years: tuple[int, int] | None = None,
    max_params: int | None = None,
    limit: int = 50,
) -> SearchResult:
    """Models in whose id, name, family or year every word of the query occurs.

    A model whose id or name is the whole query comes first, then those that start with it, then
    those that have all its words as words, then the rest; within each, plain ids before ``timm/``
    ones and short ids before long ones.

    Args:
        query: Words in any case; "ResNet-50" and "resnet 50" find ``resnet50``. Empty finds all.
        family: Only this family.
        years: First and last year, both included; models of unknown year are left out.
        max_params: Only models with at most so many parameters.
        limit: Hits to return.
    """
    wanted = _compact(query)
    if query.strip() and not wanted:
        return SearchResult((), 0)  # signs alone
    words = re.findall(r"[^\W_]+", query.casefold())
    ranked: list[tuple[int, bool, int, int]] = []
    entries = _entries()
    for position, entry in enumerate(entries):
        if family is not None and entry.family != family:
            continue
        if years is not None and (entry.year is None or not years[0] <= entry.year <= years[1]):
            continue
        if max_params is not None and entry.params > max_params:
            continue
        rank = _rank(entry, wanted, words)
        if rank is not None:
            ranked.append((rank, not entry.curated, len(entry.id) if words else 0, position))
    ranked.sort()
    hits = tuple(store.spec(entries[position].id) for *_, position in ranked[: max(limit, 0)])
    return SearchResult(hits, len(ranked))


def _rank(entry: _Entry, wanted: str, words: list[str]) -> int | None:
    """How well the entry matches, smaller is better; None when a word does not occur."""
    if not wanted:
        return _EXACT  # nothing asked finds everything
    if wanted in entry.names:
        return _EXACT
    if any(name.startswith(wanted) for name in entry.names):
        return _PREFIX
    if entry.words.issuperset(words):
        return _WORD
    if all(word in entry.text for word in words) or wanted in entry.text:
        return _SUBSTRING
    return None


def _compact(text: str) -> str:
    """Letters and digits only, in one case."""
    return re.sub(r"[\W_]+", "", text.casefold())


@cache
def _entries() -> tuple[_Entry, ...]:
    offered = store.curated_records() | own.records()
    every = offered | store.timm_records()
    return tuple(_entry(record, record["id"] in offered) for record in every.values())


def _entry(record: store.Record, curated: bool) -> _Entry:
    name: str = record.get("name") or record["builder"]
    year = store.year_of(record)
    parts = (record["id"], name, record["family"], str(year or ""))
    words = frozenset(re.findall(r"[^\W_]+", " ".join(parts).casefold()))
    names = tuple(dict.fromkeys(_compact(part) for part in (record["id"], record["builder"], name)))
    text = " ".join([*words, *names, _compact(record["family"])])
    return _Entry(
        id=record["id"],
        family=record["family"],
        year=year,
        params=record["params"],
        curated=curated,
        names=names,
        words=words,
        text=text,
    )


@cache
def families() -> tuple[str, ...]:
    """All families: those with plain ids in the order of their years, then timm's by name."""
    entries = _entries()
    first = {e.family: (e.year or 9999, e.family) for e in entries if e.curated}
    rest = {e.family for e in entries} - first.keys()
    return tuple(sorted(first, key=first.__getitem__)) + tuple(sorted(rest, key=str.casefold))
