"""Our median beside ``torch.utils.benchmark.Timer``'s, and what watching costs, in one run.

``python tests/benchmarks/bench_latency.py [--rounds 24] [--seconds 0.5] [--threads N]``; prints
two lines a network and ends with 1 where the Timer differs by over 5 %, or a measurement that is
watched (partial results pickled and sent through a pipe four times a second, as a worker does) by
over 2 % from one that is not. The three take turns in short rounds, in an order that changes; a
difference is the median over the rounds of one round's ratio of medians: what else runs on the
machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pickle
import statistics
import sys
import threading
from pathlib import Path
from typing import Any

import torch
from torch.utils.benchmark import Timer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.catalog import find
from explorer.latency import LatencyRequest, measure
from explorer.zoo import load

MODELS = ("lenet5", "squeezenet1_0", "resnet18", "tf_efficientnet_lite0")
TOLERANCE = 0.05
WATCHING = 0.02


def theirs(module: torch.nn.Module, x: torch.Tensor, seconds: float) -> list[float]:
    """Seconds a pass, of each block that the timer took."""
    timer = Timer(
        "module(x)",
        globals={"module": module, "x": x},
        num_threads=torch.get_num_threads(),
    )
    return list(timer.blocked_autorange(min_run_time=seconds).times)


class Pipe:
    """Somebody who takes what is sent, in another thread, as the server does."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        while os.read(self.reader, 1 << 20):
            pass

    def progress(self, done: float, total: float, partial: Any) -> None:
        """Sends a partial result."""
        data = memoryview(pickle.dumps((done, total, partial)))
        while data:
            data = data[os.write(self.writer, data) :]


def compare(model: str, rounds: int, seconds: float) -> bool:
    """Prints the medians; whether both differences are within their tolerances."""
    loaded = load(find(model), None, torch.device("cpu"))
    x = torch.randn(1, *loaded.preprocessing.input_size)
    request = LatencyRequest(min_seconds=seconds, min_runs=5, warmup_runs=3)
    pipe = Pipe()
    medians: dict[str, list[float]] = {"ours": [], "watched": [], "theirs": []}
    orders = itertools.cycle(itertools.permutations(medians))
    for _turn in range(rounds):
        for who in next(orders):
            if who == "theirs":
                with torch.inference_mode():
                    times: Any = theirs(loaded.module, x, seconds)
            else:
                progress = pipe.progress if who == "watched" else None
                times = measure(loaded, request, progress).series[0].seconds
            medians[who].append(statistics.median(times))
    ours, other = (statistics.median(medians[who]) for who in ("ours", "theirs"))
    difference = _ratio(medians["ours"], medians["theirs"])
    cost = _ratio(medians["watched"], medians["ours"])
    print(
        f"{model:24} ours {ours * 1e3:8.3f} ms  Timer {other * 1e3:8.3f} ms  {difference:+.1%}"
        f"  (ours {min(medians['ours']) * 1e3:.3f}–{max(medians['ours']) * 1e3:.3f},"
        f" Timer {min(medians['theirs']) * 1e3:.3f}–{max(medians['theirs']) * 1e3:.3f})\n"
        f"{'':24} watched {statistics.median(medians['watched']) * 1e3:8.3f} ms  {cost:+.1%}",
        flush=True,
    )
    return abs(difference) <= TOLERANCE and cost <= WATCHING


def _ratio(one: list[float], two: list[float]) -> float:
    return statistics.median(mine / other for mine, other in zip(one, two, strict=True)) - 1


def main() -> int:
    """Compares every network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    fine = [compare(model, options.rounds, options.seconds) for model in MODELS]
    print(f"allowed: {TOLERANCE:.0%} from Timer, {WATCHING:.0%} by watching")
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
