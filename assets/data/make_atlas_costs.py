"""Writes ``atlas_costs.json`` from a survey of costs of all networks.

    python -m explorer atlas costs --out DIR
    PYTHONPATH=. python assets/data/make_atlas_costs.py DIR/costs.parquet

About 16 minutes on two cores; ``tests/atlas/test_atlas_costs.py`` recounts a sample of the rows.
"""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

from explorer.atlas.costs import CONVENTION

FILE = Path(__file__).with_name("atlas_costs.json")
COMMAND = "python -m explorer atlas costs --out DIR"
# What is the same in all rows, or is asked of the catalog, or of that one run only.
LEFT_OUT = ("position", "state", "source", "family", "torch", "torchvision", "timm")


def write(survey: Path) -> None:
    """One network a line, under a head that says how the numbers came about."""
    table = pq.ParquetFile(survey).read()
    about = json.loads(table.schema.metadata[b"explorer.atlas"])
    names = [name for name in table.schema.names if name not in LEFT_OUT]
    head = {
        "made_by": COMMAND,
        "made_at": about["created_at"],
        "versions": {name: about["conditions"][name] for name in ("torch", "torchvision", "timm")},
        "convention": CONVENTION,
        "columns": names,
    }
    lines = [json.dumps([row[name] for name in names]) for row in table.to_pylist()]
    text = json.dumps(head, indent=1).removesuffix("\n}")
    FILE.write_text(f'{text},\n "rows": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
