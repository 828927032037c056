"""Which models may be opened: all of them, or in public mode those that the operator offers."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from functools import cache

from explorer.catalog import CATALOG, DEFAULT_MODEL, SearchResult, find, search
from explorer.catalog.spec import ModelSpec
from explorer.errors import ModelNotOfferedError
from explorer.i18n import N_
from explorer.settings import get_settings


@cache
def patterns(text: str) -> tuple[str, ...]:
    """The patterns of the setting ``offered``, which stand between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_offered(model_id: str) -> bool:
    """Whether a catalog id may be opened here."""
    settings = get_settings()
    if not settings.public:
        return True
    return any(
        pattern == "*" or fnmatchcase(model_id, pattern) for pattern in patterns(settings.offered)
    )


def default_model() -> str:
    """The model to begin with: the usual one, else the first that is offered."""
    if is_offered(DEFAULT_MODEL):
        return DEFAULT_MODEL
    # Where nothing is offered the server does not start (``explorer.settings_check``).
    return next((model for model in CATALOG if is_offered(model)), DEFAULT_MODEL)


def check_offered(model_id: str) -> None:
    """Refuses a model that exists and is not offered.

    Raises:
        ModelNotOfferedError: It may not be opened here; ``values["closest"]`` names one that may.
    """
    if model_id not in CATALOG or is_offered(model_id):
        return
    near = difflib.get_close_matches(model_id, filter(is_offered, CATALOG), n=1, cutoff=0.0)
    raise ModelNotOfferedError(
        N_(
            "The model “{model}” is not offered on this server; open {closest} instead, or run the "
            "app on your own machine (README)."
        ),
        model=model_id,
        closest=near[0] if near else default_model(),
    )


def find_offered(model_id: str) -> ModelSpec:
    """The model of this id, where it may be opened.

    Raises:
        UnknownModelError: No model has this id.
        ModelNotOfferedError: It may not be opened here.
    """
    spec = find(model_id)
    check_offered(spec.id)
    return spec


def search_offered(
    query: str, *, family: str | None, max_params: int | None, limit: int
) -> SearchResult:
    """``catalog.search`` among the models that may be opened."""
    settings = get_settings()
    if not settings.public or "*" in patterns(settings.offered):
        return search(query, family=family, max_params=max_params, limit=limit)
    found = search(query, family=family, max_params=max_params, limit=len(CATALOG)).hits
    hits = tuple(spec for spec in found if is_offered(spec.id))
    return SearchResult(hits[:limit], len(hits))
