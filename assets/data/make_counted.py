"""Writes ``counted.json``: counts on the traced graph of every plain id at its weights' sizes.

    PYTHONPATH=. python assets/data/make_counted.py

A few minutes on one core; ``tests/catalog/test_counted.py`` recounts the rows.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from explorer.catalog import CATALOG
from explorer.costs import Convention, count
from explorer.trace import trace_spec

FILE = Path(__file__).with_name("counted.json")


def rows() -> Iterator[list[str | int]]:
    """[model, side, operations, bytes] of each ImageNet network with published accuracy."""
    for model_id, spec in CATALOG.items():
        published = [w for w in spec.weights if w.top1 is not None and w.dataset == "imagenet"]
        if model_id.startswith("timm/") or not published:
            continue
        for side in sorted({weights.preprocessing.input_size[1] for weights in published}):
            graph = trace_spec(spec, (3, side, side))
            yield [model_id, side, count(graph, Convention.CANZIANI), graph.activation_bytes]


if __name__ == "__main__":
    lines = [json.dumps(row) for row in rows()]
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
