"""Time of a trace against a bare ``torch.export`` of the same model in the same run, and of the cache.

    flock /tmp/heavy.lock env OMP_NUM_THREADS=1 python tests/benchmarks/bench_trace.py [MODEL …]

Both are measured in turns, the better of two each, after one warm-up model. Bounds: 1.3 times the bare
export, and 100 ms from the cache.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ["EXPLORER_CACHE_DIR"] = tempfile.mkdtemp(prefix="bench-trace-")

import torch  # noqa: E402

from explorer.catalog import find  # noqa: E402
from explorer.trace import cached_trace, trace, trace_spec  # noqa: E402
from explorer.tracing.building import module_for  # noqa: E402

MODELS = (
    "resnet18", "resnet152", "densenet201", "googlenet", "mobilenet_v3_large", "efficientnet_b7",
    "vit_b_16", "swin_t", "maxvit_t", "convnext_tiny", "regnet_y_16gf", "inception_v3",
)  # fmt: skip
RATIO, CACHED_SECONDS, TURNS = 1.3, 0.100, 2


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    names = sys.argv[1:] or MODELS
    failed, ratios = [], []
    trace_spec(find("lenet5"))
    print("| Model | torch.export s | trace s | ratio | cached ms |\n|---|---:|---:|---:|---:|")
    for name in names:
        spec = find(name)
        module = module_for(spec, spec.input_size)
        example = torch.empty(1, *spec.input_size)

        def bare(module: torch.nn.Module = module, example: torch.Tensor = example) -> object:
            return torch.export.export(module, (example,), strict=False)

        def ours(module: torch.nn.Module = module, example: torch.Tensor = example) -> object:
            return trace(module, example)

        bare()
        exported, traced = float("inf"), float("inf")
        for _ in range(TURNS):
            exported, traced = min(exported, seconds(bare)), min(traced, seconds(ours))
        trace_spec(spec)
        cached = min(seconds(lambda spec=spec: cached_trace(spec)) for _ in range(3))
        ratio = traced / exported
        ratios.append(ratio)
        if ratio > RATIO or cached > CACHED_SECONDS:
            failed.append(name)
        print(f"| {name} | {exported:.2f} | {traced:.2f} | {ratio:.2f} | {cached * 1e3:.1f} |",
              flush=True)  # fmt: skip
    print(f"geometric mean {geometric_mean(ratios):.2f}; over a bound: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
