"""Gets one model's weights and trace; what is there already costs a look."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from explorer.catalog.spec import ModelSpec
from explorer.downloads import ProgressCallback, fetch
from explorer.errors import ExplorerError
from explorer.i18n import N_
from explorer.prefetch.choosing import Wanted
from explorer.tracing import cache as traces
from explorer.weights import local_path

_log = logging.getLogger(__name__)
Stage = Callable[[str, str], ProgressCallback]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a model stands at the end.

    Attributes:
        spec: Which model.
        traced: Whether graph and costs are there without a network; they need no weights.
        weights: Ids of the weights that are there.
        fetched: Bytes that were downloaded now.
        failures: What could not be had, each with its sentence.
    """

    spec: ModelSpec
    traced: bool
    weights: tuple[str, ...]
    fetched: int
    failures: tuple[ExplorerError, ...]


def get(wanted: Wanted, stage: Stage) -> Outcome:
    """Downloads and traces what is missing; a failure is kept, and the rest is still done.

    Args:
        wanted: What is to be there.
        stage: Called with what begins now (a msgid) and its name; gives what is told of the bytes.
            What that raises, and a keyboard interrupt, ends the download without a trace.
    """
    failures: list[ExplorerError] = []
    fetched = 0
    for weights in wanted.weights:
        if local_path(wanted.spec, weights) is not None:
            continue
        what = f"{wanted.spec.name} ({weights.id})"
        try:
            path = fetch(what, weights, stage(N_("Downloading {weights}"), weights.id))
            fetched += path.stat().st_size
        except ExplorerError as error:
            failures.append(error)
    try:
        if not is_traced(wanted.spec):
            stage(N_("Tracing {model}"), wanted.spec.name)
            from explorer.trace import trace_spec

            trace_spec(wanted.spec)
    except ExplorerError as error:
        failures.append(error)
    if failures:
        _log.debug("%s: %s", wanted.spec.id, "; ".join(str(error) for error in failures))
    here = tuple(w.id for w in wanted.spec.weights if local_path(wanted.spec, w) is not None)
    return Outcome(wanted.spec, is_traced(wanted.spec), here, fetched, tuple(failures))


def is_traced(spec: ModelSpec) -> bool:
    """Whether the trace at the model's own size is kept and can be read."""
    return traces.load(spec.id, spec.input_size) is not None
