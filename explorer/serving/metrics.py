"""The server's numbers as Prometheus reads them: counted ones, and those looked up when asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from explorer.caches import caches
from explorer.engine import get_engine
from explorer.telemetry import REGISTRY

Families = Iterator[Metric]
STATES = ("stopped", "starting", "idle", "busy", "broken")
STARTED = time.time()


def server_memory() -> int:
    """Resident bytes of this process."""
    return int(psutil.Process().memory_info().rss)


class ServerCollector(Collector):
    """What is looked up at the moment of the question.

    Args:
        visitors: Gives the number of open sessions.
    """

    def __init__(self, visitors: Callable[[], int]) -> None:
        self._visitors = visitors

    def collect(self) -> Families:
        """One family after another."""
        yield _gauge("explorer_visitors", "Visitors with an open session.", self._visitors())
        yield _gauge("explorer_start_time_seconds", "When the server began.", STARTED)
        info = get_engine().info()
        yield _gauge("explorer_jobs_queued", "Jobs that wait.", info.queued)
        yield _gauge("explorer_jobs_running", "Jobs that run.", len(info.running))
        yield CounterMetricFamily(
            "explorer_worker_restarts", "Workers that had to be started again.", info.restarts
        )
        worker = GaugeMetricFamily(
            "explorer_worker_state", "1 for the state of the worker.", labels=["state"]
        )
        for state in STATES:
            worker.add_metric([state], float(info.worker == state))
        yield worker
        memory = GaugeMetricFamily(
            "explorer_resident_memory_bytes", "Resident memory by process.", labels=["process"]
        )
        memory.add_metric(["server"], server_memory())
        memory.add_metric(["worker"], info.worker_memory_bytes)
        yield memory
        yield from _cache_families()


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _cache_families() -> Families:
    entries = GaugeMetricFamily("explorer_cache_entries", "Entries by cache.", labels=["cache"])
    nbytes = GaugeMetricFamily("explorer_cache_bytes", "Bytes by cache.", labels=["cache"])
    bounds = GaugeMetricFamily(
        "explorer_cache_bound_bytes", "Bytes that a cache may take.", labels=["cache"]
    )
    for cache in caches():
        for family, value in (
            (entries, cache.entries),
            (nbytes, cache.nbytes),
            (bounds, cache.max_bytes),
        ):
            if value is not None:
                family.add_metric([cache.id], value)
    yield from (entries, nbytes, bounds)


def render(visitors: Callable[[], int]) -> bytes:
    """All numbers in Prometheus' text format."""
    looked_up = CollectorRegistry(auto_describe=False)
    looked_up.register(ServerCollector(visitors))
    return generate_latest(REGISTRY) + generate_latest(looked_up)
