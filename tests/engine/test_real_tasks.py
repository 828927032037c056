"""The tasks themselves in a real worker, offline, on the two networks whose weights are here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from explorer import tasks
from explorer.catalog import find
from explorer.engine.base import BoardEngine
from explorer.errors import ImageError, UnknownModelError
from explorer.requests import ExplainRequest, LatencyRequest, ModelRef
from tests.engine.conftest import KINDS, QUICK, ROOT, engine_of
from tests.engine.waiting import PATIENCE, until

COFFEE = (ROOT / "assets" / "images" / "coffee.jpg").read_bytes()
LITE0 = ModelRef("tf_efficientnet_lite0", find("tf_efficientnet_lite0").weights[0].id)
UNTRAINED = ModelRef("lenet5")
LONG = PATIENCE * 4


@pytest.fixture(scope="module")
def engines(request: pytest.FixtureRequest) -> Iterator[Callable[[str], BoardEngine]]:
    """One of each kind, made when it is asked for: their workers take seconds to start."""
    made: dict[str, BoardEngine] = {}

    def get(kind: str) -> BoardEngine:
        if kind not in made:
            if kind == "ray":
                request.getfixturevalue("cluster")
            made[kind] = engine_of(kind, replace(QUICK, preload=True, threads=1))
        return made[kind]

    yield get
    for engine in made.values():
        engine.shutdown()


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, engines: Callable[[str], BoardEngine]) -> BoardEngine:
    return engines(request.param)


def test_predict(engine: BoardEngine) -> None:
    found = engine.submit(tasks.Predict(LITE0, COFFEE, top_k=3), "me").result(LONG)
    assert found.top[0].label == "espresso"
    assert len(found.top) == 3


def test_explain(engine: BoardEngine) -> None:
    task = tasks.Explain(LITE0, COFFEE, ExplainRequest("saliency"))
    found = engine.submit(task, "me").result(LONG)
    assert found.map.shape == (224, 224)
    assert found.map.dtype == np.float32
    assert engine.find(task.key()) is found


def test_a_long_map_is_cancelled_between_its_steps(engine: BoardEngine) -> None:
    request = ExplainRequest("integrated_gradients", options={"steps": 200, "adaptive": False})
    job = engine.submit(tasks.Explain(LITE0, COFFEE, request), "me")
    until(lambda: job.status("me").fraction or job.status("me").finished, "for the first steps")
    pid = engine.info().worker_pid
    engine.cancel(job, "me")
    assert job.wait(PATIENCE)
    assert job.status().state == "cancelled"
    # The network it ran on is as it was, in the same worker.
    again = engine.submit(tasks.Predict(LITE0, COFFEE, top_k=2), "me").result(LONG)
    assert again.top[0].label == "espresso"
    assert engine.info().worker_pid == pid


def test_trace(engine: BoardEngine) -> None:
    graph = engine.submit(tasks.Trace("lenet5"), "me").result(LONG)
    # 6·28·28·25 + 16·10·10·6·25 + 400·120 + 120·84 + 84·10
    assert graph.total_macs == 117_600 + 240_000 + 48_000 + 10_080 + 840


def test_torchinfo(engine: BoardEngine) -> None:
    found = engine.submit(tasks.TorchinfoSummary("lenet5"), "me").result(LONG)
    assert found.total_params == 61_706
    assert "Conv2d" in found.text


def test_load_weights(engine: BoardEngine) -> None:
    found = engine.submit(tasks.LoadWeights(LITE0), "me").result(LONG)
    assert found.kind == "package"


def test_measure_streams_partial_results(engine: BoardEngine) -> None:
    request = LatencyRequest(batch_sizes=(1,), min_seconds=0.2, min_runs=5)
    job = engine.submit(tasks.Measure(UNTRAINED, request), "me")
    found = job.result(LONG)
    assert len(found.series[0].seconds) >= 5
    assert found.series[0].finished
    partial = job.status().partial
    assert partial.model == "lenet5"
    assert len(partial.series[0].seconds) > 0


def test_both_engines_give_the_same_to_the_last_bit(
    engines: Callable[[str], BoardEngine],
) -> None:
    steps = {"steps": 4, "adaptive": False}
    asked = [
        tasks.Predict(LITE0, COFFEE),
        tasks.Explain(LITE0, COFFEE, ExplainRequest("grad_cam")),
        tasks.Explain(LITE0, COFFEE, ExplainRequest("integrated_gradients", options=steps)),
        tasks.Trace("lenet5"),
    ]
    found = [[engines(kind).submit(task, "me").result(LONG) for task in asked] for kind in KINDS]
    (said, *maps, graph), (said_there, *maps_there, graph_there) = found
    assert said.top == said_there.top
    for here, there in zip(maps, maps_there, strict=True):
        assert here.map.tobytes() == there.map.tobytes()
        assert (here.target, here.delta) == (there.target, there.delta)
    assert graph.ops == graph_there.ops


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        (tasks.Predict(LITE0, b"no image"), ImageError),
        (tasks.Predict(ModelRef("nope"), COFFEE), UnknownModelError),
        (tasks.Trace("nope"), UnknownModelError),
    ],
    ids=["not an image", "no such network", "no such network to trace"],
)
def test_what_cannot_be_done_comes_back_as_its_own_error(
    engine: BoardEngine, task: tasks.Task, kind: type
) -> None:
    job = engine.submit(task, "me")
    assert job.wait(LONG)
    assert type(job.status().error) is kind
