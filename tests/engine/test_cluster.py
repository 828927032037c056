"""Three nodes on one machine (``three_nodes``), and a cluster that is not to be had."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.engine.cluster import connection
from explorer.engine.cluster.connection import Connection, ConnectionOptions, Node, slots
from explorer.engine.cluster.crew import CrewOptions
from explorer.engine.cluster.engine import ClusterEngine
from explorer.engine.cluster.parcels import BLOB_BYTES, Parcel
from explorer.engine.cluster.remote import Depot, LostPlaceError, RemoteWorker
from explorer.engine.cluster.versions import installed
from explorer.engine.failures import unpack
from explorer.engine.local import EngineOptions
from explorer.errors import ClusterError
from tests.engine.conftest import ROOT
from tests.engine.fakes import Add
from tests.engine.three_nodes import MODELS
from tests.engine.waiting import PATIENCE


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("three-nodes")
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.three_nodes", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    assert (folder / "found.json").exists(), done.stderr[-4000:]
    result: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return result


def scene(found: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = found[name]
    assert "error" not in result, result.get("error")
    return result


@pytest.mark.slow
def test_a_node_lost_in_the_middle_of_a_request(found: dict[str, Any]) -> None:
    lost = scene(found, "lost_node")
    assert lost["nodes"] == ["one", "three", "two"]  # one task on each
    assert lost["results"] == {"a": "a", "b": "b"}
    assert lost["runs"] == 2  # begun again on the node that was left
    assert lost["sentence"].startswith("The worker process ended while it ran “Count” (node ")
    assert " is gone)" in lost["sentence"]
    assert lost["after"] == 8  # the nodes are back


@pytest.mark.slow
def test_a_node_lost_in_the_middle_of_a_survey(found: dict[str, Any]) -> None:
    lost = scene(found, "lost_atlas")
    assert 3 <= lost["at_kill"] < len(MODELS)
    assert lost["model"] == MODELS  # each once, in the order of the plan
    assert lost["state"] == ["done"] * len(MODELS)


@pytest.mark.slow
def test_a_node_of_another_version_is_refused_by_name(found: dict[str, Any]) -> None:
    refused = scene(found, "versions")
    torch = installed()["torch"]
    assert refused["reasons"] == {
        "other": f"torch 2.0.0, {torch} here",
        "bare": f"torch is missing, {torch} here",
    }
    assert refused["result"] == 10  # the others work on


@pytest.mark.slow
def test_a_popular_network_lies_on_more_nodes(found: dict[str, Any]) -> None:
    popular = scene(found, "replicas")
    assert popular["labels"] == [5, 2, 3]
    assert popular["held"] == [1, 1, 2]  # the same worker again; another one while it was busy
    assert popular["blobs"] == 1  # the photo was sent once, for all of them
    assert "(node " in popular["device"]


@pytest.mark.slow
def test_two_servers_share_the_workers(found: dict[str, Any]) -> None:
    shared = scene(found, "two_servers")
    assert shared["results"] == ["a", "b", "c"]
    assert shared["cancelled"]
    assert shared["never_ran"]
    assert shared["found"] == 12
    assert shared["same_workers"]


@pytest.mark.slow
def test_a_server_outside_of_the_cluster(found: dict[str, Any]) -> None:
    assert scene(found, "client")["found"] == [42, 2, False]  # and it has not imported torch


# --- devices ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpus", "gpus", "expected"),
    [(16, 0, [(16, 0)]), (16, 2, [(8, 1), (8, 1)]), (0, 0, []), (1, 2, [(1, 1), (1, 1)])],
)
def test_a_node_has_a_worker_for_each_device(
    cpus: int, gpus: int, expected: list[tuple[int, int]]
) -> None:
    assert [(one.cpus, one.gpus) for one in slots(Node("id", "name", cpus, gpus))] == expected


# --- a cluster that is not to be had ------------------------------------------------------------


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


@pytest.fixture
def engine_at() -> Iterator[Any]:
    made: list[ClusterEngine] = []

    def make(address: str) -> ClusterEngine:
        options, crew = EngineOptions(preload=False, tick=0.02), CrewOptions(look=0.1, retry=0.1)
        made.append(ClusterEngine(ConnectionOptions(address), options, crew=crew))
        return made[-1]

    yield make
    for engine in made:
        engine.shutdown()


@pytest.mark.usefixtures("without_ray")
def test_ray_is_not_installed(engine_at: Any) -> None:
    engine = engine_at("ray://127.0.0.1:10001")
    job = engine.submit(Add(1, 2), "me", label="the test")
    assert job.wait(PATIENCE)
    assert str(job.status().error).startswith(
        "EXPLORER_ENGINE=ray://127.0.0.1:10001 needs Ray, which is not installed ("
    )
    assert "pip install -r requirements-cluster.txt" in str(job.status().error)
    info = engine.info()
    assert info.worker == "broken"
    assert isinstance(info.device_error, ClusterError)
    later = engine.submit(Add(1, 3), "me")
    assert later.wait(0)  # said at once


@pytest.mark.usefixtures("without_ray")
def test_strangers_read_no_address() -> None:
    options, crew = EngineOptions(preload=False, tick=0.02), CrewOptions(retry=0.1, public=True)
    engine = ClusterEngine(ConnectionOptions("ray://127.0.0.1:10001"), options, crew=crew)
    try:
        job = engine.submit(Add(1, 2), "me")
        assert job.wait(PATIENCE)
        sentence = "Nothing can be computed just now: no worker is there. Try again in a minute."
        assert str(job.status().error) == str(engine.info().device_error) == sentence
    finally:
        engine.shutdown()


class FakeRay:
    """What ``Connection`` asks of Ray before it is joined."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def is_initialized(self) -> bool:
        return False

    def init(self, *_arguments: Any, **_options: Any) -> None:
        if self.error is not None:
            raise self.error


def test_nobody_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_import_ray", lambda _address: FakeRay())
    with pytest.raises(ClusterError) as caught:
        Connection(ConnectionOptions("ray://127.0.0.1:1")).open()
    assert str(caught.value).startswith(
        "The Ray cluster at EXPLORER_ENGINE=ray://127.0.0.1:1 cannot be reached (["
    )
    assert "refused" in str(caught.value)


def test_the_cluster_is_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    # What Ray itself raises.
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as said:
        check_version_info(
            {"ray_version": "1.13.0", "python_version": "3.11.7"}, "this process", True
        )
    monkeypatch.setattr(connection, "_import_ray", lambda _address: FakeRay(said.value))
    with pytest.raises(ClusterError) as caught:
        Connection(ConnectionOptions("ray")).open()
    assert "is of another version (" in str(caught.value)
    assert "1.13.0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cluster_is_left_when_the_last_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray ends the process when an answer is taken after its shutdown."""
    said: list[str] = []
    asked = threading.Event()

    class SlowRay(FakeRay):
        def nodes(self) -> list[dict[str, Any]]:
            asked.set()
            time.sleep(0.3)
            said.append("answer")
            return []

        def shutdown(self) -> None:
            said.append("shutdown")

    monkeypatch.setattr(connection, "_import_ray", lambda _address: SlowRay())
    joined = Connection(ConnectionOptions("ray"))
    joined.open()
    asking = threading.Thread(target=joined.nodes)
    asking.start()
    assert asked.wait(PATIENCE)
    joined.close()
    asking.join(PATIENCE)
    assert said == ["answer", "shutdown"]
    with pytest.raises(LostPlaceError):
        joined.nodes()


def test_the_object_store_is_full() -> None:
    from ray.exceptions import ObjectStoreFullError

    class Place:
        node = "one"

        def __init__(self) -> None:
            self.sent: list[str] = []
            self.asked: set[str] = set()

        def call(self, method: str, *_arguments: Any) -> None:
            self.sent.append(method)

        def ask(self, method: str, *_arguments: Any, timeout: float | None = None) -> Any:
            self.asked.add(method)
            return 0, 0, []

    def full(_data: bytes) -> Any:
        raise ObjectStoreFullError("Failed to put object: 200 MB are used.\nA long story.")

    place = Place()
    worker = RemoteWorker(place, Depot(full))
    worker.send("run", 3, Parcel(b"", (bytes(BLOB_BYTES),)), "the test")
    message = worker.receive(PATIENCE)
    worker.stop()
    assert message is not None
    assert message[:2] == ("failed", 3)
    error = unpack(message[2])
    assert isinstance(error, ClusterError)
    assert str(error).startswith("“the test” could not be sent to the cluster (ObjectStoreFullErr")
    assert place.sent == []
    assert place.asked == {"join", "receive", "leave"}
