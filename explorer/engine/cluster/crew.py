"""Those who run the jobs of a cluster: one driver for each device of each node, come and go."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from explorer.engine import NodeInfo, WorkerState
from explorer.engine.board import JobBoard
from explorer.engine.cluster.connection import Connection, Slot, slots
from explorer.engine.cluster.host import HostSetup
from explorer.engine.cluster.placing import wants
from explorer.engine.cluster.remote import Depot, LostPlaceError, RemoteWorker
from explorer.engine.cluster.versions import differing, installed
from explorer.engine.driver import Driver, EngineOptions
from explorer.engine.jobs import Job, stop_jobs
from explorer.engine.workers import Worker, WorkerGone
from explorer.errors import ClusterError, ExplorerError, WorkerLostError
from explorer.i18n import N_
from explorer.requests import ModelRef
from explorer.result_cache import ResultCache

log = logging.getLogger(__name__)

# Of the server's own place, which a node has of its own.
NOT_FOR_NODES = ("EXPLORER_ENGINE", "EXPLORER_CACHE_DIR", "EXPLORER_TOUR", "EXPLORER_LOG")
HELLO_SECONDS = 60.0
# Before a host that has ended is asked for again: Ray needs a moment to see that it has.
AGAIN_SECONDS = 0.5
# A device that could not be used is tried again: its node may have been mended.
REFUSED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CrewOptions:
    """How the nodes of a cluster are used; times in seconds.

    Attributes:
        look: Between two looks at which nodes there are.
        retry: Between two attempts to reach a cluster that could not be reached.
        linger: For which a node keeps its networks when no server uses it.
        public: Whether strangers read the errors, which then name no node and no address.
    """

    look: float = 2.0
    retry: float = 10.0
    linger: float = 600.0
    public: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A device that is not used.

    Attributes:
        node: Its node's name.
        reason: Why.
        at: Since when, by the board's clock.
    """

    node: str
    reason: str
    at: float


class NodeDriver(Driver):
    """A driver whose worker is on a node; it ends when the node does.

    Args:
        crew: To which it belongs.
        slot: The device.
    """

    def __init__(self, crew: ClusterCrew, slot: Slot) -> None:
        super().__init__(crew.board, crew.cache, crew.engine_options, self._join)
        self.slot = slot
        self._crew = crew
        self._name = ""

    @property
    def free(self) -> bool:
        """Whether it could begin a job now."""
        return self.job is None and self.state == "idle"

    @property
    def networks(self) -> frozenset[ModelRef]:
        """What is loaded there, and what the job that it runs is loading."""
        job = self.job
        return self.holds if job is None else self.holds.union(job.needs)

    @property
    def info(self) -> NodeInfo:
        """How it is, for the operator."""
        worker = self.worker
        return NodeInfo(
            name=self.slot.node.name,
            device=self.device,
            worker="busy" if self.job is not None and self.state == "idle" else self.state,
            worker_pid=worker.pid if worker is not None else None,
            memory_bytes=worker.memory_bytes if worker is not None else 0,
            networks=self.pool[0],
            starts=self.starts,
        )

    def _join(self) -> Worker:
        """Asks the host of this device for its worker.

        Raises:
            WorkerGone: The node is gone, or has other versions.
        """
        with self._reaching():
            host = self._crew.connection.host(self.slot, self._crew.host_setup(self.slot))
            there = host.ask("hello", timeout=HELLO_SECONDS)
        found = differing(installed(), there)
        if found:
            words = (
                f"{name} {theirs or 'is missing'}, {ours or 'none'} here"
                for name, ours, theirs in found
            )
            raise WorkerGone("; ".join(words), for_good=True)
        with self._reaching():
            worker = RemoteWorker(host, self._crew.depot, self._name, HELLO_SECONDS)
        self._name = worker.name
        return worker

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except LostPlaceError as error:
            raise WorkerGone(
                str(error), elsewhere=True, for_good=not self._crew.still_there(self.slot)
            ) from error
        except TimeoutError as error:
            raise WorkerGone(
                f"no answer within {HELLO_SECONDS:g} s; its processors are given to other work",
                for_good=True,
            ) from error

    def _wants(self, job: Job) -> bool:
        others = (one for one in self._crew.drivers if one is not self)
        return wants(self, others, job.needs, self._board.clock() - job.submitted)

    def _gave_up(self) -> None:
        self._crew.dismiss(self, self._start_reason)

    def _ended(self) -> None:
        """The crew ends the jobs that are left, when it closes."""


class ClusterCrew:
    """Keeps a driver for every device of a cluster.

    Args:
        board: Where jobs come from; its lock guards the fields here too.
        cache: Where results go.
        engine_options: Times and sizes of the engine.
        connection: To the cluster.
        options: Of the crew.
    """

    def __init__(
        self,
        board: JobBoard,
        cache: ResultCache,
        engine_options: EngineOptions,
        connection: Connection,
        options: CrewOptions | None = None,
    ) -> None:
        self.board = board
        self.cache = cache
        self.engine_options = engine_options
        self.connection = connection
        self.depot = Depot(connection.put)
        self._options = options or CrewOptions()
        self._drivers: dict[tuple[str, int], NodeDriver] = {}
        self._refused: dict[tuple[str, int], Refused] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._joined = False
        self._error: ExplorerError | None = None

    @property
    def drivers(self) -> tuple[NodeDriver, ...]:
        """One for each device."""
        return tuple(self._drivers.values())

    @property
    def nodes(self) -> tuple[NodeInfo, ...]:
        """Every device, also those that were refused, with the reason."""
        refused = (
            NodeInfo(one.node, None, "broken", None, reason=one.reason)
            for one in self._refused.values()
        )
        return (*(driver.info for driver in self.drivers), *refused)

    @property
    def state(self) -> WorkerState:
        """How they are: the best state of one of them."""
        if self._closing.is_set() or self._thread is None:
            return "stopped"
        if self._error is not None:
            return "broken"
        states = [driver.state for driver in self.drivers]
        if not states:
            return "broken" if self._refused else "starting"
        return "idle" if "idle" in states else "starting"

    def host_setup(self, slot: Slot) -> HostSetup:
        """How the host of a device works: with this server's settings, and the node's places."""
        setup = self.engine_options.setup
        return HostSetup(
            worker=replace(setup, threads=setup.threads or slot.cpus),
            environment={**_for_nodes(os.environ), "EXPLORER_NODE": slot.node.name},
            log_level=logging.getLogger("explorer").getEffectiveLevel(),
            linger=self._options.linger,
        )

    def start(self) -> None:
        """Looks for nodes from now on; new jobs are seen."""
        with self.board.lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="explorer-cluster", daemon=True
                )
                self._thread.start()
            self.board.changed.notify_all()

    def refusal(self, label: str) -> ExplorerError | None:
        """Why no job is taken; None when jobs are taken."""
        if self._closing.is_set():
            return WorkerLostError(
                N_("“{task}” cannot run because the app is shutting down; open it again later."),
                task=label,
            )
        if self._error is not None:
            return self._for_visitors(self._error)
        if self._refused and not self._drivers:
            return self._nobody(label)
        return None

    def still_there(self, slot: Slot) -> bool:
        """Whether a node that did not answer is there all the same; waits a moment first."""
        self._closing.wait(AGAIN_SECONDS)
        try:
            return any(node.id == slot.node.id for node in self.connection.nodes())
        except LostPlaceError:
            return False

    def dismiss(self, driver: NodeDriver, reason: str) -> None:
        """Lets go of a driver whose worker cannot be started any more; called under the lock."""
        key = driver.slot.node.id, driver.slot.index
        if self._drivers.get(key) is not driver:
            return
        del self._drivers[key]
        self._refused[key] = Refused(driver.slot.node.name, reason, self.board.clock())
        self.board.workers = max(1, len(self._drivers))
        log.error("node %s is not used: %s", driver.slot.node.name, reason)
        if not self._drivers:
            for job in self.board.jobs():
                self.board.finish(job, "failed", error=self._nobody(job.label))

    def close(self) -> None:
        """Cancels all jobs and lets go of the workers; returns when that is done."""
        self._closing.set()
        with self.board.lock:
            stop_jobs(self.board.abandon_all())
            drivers = self.drivers
        for driver in drivers:
            driver.begin_close()
        for driver in drivers:
            driver.end_close()
        self.depot.forget()
        if self._thread is not None:
            self._thread.join(1.0)
        self.connection.close()

    def _for_visitors(self, error: ExplorerError) -> ExplorerError:
        if not self._options.public:
            return error
        return ClusterError(
            N_("Nothing can be computed just now: no worker is there. Try again in a minute.")
        )

    def _nobody(self, label: str) -> ExplorerError:
        reasons = sorted({f"{one.node}: {one.reason}" for one in self._refused.values()})
        error = ClusterError(
            N_(
                "“{task}” cannot run because no node of the cluster can be used ({reasons}); mend "
                "or add one, or set EXPLORER_ENGINE=local."
            ),
            task=label,
            reasons="; ".join(reasons)[:400],
        )
        return self._for_visitors(error)

    # --- the thread that looks for nodes --------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                if not self._joined:
                    self.connection.open()
                    self._joined = True
                self._look()
                pause = self._options.look
            except (ClusterError, LostPlaceError) as error:
                self._failed(error)
                pause = self._options.retry
            except Exception:
                log.exception("the nodes of the cluster could not be looked at")
                pause = self._options.retry
            self._closing.wait(pause)

    def _look(self) -> None:
        """Takes on the devices that have come, and forgets those of nodes that have gone."""
        found = {
            (slot.node.id, slot.index): slot
            for node in self.connection.nodes()
            for slot in slots(node)
        }
        with self.board.lock:
            if self._closing.is_set():
                return
            self._error = None
            long_ago = self.board.clock() - REFUSED_SECONDS
            for key, refused in list(self._refused.items()):
                if key not in found or refused.at < long_ago:
                    del self._refused[key]
            for key in found.keys() - self._drivers.keys() - self._refused.keys():
                self._drivers[key] = NodeDriver(self, found[key])
                self._drivers[key].start()
            self.board.workers = max(1, len(self._drivers))
            if not found:
                # The head may give no processors, and nodes come later; nobody waits for ever.
                self._error = ClusterError(
                    N_("The cluster has no node with a processor to give; add one (ray start).")
                )
                self._end_all(self._error)

    def _failed(self, error: ExplorerError | LostPlaceError) -> None:
        log.error("the cluster cannot be used: %s", error, exc_info=error)
        if not isinstance(error, ExplorerError):
            error = ClusterError(
                N_(
                    "The connection to the cluster was lost ({reason}); it is tried again every "
                    "few seconds."
                ),
                reason=str(error),
            )
            self.depot.forget()
            self.connection.close()
        with self.board.lock:
            self._joined, self._error = False, error
            self._end_all(error)

    def _end_all(self, error: ExplorerError) -> None:
        shown = self._for_visitors(error)
        for job in self.board.jobs():
            self.board.finish(job, "failed", error=shown)


def _for_nodes(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of this server, which hold on the nodes too."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper().startswith("EXPLORER_") and name.upper() not in NOT_FOR_NODES
    }
