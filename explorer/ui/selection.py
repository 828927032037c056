"""The chosen model and weights: in the URL (``?model=``, ``?weights=``) and kept across pages."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.catalog import CATALOG, find
from explorer.catalog.spec import ModelSpec, WeightsSpec
from explorer.offered import default_model, is_offered
from explorer.requests import ModelRef
from explorer.weights import default_weights

UNTRAINED = "untrained"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the visitor looks at.

    Attributes:
        spec: The architecture.
        weights: The weights chosen; None for the untrained network.
    """

    spec: ModelSpec
    weights: WeightsSpec | None

    @property
    def ref(self) -> ModelRef:
        """What tasks take."""
        if self.weights is None:
            return ModelRef(self.spec.id)
        file = self.weights.file if self.weights.uploaded else None
        return ModelRef(self.spec.id, self.weights.id, file)

    @property
    def untrained(self) -> bool:
        """Whether the output means nothing."""
        return self.weights is None


def choose_model(model_id: str, weights_id: str | None = None) -> None:
    """Makes a model the chosen one from the next full run on.

    A widget's value can be set only before it is drawn, and what a fragment's callback sets is lost
    to the widget outside it: the choice waits in the session until the picker takes it.

    Args:
        model_id: Catalog id.
        weights_id: None for the best that are at hand without a download.
    """
    choose_weights(weights_id or default_weights(find(model_id)) or UNTRAINED)
    st.session_state["_next_model"] = model_id


def choose_weights(weights_id: str) -> None:
    """Makes these weights, or ``UNTRAINED``, the chosen ones from the next full run on."""
    st.session_state["_next_weights"] = weights_id


def take_choices() -> None:
    """Hands what was chosen elsewhere to the picker's widgets, before they are drawn."""
    for key in ("model", "weights"):
        if f"_next_{key}" in st.session_state:
            st.session_state[key] = st.session_state.pop(f"_next_{key}")


def offered_weights(spec: ModelSpec) -> tuple[WeightsSpec, ...]:
    """The published weights of a model, then those that this session has uploaded for it."""
    own: dict[str, list[WeightsSpec]] = st.session_state.get("_own_weights", {})
    return (*spec.weights, *own.get(spec.id, ()))


def with_weights(spec: ModelSpec, weights_id: str | None) -> Selection:
    """The model with these weights; untrained where it has none of this id."""
    return Selection(spec, next((w for w in offered_weights(spec) if w.id == weights_id), None))


def curated_ids() -> list[str]:
    """The models with plain ids that are offered here: the short list of the picker."""
    found = [
        model_id
        for model_id in CATALOG
        if not model_id.startswith("timm/") and is_offered(model_id)
    ]
    first = default_model()
    return found if first in found else [first, *found]
