"""The only module that speaks to Ray: joining a cluster, its nodes, their actors, the object store.

Ray is an extra (``requirements-cluster.txt``) and is imported when a cluster is joined.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from explorer.engine.cluster.host import HostSetup
from explorer.engine.cluster.remote import LostPlaceError
from explorer.engine.cluster.versions import code_digest
from explorer.errors import ClusterError
from explorer.i18n import N_

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[3]
CLIENT = "ray://"
KNOCK_SECONDS = 5.0
CLOSE_SECONDS = 1.0
# For which calls that are on their way are waited for.
QUIET_SECONDS = 3.0
# Servers whose tasks one host can wait for, and as many again that come or go just now.
THREADS = 64
# What the nodes need not have: they run tasks, and draw no page.
NOT_SENT = [
    "/.git", "/.venv*", "/tests", "/docs", "/deploy", "/build", "/.mypy_cache", "/.ruff_cache",
    "/.pytest_cache", "/.hypothesis", "**/__pycache__", "/look-*",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's name of it.
        name: What people call it: ``ray start --node-name``, else its address.
        cpus: Logical processors that it gives.
        gpus: Graphics cards that it gives.
    """

    id: str
    name: str
    cpus: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One device of a node, for which there is one worker.

    Attributes:
        node: Where it is.
        index: 0…; graphics cards are counted, a node without one has one slot.
        cpus: That go with it.
        gpus: 1 or 0.
    """

    node: Node
    index: int
    cpus: int
    gpus: int


def slots(node: Node) -> tuple[Slot, ...]:
    """The devices of a node: its graphics cards, which share the processors, or the processors.

    A Mac is a node without graphics cards for Ray; its worker takes MPS by itself.
    """
    if not node.cpus:  # given to other work altogether
        return ()
    count = max(1, node.gpus)
    each = max(1, node.cpus // count)
    return tuple(Slot(node, index, each, min(1, node.gpus)) for index in range(count))


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How a cluster is joined.

    Attributes:
        address: "ray": the one that runs here (or that RAY_ADDRESS names), else one is started;
            "ray://HOST:PORT": as a client of that one.
        share: Servers with the same word share workers; part of their names in the cluster.
        claim: Whether a worker claims its device from Ray, so that other work stays off it.
        ship: Whether this program's code is taken to the nodes; else they have it on PYTHONPATH.
    """

    address: str
    share: str = ""
    claim: bool = True
    ship: bool = True


class Connection:
    """A cluster that was joined, or will be.

    Args:
        options: See there.
    """

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._ray: ModuleType | None = None
        self._own = False
        self._lock = threading.Lock()
        self._calls = 0
        self._changed = threading.Condition()

    @property
    def _namespace(self) -> str:
        return "-".join(filter(None, ("convnet-explorer", code_digest(), self._options.share)))

    def open(self) -> None:
        """Joins the cluster, or starts one; takes seconds.

        Raises:
            ClusterError: That cannot be done; the sentence says why and what helps.
        """
        address = self._options.address
        ray = _import_ray(address)
        with self._lock:
            if not ray.is_initialized():
                self._join(ray, address)
                self._own = True
            with self._changed:
                self._ray = ray

    def close(self) -> None:
        """Leaves the cluster; one that was started here ends.

        Ray ends the whole process when it is asked for something after its shutdown, also where
        the answer to an earlier question is just being taken: so nobody asks any more, and those
        who wait for an answer have it first.
        """
        with self._lock:
            with self._changed:
                ray, self._ray = self._ray, None
                if not self._changed.wait_for(lambda: not self._calls, QUIET_SECONDS):
                    log.warning("%d calls to the cluster were still on their way", self._calls)
            if ray is not None and self._own:
                # A cluster that was started here takes seconds to end, for which nobody waits; at
                # the end of this process Ray sees to it that nothing is left.
                leaving = threading.Thread(target=ray.shutdown, name="explorer-cluster-end")
                leaving.start()
                leaving.join(CLOSE_SECONDS)

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are there now.

        Raises:
            LostPlaceError: The cluster cannot be reached any more.
        """
        found = []
        for one in self._safely(lambda ray: ray.nodes()):
            if one["Alive"]:
                given = one["Resources"]
                name = one.get("NodeName") or one["NodeManagerAddress"]
                cpus, gpus = int(given.get("CPU", 0)), int(given.get("GPU", 0))
                found.append(Node(one["NodeID"], name, cpus, gpus))
        return tuple(found)

    def put(self, data: bytes) -> Any:
        """Puts bytes into the object store.

        Returns:
            A reference, which keeps them there.
        """
        with self._calling() as ray:
            return ray.put(data)

    def host(self, slot: Slot, setup: HostSetup) -> RemoteHost:
        """The host of a device; started unless another server has started it.

        Raises:
            LostPlaceError: The cluster cannot be reached any more.
        """

        def start(ray: ModuleType) -> Any:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            from explorer.engine.cluster.actor import WAITING, Actor

            claim = self._options.claim
            groups = ray.remote(max_concurrency=1, concurrency_groups={WAITING: THREADS})
            return (
                groups(Actor)
                .options(
                    name=f"{slot.node.id}-{slot.index}",
                    namespace=self._namespace,
                    lifetime="detached",
                    get_if_exists=True,
                    num_cpus=slot.cpus if claim else 0,
                    num_gpus=slot.gpus if claim else 0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node.id, soft=False),
                )
                .remote(setup)
            )

        return RemoteHost(self, slot.node.name, self._safely(start))

    def _safely(self, call: Callable[[ModuleType], Any]) -> Any:
        with self._calling() as ray:
            try:
                return call(ray)
            except (Exception, SystemExit) as error:
                # Bare exceptions when its client is cut off, an exit while the process leaves.
                raise LostPlaceError(_in_short(error)) from error

    @contextmanager
    def _calling(self) -> Iterator[ModuleType]:
        with self._changed:
            ray = self._ray
            if ray is None:
                raise LostPlaceError("the cluster was left")
            self._calls += 1
        try:
            yield ray
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def _join(self, ray: ModuleType, address: str) -> None:
        given: dict[str, Any] = {
            "namespace": self._namespace,
            "log_to_driver": False,
            "logging_level": "ERROR",
            "configure_logging": False,
        }
        if self._options.ship:
            given["runtime_env"] = {"working_dir": str(ROOT), "excludes": NOT_SENT}
        try:
            if address.startswith(CLIENT):
                _knock(address)
                ray.init(address, **given)
                return
            try:
                ray.init("auto", **given)
            except ConnectionError:
                log.info("no Ray cluster runs here; one is started on this machine")
                ray.init("local", include_dashboard=False, **given)
        except Exception as error:  # of many kinds: no cluster, another version, no disk
            raise _not_joined(address, error) from error


class RemoteHost:
    """The host on a node; see ``remote.Place``."""

    def __init__(self, connection: Connection, node: str, actor: Any) -> None:
        self.node = node
        self._connection = connection
        self._actor = actor

    def call(self, method: str, *arguments: Any) -> None:
        """Calls a method without waiting for it."""
        self._connection._safely(lambda _ray: getattr(self._actor, method).remote(*arguments))

    def ask(self, method: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Calls a method and returns its answer.

        Raises:
            LostPlaceError: The host, its node or the cluster is gone.
            TimeoutError: No answer within ``timeout`` seconds.
        """

        def get(ray: ModuleType) -> Any:
            return ray.get(getattr(self._actor, method).remote(*arguments), timeout=timeout)

        try:
            return self._connection._safely(get)
        except LostPlaceError as error:
            if isinstance(error.__cause__, TimeoutError):
                raise TimeoutError(str(error)) from error
            raise


def _import_ray(address: str) -> ModuleType:
    # Ray tells its makers about its use, and asks the network for that, unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Nodes that are started here time networks; Ray would have them give way to everything.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Our list of what is not sent is whole; Ray would warn at every start that it has one too.
    os.environ.setdefault("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", "")
    # A server outlives the cluster's head: without this Ray ends the process after a minute.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "1000000000")
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            N_(
                "EXPLORER_ENGINE={address} needs Ray, which is not installed ({reason}); run pip "
                "install -r requirements-cluster.txt, or set EXPLORER_ENGINE=local."
            ),
            address=address,
            reason=str(error),
        ) from error
    found: ModuleType = ray
    return found


def _knock(address: str) -> None:
    """Whether anybody listens there; Ray itself would try for half a minute.

    Raises:
        OSError: Nobody does.
    """
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS):
        pass


def _not_joined(address: str, error: Exception) -> ClusterError:
    reason = _in_short(error)
    if "version mismatch" in str(error).lower() or "Version mismatch" in reason:
        return ClusterError(
            N_(
                "The Ray cluster at EXPLORER_ENGINE={address} is of another version ({reason}); "
                "install the same versions of Ray and Python there and here."
            ),
            address=address,
            reason=reason,
        )
    return ClusterError(
        N_(
            "The Ray cluster at EXPLORER_ENGINE={address} cannot be reached ({reason}); start it "
            "with ray start --head, correct the address, or set EXPLORER_ENGINE=local."
        ),
        address=address,
        reason=reason,
    )


def _in_short(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:4]) if lines else type(error).__name__
    return (text if len(text) <= 300 else text[:300].rstrip() + "…").rstrip(" .")
