"""All of torchvision's networks in turn, twice, and where memory is; run by ``make bench``.

``SOAK_MODELS="vgg*,resnet18"`` takes some of them. A process of its own stands for the server: it
has what a server has imported, and hands its engine, with a worker process, the tasks that the
pages graph, complexity and attribution hand it, draws what they draw, and asks the system for the
resident memory of both processes. The networks are untrained.

What is counted: the budget (``EXPLORER_MODEL_BUDGET``) is for parameters and buffers of loaded
networks. Imported libraries are not part of it, so the worker's resident memory after one small
network has been through all tasks (``start``) is taken off. What is left after each network, with
nothing running, is at most the budget and 15 %. While a network runs, its activations come on top;
the highest of these peaks is printed and held against the other round. Between the rounds the kept
traces are removed, and few results are kept, so that both do the same work.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 1_000_000_000  # less than the parameters of four of the networks
NETWORKS_PER_MB = 5  # of kept results: less than they give, so that none is there a second time
ROUNDS = 2
MARGIN = 1.15
MOST_GROWTH = 1.03
WORKER_SECONDS = 3600.0  # for one task, also of a process that was stopped for a while
METHODS = ("saliency", "grad_cam")  # in turn: both passes back and forth, and quickly done
SMALL = "squeezenet1_1"
MB = 1e6
pytestmark = pytest.mark.timeout(4 * 3600)  # one process for all of it, also on a busy machine


def chosen() -> list[str]:
    """Ids of torchvision's networks, those of ``SOAK_MODELS`` where it is set."""
    from explorer.catalog import CATALOG

    patterns = os.environ.get("SOAK_MODELS", "*").split(",")
    names = [name for name, spec in CATALOG.items() if spec.source == "torchvision"]
    return [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]


class Watch(threading.Thread):
    """The largest resident memory of a process since it was last asked, looked at every 10 ms."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._top = 0
        self.start()

    def run(self) -> None:
        while True:
            self._top = max(self._top, self._process.memory_info().rss)
            time.sleep(0.01)

    def take(self) -> int:
        top, self._top = self._top, 0
        return top


class Server:
    """What a server does for one visitor who opens three pages of a network."""

    def __init__(self) -> None:
        import importlib

        from explorer.engine import get_engine
        from explorer.images import sample_bytes
        from explorer.ui.lifecycle import PRELOAD

        for name in PRELOAD:
            importlib.import_module(name)
        self.engine = get_engine()
        self.image = sample_bytes("coffee")

    def visit(self, model: str, *methods: str) -> dict[str, str]:
        """Opens the pages; gives the sentence for each task that has failed."""
        from explorer import memory
        from explorer.requests import ExplainRequest, ModelRef
        from explorer.tasks import Explain, LoadWeights, Trace

        said: dict[str, str] = {}
        graph = self._run(Trace(model), said)
        if graph is not None:
            self._draw_graph(graph)
        counted = self._run(Trace(model, light=True), said)
        if counted is not None:
            self._draw_costs(counted)
        for method in methods:
            task = Explain(ModelRef(model), self.image, ExplainRequest(method, target=0))
            found = self._run(task, said, method)
            if found is not None:
                self._draw_map(found)
        memory.trim()  # as the caretaker of sessions does when one has ended
        # Memory is given back after the answer: once the worker is there for this, it is done.
        self._run(LoadWeights(ModelRef("lenet5")), said)
        return said

    def _run(self, task: Any, said: dict[str, str], name: str = "") -> Any:
        from explorer.errors import ExplorerError

        job = self.engine.submit(task, "soak")
        try:
            return job.result(WORKER_SECONDS)
        except ExplorerError as error:
            said[name or type(task).__name__] = str(error)
            return None

    def _draw_graph(self, graph: Any) -> None:
        from explorer.costs import arithmetic_intensity, receptive_fields
        from explorer.layout import arrange

        assert arrange(graph, "all").boxes
        arithmetic_intensity(graph)
        receptive_fields(graph)

    def _draw_costs(self, graph: Any) -> None:
        from explorer.charts.costs import PANELS, ProfileOptions, layer_costs, profile
        from explorer.ui.kept import kept_figure

        options = ProfileOptions(panels=tuple(PANELS))
        kept_figure(profile, tuple(layer_costs(graph)), "macs", width=1200, options=options)

    def _draw_map(self, found: Any) -> None:
        from explorer.attribution.overlay import blend, colours, to_png

        assert to_png(blend(found.crop, colours(found.map), 0.6))


def soak(names: list[str]) -> Iterator[dict[str, Any]]:
    """One record for the start, and one for each network of each round."""
    from explorer.tracing import cache as traces

    server = Server()
    server.visit(SMALL, *METHODS)
    here = psutil.Process()
    info = server.engine.info()
    assert info.worker_pid is not None
    worker = psutil.Process(info.worker_pid)
    watch = Watch(worker)
    yield {"start": worker.memory_info().rss - info.pool_bytes, "server": here.memory_info().rss}
    for number in range(1, ROUNDS + 1):
        shutil.rmtree(traces.folder(), ignore_errors=True)
        for place, name in enumerate(names):
            begin = time.monotonic()
            watch.take()
            said = server.visit(name, METHODS[place % len(METHODS)])
            info = server.engine.info()
            assert info.worker_pid == worker.pid, "the worker was restarted"
            yield {
                "round": number, "model": name, "said": said,
                "server": here.memory_info().rss, "worker": worker.memory_info().rss,
                "peak": watch.take(), "pool": info.pool_bytes, "models": info.pool_models,
                "kept": info.cached_bytes, "seconds": time.monotonic() - begin,
            }  # fmt: skip
    server.engine.shutdown()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the process of its own has written, printed as it comes."""
    if not sys.platform.startswith("linux"):
        pytest.skip("resident memory is given back at once on Linux only")
    folder = tmp_path_factory.mktemp("soak")
    environment = {
        **os.environ,
        "EXPLORER_CACHE_DIR": str(folder), "EXPLORER_OFFLINE": "true", "EXPLORER_DEVICE": "cpu",
        "EXPLORER_MODEL_BUDGET": str(BUDGET),
        "EXPLORER_RESULT_CACHE_MB": str(max(1, len(chosen()) // NETWORKS_PER_MB)),
    }  # fmt: skip
    with (folder / "soak.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.bench_soak"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        found = []
        assert process.stdout is not None
        for line in process.stdout:
            found.append(json.loads(line))
            print(_row(found[-1], found[0]), flush=True)
    assert process.wait() == 0, (folder / "soak.log").read_text(errors="replace")[-3000:]
    return found


def _row(one: dict[str, Any], start: dict[str, Any]) -> str:
    if "start" in one:
        return (
            f"\nMB; at the start server {one['server'] / MB:.0f}, worker {one['start'] / MB:.0f}\n"
            "round model                server worker  less start  peak  pool  results  seconds"
        )
    left = (one["worker"] - start["start"]) / MB
    row = (
        f"{one['round']}     {one['model']:20} {one['server'] / MB:6.0f} {one['worker'] / MB:6.0f}"
        f" {left:11.0f} {one['peak'] / MB:5.0f} {one['pool'] / MB:5.0f} {one['kept'] / MB:8.1f}"
        f" {one['seconds']:8.1f}"
    )
    return "\n".join([row, *(f"      {task}: {text}" for task, text in one["said"].items())])


def _of_round(records: list[dict[str, Any]], number: int, key: str) -> list[int]:
    return [one[key] for one in records if one.get("round") == number]


def test_what_stays_is_within_the_budget(records: list[dict[str, Any]]) -> None:
    start, *visits = records
    left = {one["model"]: one["worker"] - start["start"] for one in visits}
    worst = max(left, key=left.__getitem__)
    print(
        f"\nafter a network: at most {left[worst] / MB:.0f} MB ({worst}), "
        f"budget {BUDGET / MB:.0f} and 15 % are {MARGIN * BUDGET / MB:.0f} MB"
    )
    assert max(one["pool"] for one in visits) <= BUDGET
    assert left[worst] <= MARGIN * BUDGET


def test_the_second_round_takes_no_more_than_the_first(records: list[dict[str, Any]]) -> None:
    grown = {}
    for key in ("server", "worker", "peak"):
        first, second = (_of_round(records, number, key) for number in (1, 2))
        grown[f"{key}, highest"] = max(first), max(second)
        grown[f"{key}, at the end"] = first[-1], second[-1]
    del grown["peak, at the end"]
    print()
    for name, (before, after) in grown.items():
        print(f"{name}: {before / MB:.0f} → {after / MB:.0f} MB ({after / before - 1:+.1%})")
    for name, (before, after) in grown.items():
        assert after <= MOST_GROWTH * before, name


def test_what_cannot_be_explained_is_said_in_one_sentence(records: list[dict[str, Any]]) -> None:
    said = {}
    for one in records[1:]:
        for task, text in one["said"].items():
            said[one["model"], task] = text
            assert text.endswith(".")
            assert "\n" not in text
            assert "Traceback" not in text
    print(f"\n{len(said)} tasks ended with a sentence:")
    for (model, task), text in said.items():
        print(f"  {model}, {task}: {text}")
    assert not [task for _model, task in said if task == "Trace"]
    for number in range(1, ROUNDS + 1):
        models = [one["model"] for one in records[1:] if one["round"] == number]
        assert models == chosen()


if __name__ == "__main__":
    for record in soak(chosen()):
        print(json.dumps(record), flush=True)
