"""The engine of a cluster: one queue on the server, a worker for each device of each node."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from explorer.engine import EngineInfo
from explorer.engine.base import BoardEngine
from explorer.engine.board import JobBoard
from explorer.engine.cluster.connection import Connection, ConnectionOptions
from explorer.engine.cluster.crew import ClusterCrew, CrewOptions
from explorer.engine.cluster.parcels import pack
from explorer.engine.driver import EngineOptions
from explorer.engine.limits import Limits
from explorer.result_cache import ResultCache
from explorer.tasks import Task


class ClusterEngine(BoardEngine):
    """Runs tasks side by side on the nodes of a Ray cluster.

    Args:
        connection: How the cluster is joined.
        options: Times and sizes; ``threads`` None stands for the processors that a node gives.
        clock: Seconds, monotonic; leases, deadlines, estimates and limits go by it.
        limits: Of a public server; None for no limits.
        crew: How its nodes are used.
    """

    def __init__(
        self,
        connection: ConnectionOptions,
        options: EngineOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
        crew: CrewOptions | None = None,
    ) -> None:
        options = options or EngineOptions()
        board = JobBoard(clock, options.lease)
        cache = ResultCache(options.cache_bytes)
        self._nodes = ClusterCrew(board, cache, options, Connection(connection), crew)
        super().__init__(board, cache, self._nodes, limits)

    def info(self) -> EngineInfo:
        """How the engine is doing, node by node."""
        found = super().info()
        with self._board.lock:
            return found.with_nodes(self._nodes.nodes, self._nodes.refusal(""))

    def _payload(self, task: Task) -> Any:
        return pack(task)
