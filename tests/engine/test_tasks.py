from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from explorer import claim_tasks, cost_tasks, paired_task, tasks
from explorer.requests import AssessRequest, ExplainRequest, LatencyRequest, ModelRef
from explorer.tasks import digest
from tests.engine.conftest import ROOT

REF = ModelRef("lenet5", "digits")
IMAGE = b"\x89PNG"
REQUEST = ExplainRequest("occlusion", target=3, options={"window": 4, "stride": 2})
ALL: list[Any] = [
    tasks.LoadWeights(REF),
    tasks.Predict(REF, IMAGE),
    tasks.Explain(REF, IMAGE, REQUEST),
    tasks.AssessMap(REF, IMAGE, AssessRequest(REQUEST)),
    tasks.Trace("lenet5", (1, 28, 28)),
    tasks.TorchinfoSummary("lenet5"),
    tasks.Measure(REF, LatencyRequest()),
    tasks.RunSweep(7),
    tasks.SpatialLayers(REF),
    tasks.ClassifyFrames(REF, IMAGE),
    tasks.LayerWeights(REF, "conv1"),
    tasks.FeatureMaps(REF, IMAGE, "conv1"),
    tasks.EffectiveField(REF, IMAGE, "conv1", (3, 4)),
    tasks.ClassCode("torch.nn.modules.conv.Conv2d"),
    tasks.ExportOnnx(REF),
    cost_tasks.Reconcile("lenet5"),
    cost_tasks.MeasureRoofline("lenet5"),
    claim_tasks.CheckClaims(("a",)),
    paired_task.MeasurePaired((REF,)),
]
OTHER: dict[str, list[Any]] = {  # another value for each field
    "ref": [ModelRef("lenet5"), ModelRef("resnet18", "digits")],
    "image": [b"\x89PNg", b""],
    "top_k": [4],
    "request": [
        replace(REQUEST, method="saliency"),
        replace(REQUEST, target=None),
        replace(REQUEST, layer="conv1"),
        replace(REQUEST, options={"window": 4, "stride": 3}),
        replace(REQUEST, options={}),
    ],
    "model": ["resnet18"],
    "input_size": [None, (1, 32, 32)],
    "module_path": ["", "conv1@2"],
    "layer": ["", "op:conv1"],
    "order": ["max"],
    "position": [None, (4, 3)],
    "renew": [1],
    "light": [True],
    "claims": [("a", "b"), ()],
    "seconds": [5.0],
    "sweep": [8],
    "source": ["torch.nn.modules.conv.Conv1d"],
    "found": [],  # spares AssessMap the map, and changes no result
}
OTHER_CHECKS = [AssessRequest(REQUEST, steps=8), AssessRequest(replace(REQUEST, target=1))]


def _is_checks(task: Any, field: str) -> bool:
    return isinstance(task, tasks.AssessMap) and field == "request"


def test_this_file_knows_all_tasks() -> None:
    found = {
        name
        for module in (tasks, cost_tasks, claim_tasks, paired_task)
        for name, value in vars(module).items()
        if dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    }
    assert found == {type(task).__name__ for task in ALL}


@pytest.mark.parametrize("task", ALL, ids=lambda task: type(task).__name__)
def test_tasks_are_frozen_and_pickle(task: Any) -> None:
    again = pickle.loads(pickle.dumps(task))
    assert again == task
    assert again.key() == task.key()
    assert not hasattr(task, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(task, dataclasses.fields(task)[0].name, None)


@pytest.mark.parametrize("task", ALL, ids=lambda task: type(task).__name__)
def test_the_key_depends_on_every_field(task: Any) -> None:
    if isinstance(task, (tasks.Measure, paired_task.MeasurePaired)):
        assert task.key() == ""
        return
    keys = {task.key()}
    count = 1
    for field in dataclasses.fields(task):
        for value in OTHER_CHECKS if _is_checks(task, field.name) else OTHER[field.name]:
            keys.add(replace(task, **{field.name: value}).key())
            count += 1
    assert len(keys) == count


def test_keys_differ_between_tasks_of_the_same_arguments() -> None:
    keys = [key for task in ALL if (key := task.key())]  # timings have none: they are not shared
    assert len(set(keys)) == len(keys) == len(ALL) - 2


def test_the_order_of_options_does_not_matter() -> None:
    turned = replace(REQUEST, options={"stride": 2, "window": 4})
    assert tasks.Explain(REF, IMAGE, turned).key() == tasks.Explain(REF, IMAGE, REQUEST).key()


def test_keys_are_the_same_in_another_process() -> None:
    code = (
        "from explorer.tasks import Explain; from explorer.requests import *\n"
        "request = ExplainRequest('occlusion', target=3, options={'window': 4, 'stride': 2})\n"
        r"print(Explain(ModelRef('lenet5', 'digits'), b'\x89PNG', request).key())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == tasks.Explain(REF, IMAGE, REQUEST).key()


def test_parts_of_a_digest_do_not_run_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(b"ab", b"c") != digest(b"a", b"bc")
    assert digest(1) != digest("1")
    assert digest(("a", ("b",))) != digest((("a",), "b"))


def test_weights_are_looked_for_anew_each_time() -> None:
    assert tasks.LoadWeights.cacheable is False
