"""Heavy jobs off the script thread: queue, progress, cancel, one run for identical requests.

``get_engine()`` is this process's engine. It runs each ``Task`` in a worker process that has torch,
so that the server process never imports it: on this machine (``local``), or on the nodes of a Ray
cluster (``cluster``), as the setting says; another executor takes its place by ``set_engine``.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from explorer.engine.jobs import Job, JobStatus
from explorer.errors import ExplorerError
from explorer.results import DeviceInfo
from explorer.settings import Settings, get_settings
from explorer.tasks import Task

__all__ = [
    "Engine", "EngineInfo", "Job", "JobStatus", "NodeInfo", "get_engine", "set_engine",
]  # fmt: skip

WorkerState = Literal["stopped", "starting", "idle", "busy", "broken"]


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """One device of a cluster.

    Attributes:
        name: Of its node.
        device: Where networks run there; None until its worker has looked.
        worker: See ``EngineInfo``.
        worker_pid: Process id on that node; None while there is no worker.
        memory_bytes: Resident memory of the worker process.
        networks: Loaded there.
        starts: Of workers, by this server.
        reason: Why the device is not used; "" where it is.
    """

    name: str
    device: DeviceInfo | None
    worker: WorkerState
    worker_pid: int | None
    memory_bytes: int = 0
    networks: int = 0
    starts: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """How the engine is doing.

    Attributes:
        device: Where the networks run; None until a worker has looked.
        device_error: Why there is no device, when the setting asks for one that is not there.
        worker: "broken" when it could not be started several times and is no longer tried.
        worker_pid: Process id; None while there is no worker.
        worker_memory_bytes: Resident memory of the worker process.
        queued: Jobs that wait.
        running: Labels of the jobs that run.
        restarts: Workers that were started again after one had ended or had to be ended.
        cached_results: Results kept.
        cached_bytes: Their size.
        pool_models: Networks loaded in the worker, as it last said.
        pool_bytes: Their size.
        pool_budget: What they may take; None until the worker has loaded one.
        nodes: The devices of a cluster; empty for the engine of one machine.
    """

    device: DeviceInfo | None
    device_error: ExplorerError | None
    worker: WorkerState
    worker_pid: int | None
    worker_memory_bytes: int
    queued: int
    running: tuple[str, ...]
    restarts: int
    cached_results: int
    cached_bytes: int
    pool_models: int = 0
    pool_bytes: int = 0
    pool_budget: int | None = None
    nodes: tuple[NodeInfo, ...] = ()

    def with_nodes(
        self, nodes: tuple[NodeInfo, ...], error: ExplorerError | None = None
    ) -> EngineInfo:
        """The same, of a cluster with these devices, or which cannot be used for a reason."""
        return replace(self, nodes=nodes, device_error=error or self.device_error)


class Engine(Protocol):
    """What runs the heavy calls; every method may be called from any thread and returns at once."""

    def submit(self, task: Task, owner: str, *, label: str = "", address: str = "") -> Job:
        """Queues a task for an owner, or joins the job of an identical one.

        Nothing is raised: a task that cannot be run gives a job that has failed. A result that is
        kept gives a job that is done. In public mode a new job may be refused (``LimitError``);
        joining one and taking a kept result never are.

        Args:
            task: What to do.
            owner: Who waits, for instance a visitor's session.
            label: What is being done, in words; it stands in error sentences.
            address: Network address of the owner, for the limits; "" where it is not known.
        """

    def find(self, key: str) -> Any | None:
        """The kept result of the task with this key; None when it is not kept."""

    def forget(self, keys: Collection[str]) -> None:
        """Drops the kept results of the tasks with these keys, where there are any."""

    def cancel(self, job: Job, owner: str) -> None:
        """Ends this owner's wait; a job that nobody waits for any more is stopped."""

    def release(self, owner: str, keep: Collection[str] = ()) -> None:
        """Ends this owner's waits for all jobs but those whose ``Job.id`` is in ``keep``."""

    def away(self, owner: str) -> None:
        """Says that the owner's connection is gone: its waits end soon where others wait."""

    def warm_up(self) -> None:
        """Starts the worker, so that it is ready when the first task comes."""

    def info(self) -> EngineInfo:
        """How the engine is doing."""

    def shutdown(self) -> None:
        """Cancels all jobs and ends the workers; returns when they have ended, within 3 s."""


PUBLIC_NICE = 10

_engine: Engine | None = None
_lock = threading.Lock()


def get_engine() -> Engine:
    """This process's engine, made on first use; it starts no worker by itself."""
    global _engine  # noqa: PLW0603 - the process has one engine
    with _lock:
        if _engine is None:
            _engine = _make_engine(get_settings())
        return _engine


def _make_engine(settings: Settings) -> Engine:
    from explorer.engine.limits import limits_of
    from explorer.engine.local import EngineOptions, LocalEngine

    limits = limits_of(settings)
    local = settings.engine == "local"
    options = EngineOptions(
        threads=settings.threads,
        # On a public server whoever opens a page comes before whoever computes.
        nice=PUBLIC_NICE if settings.public and local else 0,
        cache_bytes=settings.result_cache_mb * 2**20,
        job_seconds=None if limits is None else limits.job_seconds,
    )
    if local:
        return LocalEngine(options, limits=limits)
    from explorer.engine.cluster.connection import ConnectionOptions
    from explorer.engine.cluster.crew import CrewOptions
    from explorer.engine.cluster.engine import ClusterEngine

    return ClusterEngine(
        ConnectionOptions(settings.engine),
        options,
        limits=limits,
        crew=CrewOptions(public=settings.public),
    )


def set_engine(engine: Engine | None) -> Engine | None:
    """Puts another engine in place; None makes ``get_engine`` make a new one.

    Returns:
        The engine that was there, for whoever put this one in place to put back or shut down.
    """
    global _engine
    with _lock:
        before, _engine = _engine, engine
        return before
