"""What a public server does not do for a visitor, whoever asks the engine and by which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from explorer.claim_tasks import CheckClaims
from explorer.claims.recompute import CHECKS
from explorer.errors import ExplorerError, LimitError, ModelNotOfferedError
from explorer.i18n import N_
from explorer.offered import check_offered
from explorer.paired_task import MeasurePaired
from explorer.requests import ModelRef
from explorer.tasks import Measure, RunSweep, Task


def closed(task: Task, max_batch: int) -> ExplorerError | None:
    """Why a public server does not run this task; None when it does.

    Args:
        task: What was asked for.
        max_batch: Images at once in a timing.
    """
    if isinstance(task, RunSweep):
        return sweeps_closed()
    for model in models_of(task):
        try:
            check_offered(model)
        except ModelNotOfferedError as error:
            return error
    batch = _batch(task)
    if batch > max_batch:
        return LimitError(
            N_(
                "A timing may take {most} images at once on this server, and {batch} were asked "
                "for; choose fewer, or run it on your own machine (README)."
            ),
            most=max_batch,
            batch=batch,
        )
    return None


def sweeps_closed() -> LimitError:
    """What is said in place of a sweep."""
    return LimitError(
        N_(
            "Sweeps are closed on this public server; run them on your own machine with "
            "“python -m explorer bench” (README)."
        )
    )


def models_of(task: Any) -> Iterator[str]:
    """Catalog ids of the networks that a task names: its references, and fields named model."""
    if isinstance(task, CheckClaims):
        for claim in task.claims:
            yield from CHECKS[claim].models if claim in CHECKS else ()
    if not is_dataclass(task):
        return
    for field in fields(task):
        value = getattr(task, field.name)
        if field.name == "model" and isinstance(value, str):
            yield value
    yield from (ref.model for ref in refs_of(task))


def refs_of(task: Any) -> Iterator[ModelRef]:
    """The networks that a task refers to and loads."""
    if not is_dataclass(task):
        return
    for field in fields(task):
        value = getattr(task, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, ModelRef):
                yield one


def _batch(task: Task) -> int:
    if isinstance(task, Measure):
        return max(task.request.batch_sizes, default=0)
    return task.request.batch_size if isinstance(task, MeasurePaired) else 0
