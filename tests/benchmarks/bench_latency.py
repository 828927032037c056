"""Our median beside ``torch.utils.benchmark.Timer``'s, and what watching costs, in one run.

``python tests/benchmarks/bench_latency.py [--rounds 24] [--seconds 0.25] [--threads 1,2]``; ends
with 1 unless every difference is shown to be within its limit: the Timer's by 5 %, and by 2 % that
of a measurement that is watched (partial results pickled and sent through a pipe four times a
second, as a worker does).

The three visit one network in turn, in rounds that read the same from either end (ours, Timer,
watched, watched, Timer, ours, in an order that changes), so that what drifts within a round drifts
for all alike. The Timer is given the very input, grad mode and threads of ours. A round gives one
ratio of medians; shown is the median ratio over the rounds with a 95 % interval (bootstrap over
rounds), and a difference is within its limit only where that whole interval is.

Where a pass is short the Timer times blocks of many and its median is one of means, which the slow
tail of the times moves and ours does not. So the ratio is also given with our passes averaged in
blocks as long as the Timer's: there only the statistic differs, not the timing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pickle
import statistics
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch.utils.benchmark import Timer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer import latency
from explorer.catalog import find
from explorer.latency import LatencyRequest, measure
from explorer.zoo import LoadedModel, load
from tests.benchmarks.ratios import difference

MODELS = ("lenet5", "squeezenet1_0", "resnet18", "tf_efficientnet_lite0")
TOLERANCE = 0.05
WATCHING = 0.02
WARMUPS = 3


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


class Visits:
    """What visits one network in turn."""

    def __init__(self, loaded: LoadedModel, seconds: float) -> None:
        self.loaded, self.seconds, self.pipe = loaded, seconds, Pipe()
        self.request = LatencyRequest(min_seconds=seconds, min_runs=5, warmup_runs=WARMUPS)
        self.x = torch.randn(1, *loaded.preprocessing.input_size)
        self.block = 1  # passes that the Timer last timed together

    def ours(self) -> list[float]:
        """Seconds of each pass."""
        return self._measured(None)

    def watched(self) -> list[float]:
        """The same, with partial results going out."""
        return self._measured(self.pipe.progress)

    def timer(self) -> list[float]:
        """Seconds a pass, of each block that the Timer took."""
        timer = Timer(
            "module(x)",
            globals={"module": self.loaded.module, "x": self.x},
            num_threads=torch.get_num_threads(),
        )
        with torch.inference_mode():
            found = timer.blocked_autorange(min_run_time=self.seconds)
        self.block = found.number_per_run
        return list(found.times)

    def _measured(self, progress: latency.Progress | None) -> list[float]:
        return measure(self.loaded, self.request, progress).series[0].seconds.tolist()  # type: ignore[no-any-return]


def in_blocks(times: Sequence[float], block: int) -> float:
    """Median of the means of so many passes in a row each; what is left over counts for none."""
    whole = len(times) // block * block
    if not whole:
        return statistics.fmean(times)
    return float(np.median(np.reshape(times[:whole], (-1, block)).mean(axis=1)))


def compare(model: str, rounds: int, seconds: float) -> bool:
    """Prints the ratios; whether both are shown to be within their limits."""
    visits = Visits(load(find(model), None, torch.device("cpu")), seconds)
    who = {"ours": visits.ours, "Timer": visits.timer, "watched": visits.watched}
    medians: dict[str, list[float]] = {name: [] for name in (*who, "blocks")}
    logs: dict[str, list[float]] = {"Timer": [], "blocks": [], "watched": []}
    orders = itertools.cycle(itertools.permutations(who))
    for visit in who.values():
        visit()  # warm, all three
    for _round in range(rounds):
        order = next(orders)
        found: dict[str, list[float]] = {name: [] for name in medians}
        for name in (*order, *reversed(order)):
            times = who[name]()
            found[name].append(statistics.median(times))
            if name == "ours":
                found["blocks"].append(in_blocks(times, visits.block))
        for name, values in found.items():
            medians[name] += values
        log = {name: float(np.log(values).mean()) for name, values in found.items()}
        logs["Timer"].append(log["ours"] - log["Timer"])
        logs["blocks"].append(log["blocks"] - log["Timer"])
        logs["watched"].append(log["watched"] - log["ours"])
    single, blocks, cost = (difference(logs[name]) for name in ("Timer", "blocks", "watched"))
    for name in who:
        low, middle, high = np.percentile(medians[name], (5, 50, 95)) * 1e3
        print(f"{model:22} {name:8}{middle:9.3f} ms, visits {low:.3f}–{high:.3f}")
    print(
        f"{'':22} ours against Timer {single}; in its blocks of {visits.block}: {blocks}\n"
        f"{'':22} watching costs {cost}",
        flush=True,
    )
    return single.within(TOLERANCE) and cost.high <= WATCHING


def main() -> int:
    """Compares every network with each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--threads", default=f"1,{torch.get_num_threads()}")
    parser.add_argument("--models", default=",".join(MODELS))
    options = parser.parse_args()
    fine = []
    for count in sorted({int(text) for text in options.threads.split(",")}):
        torch.set_num_threads(count)
        print(f"torch {torch.__version__}, {count} threads of {psutil.cpu_count()} cores")
        fine += [
            compare(model, options.rounds, options.seconds) for model in options.models.split(",")
        ]
    print(f"allowed, by the whole interval: {TOLERANCE:.0%} from Timer, {WATCHING:.0%} by watching")
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
