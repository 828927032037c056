"""A trace against a bare ``torch.export`` of the same model in the same run, and the disk cache.

Run by ``make bench``. The two are measured in turns, the better of two each, after a warm-up, in
seconds of processor time: both are one thread of Python, and other processes do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import geometric_mean

import torch

from explorer.catalog import find
from explorer.trace import cached_trace, trace, trace_spec
from explorer.tracing.building import module_for

MODELS = (
    "resnet18", "resnet152", "densenet201", "googlenet", "mobilenet_v3_large", "efficientnet_b7",
    "vit_b_16", "swin_t", "maxvit_t", "convnext_tiny", "regnet_y_16gf", "inception_v3",
)  # fmt: skip
MAX_RATIO = 1.3
MAX_CACHED = 0.100  # seconds
TURNS = 2


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(model: str) -> tuple[float, float]:
    """Seconds of the bare export and of the trace."""
    spec = find(model)
    module = module_for(spec, spec.input_size)
    example = torch.empty(1, *spec.input_size)

    def bare() -> object:
        return torch.export.export(module, (example,), strict=False)

    bare()
    exported, traced = float("inf"), float("inf")
    for _ in range(TURNS):
        exported = min(exported, seconds(bare))
        traced = min(traced, seconds(lambda: trace(module, example)))
    return exported, traced


def test_trace_costs_little_more_than_the_export() -> None:
    print("\n| Model | torch.export, s | trace, s | ratio |\n|---|---:|---:|---:|")
    ratios = {}
    for model in MODELS:
        exported, traced = measure(model)
        ratios[model] = traced / exported
        print(f"| {model} | {exported:.2f} | {traced:.2f} | {ratios[model]:.2f} |", flush=True)
    print(f"geometric mean {geometric_mean(ratios.values()):.2f}")
    assert {model: r for model, r in ratios.items() if r > MAX_RATIO} == {}


def test_a_kept_trace_is_read_at_once() -> None:
    slow = {}
    for model in MODELS:
        spec = find(model)
        trace_spec(spec)
        taken = min(seconds(lambda spec=spec: cached_trace(spec)) for _ in range(3))
        print(f"{model}: {taken * 1e3:.1f} ms")
        if taken > MAX_CACHED:
            slow[model] = taken
    assert slow == {}
