"""WHAT can be explored: every architecture with its weights, papers and numbers, as data.

Plain ids ("resnet50", "lenet5") are torchvision's architectures and a few that join them;
"timm/NAME" is any name of timm, "own/NAME" a network that ``EXPLORER_MODELS`` registers. The
numbers live in ``assets/data`` and are read when first asked for; importing this module reads
nothing and loads neither torch nor streamlit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from explorer.catalog import own, store
from explorer.catalog.search import SearchResult, families, search
from explorer.catalog.spec import Dataset, ModelSpec, Paper, Preprocessing, WeightsSpec
from explorer.catalog.store import class_labels
from explorer.errors import UnknownModelError, UnknownWeightsError
from explorer.i18n import N_

__all__ = [
    "CATALOG",
    "DEFAULT_MODEL",
    "Dataset",
    "ModelSpec",
    "Paper",
    "Preprocessing",
    "SearchResult",
    "WeightsSpec",
    "class_labels",
    "families",
    "find",
    "find_weights",
    "search",
]

DEFAULT_MODEL = "tf_efficientnet_lite0"
_SHOWN = 60  # characters of an unknown id that are repeated to the person


class Catalog(Mapping[str, ModelSpec]):
    """All models by id: the plain ids first, then own ones and timm's; specs are made late."""

    def __getitem__(self, model_id: str) -> ModelSpec:
        return store.spec(model_id)

    def __contains__(self, model_id: object) -> bool:
        return any(model_id in records for records in _all_records())

    def __iter__(self) -> Iterator[str]:
        for records in _all_records():
            yield from records

    def __len__(self) -> int:
        return sum(len(records) for records in _all_records())


def _all_records() -> tuple[Mapping[str, store.Record], ...]:
    return store.curated_records(), own.records(), store.timm_records()


CATALOG: Mapping[str, ModelSpec] = Catalog()


def find(model_id: str) -> ModelSpec:
    """The model of this id.

    Raises:
        UnknownModelError: No model has this id; ``values["closest"]`` lists the three closest.
    """
    if model_id in CATALOG:
        return CATALOG[model_id]
    asked = model_id[:_SHOWN]
    closest = tuple(difflib.get_close_matches(asked.lower(), CATALOG, n=3, cutoff=0.0))
    first, second, third = closest
    raise UnknownModelError(
        N_("There is no model “{model}”; did you mean {first}, {second} or {third}?"),
        model=asked,
        closest=closest,
        first=first,
        second=second,
        third=third,
    )


def find_weights(spec: ModelSpec, weights_id: str) -> WeightsSpec:
    """The model's weights of this id.

    Raises:
        UnknownWeightsError: The model has none of this id; ``values["known"]`` lists what it has.
    """
    for weights in spec.weights:
        if weights.id == weights_id:
            return weights
    known = tuple(weights.id for weights in spec.weights)
    if known:
        message = N_("{model} has no weights “{weights}”; it has {listed}: choose one of them.")
    else:
        message = N_("{model} has no weights “{weights}”: none were published, use it untrained.")
    raise UnknownWeightsError(
        message,
        model=spec.id,
        weights=weights_id[:_SHOWN],
        known=known,
        listed=", ".join(known),
    )
