"""Ray clusters on this machine, on the loopback address alone (``tests.conftest`` sees to it)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

LOOPBACK = "127.0.0.1"
NODE: dict[str, Any] = {
    "node_ip_address": LOOPBACK,
    "include_dashboard": False,
    "num_gpus": 0,
    "object_store_memory": 200 * 2**20,
}


def free_port() -> int:
    """One that nobody listens on, outside of the range that Ray takes for itself."""
    while True:
        with socket.socket() as one:
            one.bind((LOOPBACK, 0))
            port: int = one.getsockname()[1]
        if port >= 20000:
            return port


@contextmanager
def nodes(*names: str, cpus: int = 4, client_port: bool = False) -> Iterator[Any]:
    """A cluster (``ray.cluster_utils.Cluster``) with nodes of these names; nobody has joined it."""
    head = {**NODE, "num_cpus": cpus, "node_name": names[0]}
    if client_port:
        head["ray_client_server_port"] = free_port()
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args=head)
    found.client_port = head.get("ray_client_server_port")
    try:
        for name in names[1:]:
            found.add_node(**NODE, num_cpus=cpus, node_name=name)
        yield found
    finally:
        found.shutdown()


@contextmanager
def joined(
    *names: str, cpus: int = 4, client_port: bool = False, ship: bool = True
) -> Iterator[Any]:
    """The same, and this process has joined it; engines with the address "ray" use it.

    Args:
        *names: Of the nodes.
        cpus: Of each.
        client_port: Whether servers can join it from outside, at ``client_port`` of the cluster.
        ship: Whether the code is taken to the nodes. Those of one machine unpack it in one place,
            where it goes with the first of them.
    """
    from explorer.engine.cluster.connection import Connection, ConnectionOptions

    with nodes(*(names or ("one",)), cpus=cpus, client_port=client_port) as found:
        connection = Connection(ConnectionOptions("ray", share="tests", ship=ship))
        with mock.patch.dict(os.environ, {"RAY_ADDRESS": found.address}):
            connection.open()
        try:
            yield found
        finally:
            import ray

            ray.shutdown()
