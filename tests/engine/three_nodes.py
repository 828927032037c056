"""A Ray cluster of three nodes on this machine, which lose and gain nodes while jobs run.

A program of its own, because a process can join one cluster only; ``test_cluster.py`` runs it and
reads what it found: ``python -m tests.engine.three_nodes FOLDER`` writes ``found.json`` there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.engine import Job, set_engine
from explorer.engine.cluster.connection import ConnectionOptions
from explorer.engine.cluster.crew import CrewOptions
from explorer.engine.cluster.engine import ClusterEngine
from explorer.engine.local import EngineOptions
from explorer.requests import ModelRef
from explorer.tasks import ClassifyFrames, Measure, Predict
from tests.engine.clusters import LOOPBACK, NODE, joined
from tests.engine.fakes import Add, Count
from tests.engine.waiting import until

ROOT = Path(__file__).resolve().parents[2]
MODELS = [
    "lenet5", "timm/test_resnet", "timm/test_convnext", "timm/test_vit", "timm/test_efficientnet",
    "timm/test_byobnet", "timm/test_mambaout", "timm/test_nfnet", "squeezenet1_1", "resnet18",
]  # fmt: skip
CLIENT = """
import json, os, sys, time
from pathlib import Path
from explorer.engine.cluster.connection import ConnectionOptions
from explorer.engine.cluster.engine import ClusterEngine
from explorer.engine.local import EngineOptions
from tests.engine.fakes import Add
options = EngineOptions(preload=False, threads=1, python_path=(Path.cwd(),))
engine = ClusterEngine(ConnectionOptions(sys.argv[1], claim=False, ship=False), options)
found = engine.submit(Add(20, 22), "me").result(120)
again = engine.submit(Add(1, 1), "me").result(120)
engine.shutdown()
print(json.dumps([found, again, "torch" in sys.modules]))
"""


class World:
    """The cluster, a folder for marks, and an engine with a worker on each node."""

    def __init__(self, cluster: Any, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.nodes: dict[str, Any] = {}
        for name in ("one", "two", "three"):
            self.add(name)
        self.engine = self.make_engine()
        self.engine.warm_up()
        self.until_ready("one", "two", "three")

    def add(self, name: str, **more: Any) -> None:
        self.nodes[name] = self.cluster.add_node(**NODE, num_cpus=1, node_name=name, **more)

    def remove(self, name: str) -> None:
        """Kills a node as a cut cable would."""
        self.cluster.remove_node(self.nodes.pop(name), allow_graceful=False)

    def make_engine(self) -> ClusterEngine:
        options = EngineOptions(preload=False, threads=1, python_path=(ROOT,), tick=0.05)
        crew = CrewOptions(look=0.3, linger=60.0)
        return ClusterEngine(
            ConnectionOptions("ray", share="three", claim=False), options, crew=crew
        )

    def ready(self) -> set[str]:
        return {one.name for one in self.engine.info().nodes if one.worker in ("idle", "busy")}

    def until_ready(self, *names: str) -> None:
        until(lambda: self.ready() == set(names), f"for {names}: {self.engine.info().nodes}")

    def place(self, name: str) -> Path:
        found = self.folder / name
        found.mkdir()
        return found

    def node_of(self, folder: Path, name: str) -> str:
        """The node on which a ``Count`` runs."""
        marks, found = folder / f"{name}.runs", list[str]()

        def known() -> bool:
            pids = marks.read_text().split() if marks.exists() else []
            by_pid = {one.worker_pid: one.name for one in self.engine.info().nodes}
            found[:] = [by_pid[int(pid)] for pid in pids[-1:] if int(pid) in by_pid]
            return bool(found)

        until(known, f"for the process of {name}")
        return found[0]


def lost_node(world: World) -> dict[str, Any]:
    """Two of three nodes are lost: one runs a task that can be repeated, one a timing."""
    place = world.place("lost")
    tasks = {
        name: Count(str(place), name, shared=name != "timing") for name in ("a", "b", "timing")
    }
    jobs: dict[str, Job] = {name: world.engine.submit(one, name) for name, one in tasks.items()}
    where = {name: world.node_of(place, name) for name in tasks}
    world.remove(where["a"])
    world.remove(where["timing"])
    until(lambda: jobs["timing"].status("timing").finished, "for the timing's sentence")
    world.until_ready(where["b"])
    (place / "go").touch()
    results = {name: jobs[name].result(30) for name in ("a", "b")}
    for name in ("a", "timing"):
        world.add(where[name])
    world.until_ready("one", "two", "three")
    return {
        "nodes": sorted(where.values()),
        "results": results,
        "runs": len((place / "a.runs").read_text().split()),
        "sentence": str(jobs["timing"].status().error),
        "after": world.engine.submit(Add(4, 4), "me").result(30),
    }


def lost_atlas(world: World) -> dict[str, Any]:
    """A node is lost in the middle of a survey."""
    import pyarrow.parquet as pq

    from explorer.atlas.costs import CountCosts, costs_survey
    from explorer.atlas.crew import Crew, own_workers
    from explorer.atlas.folder import open_folder
    from explorer.atlas.running import run_survey

    before = set_engine(world.engine)

    def survey() -> None:
        plan, place = costs_survey(MODELS), world.folder / "atlas"
        with open_folder(place, plan, resume=False) as folder, own_workers(3) as lanes:
            run_survey(folder, Crew(lanes), lambda at: CountCosts(MODELS[at]))

    thread = threading.Thread(target=survey)
    thread.start()
    rows = world.folder / "atlas" / "rows.jsonl"
    # Three workers import torch first, which takes long where the cores are busy.
    until(lambda: rows.exists() and rows.read_text().count("\n") >= 3, "for three rows", 90.0)
    at_kill = rows.read_text().count("\n")
    busy = [one.name for one in world.engine.info().nodes if one.worker == "busy"]
    world.remove(busy[0])
    thread.join(120)
    world.add(busy[0])
    world.until_ready("one", "two", "three")
    set_engine(before)
    table = pq.read_table(world.folder / "atlas" / "costs.parquet").to_pydict()
    return {"at_kill": at_kill, "model": table["model"], "state": table["state"]}


def versions(world: World) -> dict[str, Any]:
    """A node with another torch, and one without."""
    other, bare = world.folder / "other", world.folder / "bare"
    (other / "torch-2.0.0.dist-info").mkdir(parents=True)
    (other / "torch-2.0.0.dist-info" / "METADATA").write_text("Name: torch\nVersion: 2.0.0\n")
    bare.mkdir()
    (bare / "sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "found = metadata.version\n"
        "def version(name):\n"
        "    if name == 'torch': raise metadata.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "metadata.version = version\n"
    )
    for folder in (other, bare):
        paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
        world.add(folder.name, env_vars={"PYTHONPATH": paths})
    reasons: dict[str, str] = {}

    def refused() -> bool:
        reasons.update({one.name: one.reason for one in world.engine.info().nodes if one.reason})
        return reasons.keys() >= {"other", "bare"}

    until(refused, "for both to be refused")
    result = world.engine.submit(Add(5, 5), "me").result(30)
    for name in ("other", "bare"):
        world.remove(name)
    until(lambda: len(world.engine.info().nodes) == 3, "for both to be forgotten")
    return {"reasons": reasons, "result": result}


def replicas(world: World) -> dict[str, Any]:
    """A network that is asked for while the node that has it is busy comes to lie on another."""
    ref, image = ModelRef("lenet5"), (ROOT / "assets" / "images" / "coffee.jpg").read_bytes()
    first = world.engine.submit(Predict(ref, image), "me").result(60)
    held = [sum(one.networks for one in world.engine.info().nodes)]
    same = world.engine.submit(Predict(ref, image, top_k=2), "me").result(60)
    held.append(sum(one.networks for one in world.engine.info().nodes))
    loop = world.engine.submit(ClassifyFrames(ref, image, seconds=60.0), "watcher")
    until(lambda: loop.status("watcher").partial is not None, "for the loop")
    other = world.engine.submit(Predict(ref, image, top_k=3), "me").result(60)
    held.append(sum(one.networks for one in world.engine.info().nodes))
    world.engine.cancel(loop, "watcher")
    measured = world.engine.submit(Measure(ref, quick_request(), keep=False), "me").result(60)
    return {
        "labels": [len(first.top), len(same.top), len(other.top)],
        "held": held,
        "blobs": len(world.engine._nodes.depot),
        "device": measured.device,
    }


def quick_request() -> Any:
    from explorer.requests import LatencyRequest

    return replace(LatencyRequest(), min_seconds=0.05, min_runs=3, warmup_runs=1)


def two_servers(world: World) -> dict[str, Any]:
    """Another server of the same cluster uses the same workers, and waits for its turn there."""
    place = world.place("shared")
    jobs = [world.engine.submit(Count(str(place), name), name) for name in ("a", "b", "c")]
    for name in ("a", "b", "c"):
        world.node_of(place, name)
    second = world.make_engine()
    try:
        given_up = second.submit(Count(str(place), "given up"), "you")
        until(lambda: given_up.status("you").state == "running", "for its place in a queue")
        second.cancel(given_up, "you")
        cancelled_while_others_run = given_up.wait(10) and not (place / "go").exists()
        job = second.submit(Add(6, 6), "you")
        (place / "go").touch()
        found = job.result(60)
        pids = [
            {one.worker_pid for one in engine.info().nodes} for engine in (world.engine, second)
        ]
    finally:
        second.shutdown()
    return {
        "results": [one.result(60) for one in jobs],
        "cancelled": cancelled_while_others_run,
        "never_ran": not (place / "given up.runs").exists(),
        "found": found,
        "same_workers": bool(pids[0] & pids[1]),
    }


def client(world: World) -> dict[str, Any]:
    """A server that is no part of the cluster, by ``ray://``."""
    address = f"ray://{LOOPBACK}:{world.cluster.client_port}"
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, address], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return {
        "found": json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr[-2000:]
    }


SCENES: tuple[Callable[[World], dict[str, Any]], ...] = (
    lost_node, lost_atlas, versions, replicas, two_servers, client,
)  # fmt: skip


def main(folder: Path, *names: str) -> None:
    """Plays all scenes, or those that are named."""
    found: dict[str, Any] = {}
    os.environ["PYTHONPATH"] = str(ROOT)
    with joined("head", cpus=0, client_port=True, ship=False) as cluster:
        world = World(cluster, folder)
        for scene in SCENES:
            if names and scene.__name__ not in names:
                continue
            try:
                found[scene.__name__] = scene(world)
            except Exception:  # noqa: BLE001 - the test shows it
                found[scene.__name__] = {"error": traceback.format_exc()}
            (folder / "found.json").write_text(json.dumps(found))
        world.engine.shutdown()


if __name__ == "__main__":
    import tests.conftest  # noqa: F401 - the same isolation as in the tests

    main(Path(sys.argv[1]), *sys.argv[2:])
