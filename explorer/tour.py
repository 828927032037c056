"""A tour for a talk: saved views in a row, each with a title and a sentence in every language.

A tour is a YAML file, a list of steps::

    - title: {en: LeNet-5, zh: LeNet-5}
      text: {en: Three convolutional layers., zh: 三个卷积层。}
      page: graph
      query: {model: lenet5_1998, select: c3}

``page`` is one of ``PAGES``, ``query`` what the page's address has behind its question mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explorer.catalog import find, find_weights
from explorer.errors import ExplorerError, TourError
from explorer.i18n import LANGUAGES, N_
from explorer.settings import get_settings

SHIPPED = Path(__file__).resolve().parent.parent / "assets" / "tours" / "story.yaml"
PAGES = ("chart", "history", "graph", "complexity", "attribution", "latency", "compare")
MODEL_KEYS = ("model", "other")
OWN_KEYS = ("talk", "step", "lang", "embed", "embed_options")
UNTRAINED = "untrained"
MOST_STEPS = 200
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class TourStep:
    """One saved view.

    Attributes:
        title: By language.
        text: One or two sentences, by language.
        page: One of ``PAGES``.
        query: Parameters of the page's address.
    """

    title: Mapping[str, str]
    text: Mapping[str, str]
    page: str
    query: Mapping[str, str]

    @property
    def models(self) -> tuple[str, ...]:
        """Catalog ids that the address names, each once."""
        found = [self.query[key] for key in MODEL_KEYS if key in self.query]
        found += [part.partition(":")[0] for part in _compared(self.query)]
        return tuple(dict.fromkeys(found))


def load_tour() -> tuple[TourStep, ...]:
    """The steps of the setting's file, read anew when it has changed.

    Raises:
        TourError: The file cannot be read, or a step of it cannot be shown; says which and why.
    """
    path = get_settings().tour or SHIPPED
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise _unreadable(path, error) from error
    return _kept(path, changed)


@lru_cache(maxsize=2)
def _kept(path: Path, _changed: int) -> tuple[TourStep, ...]:
    return read_tour(path)


def read_tour(path: Path) -> tuple[TourStep, ...]:
    """The steps of a file.

    Raises:
        TourError: It cannot be read, or a step of it cannot be shown; says which and why.
    """
    import yaml

    try:
        if path.stat().st_size > MOST_BYTES:
            raise TourError(
                N_("The tour {name} is larger than {most} kB; a tour is a short list of steps."),
                name=path.name,
                most=MOST_BYTES // 1000,
            )
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    # Nested deeply enough, any YAML exhausts the parser's stack.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise TourError(
            N_("The tour {name} is not valid YAML (line {line}); mend that line."),
            name=path.name,
            line="–" if mark is None else mark.line + 1,
        ) from error
    if not isinstance(found, list) or not found or len(found) > MOST_STEPS:
        raise TourError(
            N_("The tour {name} is no list of 1 to {most} steps; begin each step with “- title:”."),
            name=path.name,
            most=MOST_STEPS,
        )
    return tuple(_step(number, raw) for number, raw in enumerate(found, 1))


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> TourError:
    reason = getattr(error, "strerror", None) or str(error)
    return TourError(
        N_("The tour {name} cannot be read ({reason}); set EXPLORER_TOUR to another file."),
        name=path.name,
        reason=reason,
    )


def _step(number: int, raw: Any) -> TourStep:
    known = ("title", "text", "page", "query")
    if not isinstance(raw, dict) or not {"title", "text", "page"} <= raw.keys() <= set(known):
        raise TourError(
            N_("Step {step} of the tour must have title, text and page, may have query, no more."),
            step=number,
        )
    step = TourStep(
        title=_in_languages(number, "title", raw["title"]),
        text=_in_languages(number, "text", raw["text"]),
        page=_page(number, raw["page"]),
        query=_query(number, raw.get("query", {})),
    )
    _check_models(number, step)
    return step


def _in_languages(number: int, name: str, raw: Any) -> Mapping[str, str]:
    texts = raw if isinstance(raw, dict) else {}
    for code in LANGUAGES:
        text = texts.get(code)
        if not isinstance(text, str) or not text.strip():
            raise TourError(
                N_(
                    "Step {step} of the tour has no {name} in the language {lang}; add “{lang}: …”."
                ),
                step=number,
                name=name,
                lang=code,
            )
    return MappingProxyType({code: " ".join(texts[code].split()) for code in LANGUAGES})


def _page(number: int, raw: Any) -> str:
    if raw not in PAGES:
        raise TourError(
            N_(
                "Step {step} of the tour names the page “{page}”, which does not exist; {known} do."
            ),
            step=number,
            page=str(raw)[:60],
            known=", ".join(PAGES),
        )
    return str(raw)


def _query(number: int, raw: Any) -> Mapping[str, str]:
    """Text by text; a bare number is taken as it is written."""
    right = isinstance(raw, dict) and all(
        isinstance(key, str) and key not in OWN_KEYS and isinstance(value, str | int | float)
        and not isinstance(value, bool)
        for key, value in raw.items()
    )  # fmt: skip
    if not right:
        raise TourError(
            N_("Step {step} of the tour has no query like {example}, without {own}; correct it."),
            step=number,
            example="{model: resnet50, by: params}",
            own=", ".join(OWN_KEYS),
        )
    return MappingProxyType({key: str(value) for key, value in raw.items()})


def _compared(query: Mapping[str, str]) -> list[str]:
    return [part for part in query.get("compare", "").split(",") if part]


def _check_models(number: int, step: TourStep) -> None:
    """Every model and every set of weights that a step names exists."""
    pairs = [(step.query.get(key), step.query.get(_weights_key(key))) for key in MODEL_KEYS]
    for part in _compared(step.query):
        model, _colon, weights = part.partition(":")
        pairs.append((model, weights))
    try:
        for asked, chosen in pairs:
            if asked is not None:
                spec = find(asked)
                if chosen and chosen != UNTRAINED:
                    find_weights(spec, chosen)
    except ExplorerError as error:
        # The reason is a sentence of its own, and comes in the reader's language like this one.
        raise TourError(
            N_("Step {step} of the tour cannot be shown: {reason}"), step=number, reason=error
        ) from error


def _weights_key(key: str) -> str:
    return "weights" if key == "model" else f"{key}_weights"
