"""Which models and which of their weights are to be fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from explorer.catalog import CATALOG, DEFAULT_MODEL, find, find_weights
from explorer.catalog.spec import ModelSpec, WeightsSpec
from explorer.errors import UnknownModelError
from explorer.i18n import N_
from explorer.sweeps.choosing import select_models
from explorer.tasks import Trace
from explorer.tour import TourStep
from explorer.tour_tasks import tasks_of
from explorer.weights import default_weights

ALL = "all"
# Pages that run the network; the others count and draw it, for which no weights are needed.
_RUNNING = ("attribution", "latency")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that is to be there.

    Attributes:
        spec: Which one; it is always traced.
        weights: To be downloaded where they are not there.
    """

    spec: ModelSpec
    weights: tuple[WeightsSpec, ...]


def choose(patterns: Sequence[str], which: str, steps: Iterable[TourStep] = ()) -> list[Wanted]:
    """What the command line asks for, each model once, the named ones first.

    Args:
        patterns: Catalog ids, shell patterns of them, or "all" for every plain id.
        which: "default", "all" or "none" of their weights.
        steps: Of a tour; their models too, with weights where the page runs the network.

    Raises:
        UnknownModelError: Nothing is named, or a pattern matches nothing.
        UnknownWeightsError: A step names weights that its model has not.
    """
    plain = [model for model in CATALOG if "/" not in model]
    named = [pattern for pattern in patterns if pattern != ALL]
    ids = [*select_models(named), *(plain if ALL in patterns else ())]
    found = {model: {w.id: w for w in _weights(find(model), which)} for model in ids}
    for step in steps:
        models = [*step.models, *(task.model for task in tasks_of(step) if isinstance(task, Trace))]
        if step.page in _RUNNING and not step.models:
            models.append(DEFAULT_MODEL)
        for model in models:
            kept = found.setdefault(model, {})
            if step.page in _RUNNING or step.query.get("view") in ("image", "latency"):
                kept.update({w.id: w for w in _step_weights(find(model), which, step)})
    if not found:
        raise UnknownModelError(
            N_("Nothing to fetch: name models (“resnet50”, “resnet*”, “all”) or add --tour.")
        )
    return [Wanted(find(model), tuple(weights.values())) for model, weights in found.items()]


def _step_weights(spec: ModelSpec, which: str, step: TourStep) -> tuple[WeightsSpec, ...]:
    asked = step.query.get("weights")
    if which == "default" and asked in [one.id for one in spec.weights]:
        return (find_weights(spec, str(asked)),)
    return _weights(spec, which)


def _weights(spec: ModelSpec, which: str) -> tuple[WeightsSpec, ...]:
    """The default ones are those that the app would choose, else the first."""
    if which == "none" or not spec.weights:
        return ()
    if which == ALL:
        return tuple(spec.weights)
    default = default_weights(spec)
    return (spec.weights[0] if default is None else find_weights(spec, default),)
