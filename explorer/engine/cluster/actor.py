"""The host as Ray starts it; imported where Ray is, on the server and on the nodes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import ray

from explorer.engine.cluster.host import Host, HostSetup

# One thread runs what has to keep its order, many those calls that wait.
WAITING = "waiting"


class Actor(Host):
    """A host that gets its photos from the object store and ends with its process.

    Args:
        setup: See ``HostSetup``.
    """

    def __init__(self, setup: HostSetup) -> None:
        super().__init__(setup, _fetch, _end_process)


# Ray reads the group off the methods.
for _method in (Host.hello, Host.receive, Host.kill, Host.leave):
    setattr(Actor, _method.__name__, ray.method(concurrency_group=WAITING)(_method))


def _fetch(references: Sequence[Any]) -> list[bytes]:
    found: list[bytes] = ray.get(list(references)) if references else []
    return found


def _end_process() -> None:
    os._exit(0)
