"""Has a worker explain a photo with networks of large activations; prints how its memory went.

A process of its own, started by ``test_memory.py``: what it measures is a process of the engine's.
"""

from __future__ import annotations

import json
import os

import psutil

from explorer.catalog import CATALOG
from explorer.engine.local import EngineOptions, LocalEngine
from explorer.images import sample_bytes
from explorer.pool import expected_bytes
from explorer.requests import ExplainRequest, ModelRef
from explorer.tasks import Explain, LoadWeights, Trace

NAMES = ("densenet121", "efficientnet_b2", "convnext_tiny")


def main() -> None:
    budget = sum(expected_bytes(CATALOG[name], None) for name in NAMES)
    os.environ["EXPLORER_MODEL_BUDGET"] = str(budget)
    engine = LocalEngine(EngineOptions())
    image = sample_bytes("coffee")

    def visit(model: str) -> int:
        """Resident bytes when the map is there, and the graph."""
        for task in (Trace(model), Explain(ModelRef(model), image, ExplainRequest("saliency"))):
            engine.submit(task, "test").result(120)
        # A word with the worker: what it does after its answer is done then.
        engine.submit(LoadWeights(ModelRef("lenet5")), "test").result(120)
        found = engine.info()
        assert found.worker_pid is not None
        return int(psutil.Process(found.worker_pid).memory_info().rss)

    try:
        baseline = visit("squeezenet1_1") - engine.info().pool_bytes
        after = [(visit(name) - baseline, engine.info().pool_bytes) for name in NAMES]
    finally:
        engine.shutdown()
    print(json.dumps({"budget": budget, "after": after}))


if __name__ == "__main__":
    main()
