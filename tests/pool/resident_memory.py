"""Loads 20 networks one after another under a budget for three; prints how memory went.

A process of its own, started by ``test_memory.py``: what other tests left would blur the figures.
"""

from __future__ import annotations

import json
import threading

import psutil
import torch

from explorer.catalog import CATALOG
from explorer.pool import ModelPool, expected_bytes, release_memory
from explorer.requests import ModelRef

process = psutil.Process()
SMALLEST, LARGEST = 15_000_000, 31_000_000


def main() -> None:
    # Of like size: the plain ids first, then some of timm's that are quick to build.
    names = [
        name
        for name, spec in CATALOG.items()
        if spec.num_classes == 1000
        and SMALLEST < spec.params + spec.aux_params < LARGEST
        and ("/" not in name or "resnet" in name)
    ][:20]
    budget = 3 * max(expected_bytes(CATALOG[name], None) for name in names)
    budget += budget // 100  # buffers
    pool = ModelPool(budget, device="cpu")
    with torch.inference_mode(), pool.use(ModelRef("lenet5")) as loaded:
        loaded.module(torch.zeros(1, 1, 32, 32))
    import timm  # noqa: F401 - its import is not a model's memory
    import torchvision  # noqa: F401

    pool.clear()
    baseline = process.memory_info().rss
    peak = _Peak()
    resident, after = [], []
    for name in names:
        with pool.use(ModelRef(name)) as loaded:
            assert loaded.nbytes > 0
        del loaded
        resident.append(sum(nbytes for _, nbytes in pool.resident))
        after.append(process.memory_info().rss - baseline)
    top = peak.stop() - baseline
    pool.clear()
    release_memory(pool.device)
    report = {
        "names": names,
        "budget": budget,
        "resident": resident,
        "after": after,
        "peak": top,
        "end": process.memory_info().rss - baseline,
    }
    print(json.dumps(report))


class _Peak(threading.Thread):
    """The largest resident memory, looked at every 5 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self._top = 0
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.005):
            self._top = max(self._top, process.memory_info().rss)

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self._top


if __name__ == "__main__":
    main()
