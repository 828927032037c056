"""Maps do not depend on what else runs or ran: threads on one model, cancelled runs."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, AttributionError, ExplainRequest, explain
from explorer.catalog import find
from explorer.errors import JobCancelled
from explorer.zoo import LoadedModel, load
from tests.attribution.conftest import picture
from tests.attribution.test_targets import quick

#: Model → two pictures. One is a network of ReLUs, the other has attention to roll out.
PICTURES = {"lenet5": ("digit_3", "digit_8"), "timm/test_vit": ("coffee", "rocket")}
CELLS = [
    (model, method)
    for model in PICTURES
    for method in METHODS
    if (method == "attention_rollout") <= (model == "timm/test_vit")
    and ("relu" not in METHODS[method].needs or model == "lenet5")
]


@cache
def network(model: str) -> LoadedModel:
    spec = find(model)
    return load(spec, spec.weights[0].id if model == "lenet5" else None)


@cache
def lone(model: str, sample: str, method: str) -> np.ndarray:
    """The map of a run that nothing disturbs, on a network of its own."""
    spec = find(model)
    fresh = load(spec, spec.weights[0].id if model == "lenet5" else None)
    return explain(fresh, picture(sample), quick(method)).map


def state(module: nn.Module) -> list[Any]:
    tables = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [
        [part.training for part in module.modules()],
        [len(getattr(part, table)) for part in module.modules() for table in tables],
        [(p.requires_grad, p.grad is None) for p in module.parameters()],
        [value.clone().tolist() for value in module.state_dict().values()],
    ]


def test_every_method_is_there() -> None:
    assert {method for _, method in CELLS} == set(METHODS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cell=st.sampled_from(CELLS),
    broken_off=st.sampled_from(CELLS),
    after=st.integers(0, 6),
    first=st.integers(0, 1),
)
def test_a_run_after_a_cancelled_one_is_the_lone_run(
    cell: tuple[str, str], broken_off: tuple[str, str], after: int, first: int
) -> None:
    model, method = cell
    loaded, samples = network(model), PICTURES[model]
    before = state(loaded.module)
    calls = 0

    def cancel(*now: float) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise JobCancelled("The job was cancelled.")

    if broken_off[0] == model:
        try:  # it may have ended before it was cancelled
            explain(loaded, picture(samples[1 - first]), quick(broken_off[1]), cancel)
        except JobCancelled:
            assert calls == after + 1
    else:
        with pytest.raises(AttributionError):
            explain(loaded, picture(samples[first]), ExplainRequest(method, target=10**6))
    found = explain(loaded, picture(samples[first]), quick(method)).map
    assert np.array_equal(found, lone(model, samples[first], method))
    assert state(loaded.module) == before
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("model", PICTURES)
def test_two_threads_on_one_model_and_a_third_that_is_cancelled(model: str) -> None:
    loaded, samples = network(model), PICTURES[model]
    methods = [method for one, method in CELLS if one == model]
    before = state(loaded.module)
    found: dict[tuple[str, str], np.ndarray] = {}
    lock, start = threading.Lock(), threading.Barrier(3)
    cancelled = []

    def work(sample: str, order: list[str]) -> None:
        start.wait(timeout=60)
        for method in order:
            with lock:  # as the pool of models does
                found[sample, method] = explain(loaded, picture(sample), quick(method)).map

    def break_off(done: float, total: float) -> None:
        if done:
            raise JobCancelled("The job was cancelled.")

    def give_up() -> None:
        start.wait(timeout=60)
        for method in methods:
            with lock, pytest.raises(JobCancelled):
                explain(loaded, picture(samples[0]), quick(method), break_off)
            cancelled.append(method)

    threads = [
        threading.Thread(target=work, args=(samples[0], methods)),
        threading.Thread(target=work, args=(samples[1], methods[::-1])),
        threading.Thread(target=give_up),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert cancelled == methods
    assert len(found) == 2 * len(methods)
    for (sample, method), map in found.items():
        assert np.array_equal(map, lone(model, sample, method)), (sample, method)
    assert state(loaded.module) == before
