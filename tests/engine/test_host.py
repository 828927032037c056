"""The host of a node without a cluster: its queue between servers, its worker, its end."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from explorer.engine.cluster.host import GRACE_SECONDS, LEASE_SECONDS, Host, HostSetup, Letter
from explorer.engine.cluster.parcels import pack
from explorer.engine.failures import unpack
from explorer.engine.process import WorkerSetup
from tests.engine.conftest import ROOT
from tests.engine.fakes import Add, Call, Count, Deaf, leave, log_something
from tests.engine.waiting import PATIENCE, gone, until


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class Bench:
    """A host, and servers that speak to it."""

    def __init__(self, linger: float) -> None:
        self.clock = Clock()
        self.ended: list[str] = []
        setup = HostSetup(WorkerSetup(1, False, 0, (ROOT,)), {}, logging.INFO, linger)
        self.host = Host(setup, list, lambda: self.ended.append("end"), self.clock)
        self.kept: dict[str, list[tuple[Any, ...]]] = {}

    def join(self, client: str) -> None:
        self.kept[client] = []
        self.host.join(client)

    def seat(self, *clients: str) -> None:
        """These servers use the worker, and know that it is ready."""
        for client in clients:
            self.join(client)
            self.until(client, "ready")

    def run(self, client: str, number: int, task: Any, label: str = "a test") -> None:
        parcel = pack(task)
        files = tuple((path, Path(path).read_bytes()) for path in parcel.files)
        self.host.run(Letter(client, number, parcel.skeleton, parcel.blobs, files, label))

    def until(self, client: str, *kinds: str) -> tuple[Any, ...]:
        """The next message of these kinds; what came before it is kept."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            _pid, _nbytes, messages = self.host.receive(client, 0.05)
            self.kept[client] += messages
            for message in messages:
                if message[0] in kinds:
                    return message
        raise AssertionError(f"{client} got {self.kept[client]}, none of {kinds}")

    @property
    def pid(self) -> int:
        return self.host._worker.pid if self.host._worker is not None else 0


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(linger: float = 600.0) -> Bench:
        made.append(Bench(linger))
        return made[-1]

    yield make
    for one in made:
        one.host._over = True
        one.host._stop_worker()
    for handler in list(logging.getLogger().handlers):
        if type(handler).__name__ == "_ToServers":
            logging.getLogger().removeHandler(handler)


def test_two_servers_share_a_worker_and_take_turns(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    for client in ("A", "B"):
        one.join(client)
        assert one.until(client, "ready")[0] == "ready"
    one.run("A", 7, Count(str(tmp_path), "a"))
    one.run("B", 7, Add(1, 2))  # the same number, which is each server's own
    one.until("A", "started")
    assert one.host.receive("B", 0.05)[2] == []
    (tmp_path / "go").touch()
    assert unpack(one.until("A", "done")[2]) == "a"
    assert unpack(one.until("B", "done")[2]) == 3
    assert not [m for m in one.kept["B"] if m[0] == "progress"]


def test_a_task_that_waits_is_cancelled_at_once_and_a_running_one_at_its_next_step(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    one.seat("A", "B")
    one.run("A", 1, Count(str(tmp_path), "a"))
    one.until("A", "started")
    one.run("B", 2, Count(str(tmp_path), "b"))
    one.host.cancel("B", 2)
    assert one.until("B", "cancelled", "started") == ("cancelled", 2)
    one.host.cancel("B", 1)  # not B's
    one.host.cancel("A", 1)
    assert one.until("A", "cancelled", "done") == ("cancelled", 1)
    assert not (tmp_path / "b.runs").exists()


def test_a_worker_that_ends_is_told_to_those_whose_task_it_ran_and_restarted_for_the_others(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    one.seat("A", "B", "C")
    one.run("A", 1, Deaf(str(tmp_path)))
    one.until("A", "started")
    one.run("B", 1, Add(2, 2))
    os.kill(one.pid, signal.SIGKILL)
    assert one.until("A", "gone", "failed") == ("gone", "SIGKILL")
    assert one.until("C", "gone") == ("gone", "SIGKILL")
    assert unpack(one.until("B", "done", "gone")[2]) == 4
    one.host.join("A2", "A")
    one.kept["A2"] = []
    assert one.until("A2", "ready")


def test_only_whose_task_runs_can_kill_the_worker(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    one.seat("A", "B")
    one.run("A", 1, Deaf(str(tmp_path)))
    until((tmp_path / "deaf").exists)
    pid = one.pid
    one.host.kill("B")
    assert not gone(pid)
    one.host.kill("A")
    assert one.until("A", "gone")[1] == "SIGKILL"
    assert gone(pid)


def test_a_server_that_is_gone_gives_up_its_task_and_then_the_worker(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    one = bench()
    one.seat("A", "B")
    one.run("A", 1, Deaf(str(tmp_path)))
    until((tmp_path / "deaf").exists)
    one.run("B", 1, Add(3, 3))
    one.host.receive("B", 0.01)
    one.clock.ahead += LEASE_SECONDS - 1
    one.host.receive("B", 0.01)
    one.clock.ahead += 2  # A has been silent for longer than a lease, B has not
    until(lambda: "A" not in one.host._clients, "for the lease")
    one.clock.ahead += GRACE_SECONDS + 1
    assert unpack(one.until("B", "done")[2]) == 6
    assert one.host.receive("A", 0.01)[2] == [("gone", "the node no longer knows this server")]


def test_the_last_server_that_leaves_ends_it_at_once_or_after_a_while(
    bench: Callable[..., Bench],
) -> None:
    quick, slow = bench(linger=0.0), bench(linger=100.0)
    for one in (quick, slow):
        one.join("A")
        one.until("A", "ready")
    pids = quick.pid, slow.pid
    for one in (quick, slow):
        one.host.leave("A")
    assert gone(pids[0])
    until(lambda: quick.ended)
    assert not gone(pids[1])
    assert not slow.ended
    slow.clock.ahead += 101
    until(lambda: slow.ended)
    until(lambda: gone(pids[1]))


def test_who_waits_for_messages_of_a_server_that_leaves_is_answered_at_once(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    one.seat("A")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(one.host.receive, "A", 10 * PATIENCE)
        time.sleep(0.1)
        one.host.leave("A")
        assert waiting.result(PATIENCE)[2] == [("gone", "the node no longer knows this server")]


def test_what_the_worker_writes_goes_to_the_server_whose_task_it_runs(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    one.seat("A", "B")
    one.run("A", 1, Call(log_something))
    one.until("A", "done")
    said = ("log", logging.ERROR, "some.library", "an error: 100 %")
    while said not in one.kept["A"]:  # it comes by another way than the result
        one.until("A", "log")
    others = one.kept["B"] + one.host.receive("B", 0.3)[2]
    assert not [message for message in others if message[0] == "log"]


def test_files_are_there_while_the_task_runs(bench: Callable[..., Bench], tmp_path: Path) -> None:
    from explorer.own_tasks import CheckOwnWeights

    one = bench()
    one.seat("A")
    file = tmp_path / "own.safetensors"
    file.write_bytes(b"no weights")
    one.run("A", 1, CheckOwnWeights("lenet5", str(file)))
    # Found and read, though there is nothing in it.
    assert "SafetensorError" in str(unpack(one.until("A", "failed", "done")[2]))
    until(lambda: not list(one.host._folder.iterdir()), "for the copy to go")


def test_a_task_that_ends_the_worker_does_not_end_the_host(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.seat("A")
    one.run("A", 1, Call(leave))
    assert one.until("A", "gone") == ("gone", "exit status 3")
    assert not one.ended
