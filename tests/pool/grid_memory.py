"""Explains one photo by three methods with four networks, under a budget for two of them.

A process of its own, started by ``test_memory.py``; prints how memory went.
"""

from __future__ import annotations

import json
from typing import Any

import psutil

from explorer.attribution import explain
from explorer.images import open_image, sample_bytes
from explorer.pool import ModelPool, expected_bytes, release_memory
from explorer.requests import ExplainRequest, ModelRef

process = psutil.Process()
NAMES = ("resnet50", "resnext50_32x4d", "regnet_y_3_2gf", "wide_resnet50_2")
METHODS = ("saliency", "grad_cam", "input_x_gradient")


def main() -> None:
    from explorer.catalog import CATALOG

    image = open_image(sample_bytes("coffee"))
    sizes = sorted(expected_bytes(CATALOG[name], None) for name in NAMES)
    budget = sum(sizes[-2:]) + sum(sizes[-2:]) // 50
    pool = ModelPool(budget, device="cpu")
    for method in METHODS:  # imports and the threads' own memory are not a model's
        with pool.use(ModelRef("squeezenet1_1")) as loaded:
            explain(loaded, image, ExplainRequest(method))
    pool.clear()
    release_memory(pool.device)
    baseline = process.memory_info().rss
    resident: list[int] = []
    after: list[int] = []

    def look(*_progress: Any) -> None:
        resident.append(sum(nbytes for _, nbytes in pool.resident))

    maps = 0
    for method in METHODS:
        for name in NAMES:
            with pool.use(ModelRef(name)) as loaded:
                found = explain(loaded, image, ExplainRequest(method), progress=look)
            maps += found.map.shape == (224, 224)
            del loaded, found
            look()
            release_memory(pool.device)
            after.append(process.memory_info().rss - baseline)
    report = {"budget": budget, "maps": maps, "resident": resident, "after": after}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
