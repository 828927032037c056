"""Our median beside ``torch.utils.benchmark.Timer``'s, alternated in one run.

``python tests/benchmarks/bench_latency.py [--rounds 16] [--seconds 0.25] [--threads N]``; prints
one line a network and ends with 1 where a difference is over 5 %. The difference is the median over
the rounds of one round's ratio of medians: what else runs on the machine disturbs both of a pair
alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import torch
from torch.utils.benchmark import Timer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.catalog import find
from explorer.latency import LatencyRequest, measure
from explorer.zoo import load

MODELS = ("lenet5", "squeezenet1_1", "resnet18", "tf_efficientnet_lite0")
TOLERANCE = 0.05


def theirs(module: torch.nn.Module, x: torch.Tensor, seconds: float) -> list[float]:
    """Seconds a pass, of each block that the timer took."""
    timer = Timer(
        "module(x)",
        globals={"module": module, "x": x},
        num_threads=torch.get_num_threads(),
    )
    return list(timer.blocked_autorange(min_run_time=seconds).times)


def compare(model: str, rounds: int, seconds: float) -> float:
    """Prints both medians; their relative difference."""
    loaded = load(find(model), None, torch.device("cpu"))
    x = torch.randn(1, *loaded.preprocessing.input_size)
    request = LatencyRequest(min_seconds=seconds, min_runs=5, warmup_runs=3)
    medians: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(rounds):
        order = ("ours", "theirs") if turn % 2 == 0 else ("theirs", "ours")
        for who in order:
            if who == "ours":
                times: Any = measure(loaded, request).series[0].seconds
            else:
                with torch.inference_mode():
                    times = theirs(loaded.module, x, seconds)
            medians[who].append(statistics.median(times))
    ours, other = (statistics.median(medians[who]) for who in ("ours", "theirs"))
    pairs = zip(medians["ours"], medians["theirs"], strict=True)
    difference = statistics.median(mine / other for mine, other in pairs) - 1
    print(
        f"{model:24} ours {ours * 1e3:8.3f} ms  Timer {other * 1e3:8.3f} ms  {difference:+.1%}"
        f"  (ours {min(medians['ours']) * 1e3:.3f}–{max(medians['ours']) * 1e3:.3f},"
        f" Timer {min(medians['theirs']) * 1e3:.3f}–{max(medians['theirs']) * 1e3:.3f})",
        flush=True,
    )
    return abs(difference)


def main() -> int:
    """Compares every network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    worst = max(compare(model, options.rounds, options.seconds) for model in MODELS)
    print(f"largest difference {worst:.1%} (allowed {TOLERANCE:.0%})")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
