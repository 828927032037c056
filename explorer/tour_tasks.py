"""What the pages of a tour will ask the engine for, and a thread that asks beforehand.

Only results that are kept: traces, predictions, maps. A talk is given by one person at a time, so
that one task after another, with a pause, is fast enough and leaves the worker to the audience.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence

from explorer.catalog import DEFAULT_MODEL, find
from explorer.catalog.history import timeline
from explorer.catalog.spec import ModelSpec
from explorer.engine import get_engine
from explorer.errors import ExplorerError
from explorer.images import SAMPLES, sample_bytes
from explorer.requests import ExplainRequest, ModelRef
from explorer.tasks import Explain, Predict, SpatialLayers, Task, Trace
from explorer.tour import UNTRAINED, TourStep
from explorer.weights import default_weights, weights_status

OWNER = "talk"
PAUSE = 0.2  # seconds between two tasks
LONGEST = 300.0  # seconds that one task is waited for
# What of an address the tasks below understand; another view of a page is not asked for.
_PLAIN_MAPS = {"model", "weights", "image", "methods"}

log = logging.getLogger(__name__)
_lock = threading.Lock()
_thread: threading.Thread | None = None


def tasks_of(step: TourStep) -> Iterator[Task]:
    """The tasks whose results the step's page shows first, in the order in which it asks."""
    query = step.query
    model = query.get("model", DEFAULT_MODEL)
    if step.page == "history" and query.get("view", "timeline") == "timeline":
        entries = {entry.id: entry for entry in timeline()}
        entry = entries.get(query.get("entry", next(iter(entries))))
        if entry is not None:
            yield Trace(entry.block.model)
    elif step.page == "graph" and "size" not in query:
        yield Trace(model)
    elif step.page == "complexity" and "size" not in query:
        yield Trace(model, light=True)
    elif step.page == "compare" and query.get("view") not in ("image", "latency"):
        for name in step.models if "compare" in query else (model, query.get("other", "resnet50")):
            yield Trace(name, light=True)
    elif step.page == "attribution" and set(query) <= _PLAIN_MAPS:
        yield from _maps(find(model), step)


def _maps(spec: ModelSpec, step: TourStep) -> Iterator[Task]:
    asked = step.query.get("weights") or default_weights(spec)
    weights = None if asked == UNTRAINED else asked
    if weights is not None and not weights_status(spec, weights).local:
        return  # the page offers the download instead
    kind = "mnist" if spec.dataset == "mnist" else "imagenet"
    first = next(sample.id for sample in SAMPLES.values() if sample.dataset == kind)
    image = sample_bytes(step.query.get("image", first))
    ref = ModelRef(spec.id, weights)
    yield Predict(ref, image)
    yield SpatialLayers(ref)
    for method in step.query.get("methods", "grad_cam").split(","):
        yield Explain(ref, image, ExplainRequest(method, None, None, {}))


def begin_warming(steps: Sequence[TourStep]) -> threading.Thread:
    """Asks for what the steps show, in the background; a second call joins the first."""
    global _thread  # noqa: PLW0603 - one tour is warmed at a time
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(
                target=warm, args=(tuple(steps),), name="explorer-tour", daemon=True
            )
            _thread.start()
        return _thread


def warm(steps: Sequence[TourStep]) -> None:
    """Asks the engine for the tasks of all steps, one after another, and waits for each."""
    for number, step in enumerate(steps, 1):
        try:
            for task in tasks_of(step):
                if get_engine().find(task.key()) is not None:
                    continue
                label = f"tour, step {number}"  # for the log: nobody watches this job
                get_engine().submit(task, OWNER, label=label).result(LONGEST)
                time.sleep(PAUSE)
        except (ExplorerError, TimeoutError) as error:
            # The step itself will say what is wrong, to whoever sees it.
            log.warning("step %d of the tour could not be prepared: %s", number, error)
