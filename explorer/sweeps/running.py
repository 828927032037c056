"""The loop of a sweep: next open point, measure, keep; what does not fit is skipped in words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, JobCancelled, MeasurementError
from explorer.latency_results import Note
from explorer.measurements.sweeps import SweepStatus, SweepStore, point_request

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

logger = logging.getLogger(__name__)

Progress = Callable[[float, float, SweepStatus], None]
Open = Callable[[str], AbstractContextManager["LoadedModel"]]
"""A model by catalog id, held under its lock; untrained, since time does not depend on weights."""


def run_sweep(
    sweeps: SweepStore, sweep: int, open_model: Open, progress: Progress | None = None
) -> SweepStatus:
    """Measures every open point of a sweep; after a crash, call it again.

    Args:
        sweeps: Where plan and measurements are kept.
        sweep: Its id.
        open_model: Gives a network.
        progress: Called with (points done, points in all, how it stands) after each point, and with
            parts of a point while it is measured; what it raises ends the sweep, whose points stay.

    Raises:
        MeasurementError: Another process is at it, or the database cannot be written.
    """
    status = sweeps.take(sweep)
    try:
        return _run(sweeps, status, open_model, progress)
    finally:
        try:
            sweeps.release(sweep)
        except MeasurementError as error:  # a dead owner is noticed anyway
            logger.warning("sweep %d stays marked as running: %s", sweep, error)


def _run(
    sweeps: SweepStore, status: SweepStatus, open_model: Open, progress: Progress | None
) -> SweepStatus:
    from explorer.latency import measure

    total = len(status.points)

    def tell(within: float = 0.0) -> None:
        if progress is not None:
            closed = total - status.count("open")
            progress(min(closed + within, total), total, status)

    tell()
    for point in status.points:
        if point.state != "open":
            continue
        began = time.monotonic()
        request = point_request(status.request, point)
        try:
            with open_model(point.model) as loaded:
                result = measure(loaded, request, lambda done, of, _part: tell(done / of))
        except JobCancelled:
            raise
        except ExplorerError as error:
            sweeps.skip(status.id, point, Note(error.message, _plain(error.values)))
        else:
            stopped = result.series[0].stopped
            if stopped is not None and not result.series[0].finished:
                sweeps.skip(status.id, point, stopped)
            else:
                sweeps.done(status.id, point, result, time.monotonic() - began)
        status = sweeps.status(status.id)
        tell()
    return status


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold, and that a template can still format."""
    return {
        name: value if isinstance(value, int | float | str | bool) else str(value)
        for name, value in values.items()
    }
