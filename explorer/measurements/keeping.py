"""A fresh measurement is kept where possible, and shown in any case."""

from __future__ import annotations

import logging
from dataclasses import replace

from explorer.errors import MeasurementError
from explorer.latency_results import LatencyResult
from explorer.measurements.store import MeasurementStore

logger = logging.getLogger(__name__)


def keep(result: LatencyResult, store: MeasurementStore | None = None) -> LatencyResult:
    """The result with its ``run_id``, or with ``unstored``, which says why it has none.

    Args:
        result: Of a measurement made here.
        store: None for that of the settings.
    """
    try:
        run_id = (store or MeasurementStore()).add(result)
    except MeasurementError as error:
        logger.warning("a measurement could not be kept: %s", error)
        # The cause holds a connection, which does not pickle.
        return replace(result, unstored=MeasurementError(error.message, **error.values))
    return replace(result, run_id=run_id)
