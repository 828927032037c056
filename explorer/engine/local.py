"""The engine of one machine: one queue, one worker process."""

from __future__ import annotations

import time
from collections.abc import Callable

from explorer.engine.base import BoardEngine
from explorer.engine.board import JobBoard
from explorer.engine.driver import Driver, EngineOptions
from explorer.engine.limits import Limits
from explorer.result_cache import ResultCache

__all__ = ["EngineOptions", "LocalEngine"]


class LocalEngine(BoardEngine):
    """Runs tasks one after another in a worker process that is restarted when it is lost.

    Args:
        options: Times and sizes.
        clock: Seconds, monotonic; leases, deadlines, estimates and limits go by it.
        limits: Of a public server; None for no limits.
    """

    def __init__(
        self,
        options: EngineOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        options = options or EngineOptions()
        board = JobBoard(clock, options.lease)
        cache = ResultCache(options.cache_bytes)
        super().__init__(board, cache, Driver(board, cache, options), limits)
