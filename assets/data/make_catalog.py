"""Writes the catalog's data from the installed libraries' own metadata.

Run from anywhere::

    python assets/data/make_catalog.py               # all but timm.json
    python assets/data/make_catalog.py timm          # timm.json; goes on where it stopped
    python assets/data/make_catalog.py timm --fresh  # timm.json from nothing

One model a line, so that a difference between two library versions reads well. Parameters and MACs
are counted here (see ``counting.py``); accuracies, recipes, licences, addresses and sizes are as
the libraries publish them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]


def write_records(path: Path, records: list[dict[str, Any]]) -> None:
    """Writes one record a line, replacing the file in one step."""
    lines = ",\n".join(
        json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records
    )
    draft = path.with_suffix(".draft")
    draft.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    draft.replace(path)


def main() -> None:
    """Makes what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=["base", "timm"], default="base")
    parser.add_argument("--fresh", action="store_true", help="forget what is already in timm.json")
    parser.add_argument("--seconds", type=int, default=60, help="bound for counting one timm model")
    arguments = parser.parse_args()
    if arguments.part == "timm":
        from timm_records import make_timm

        make_timm(HERE / "timm.json", arguments.seconds, fresh=arguments.fresh)
        return
    from network_records import network_records
    from torchvision_records import class_names, extra_records, torchvision_records

    write_records(HERE / "torchvision.json", torchvision_records())
    write_records(HERE / "extra.json", extra_records())
    write_records(HERE / "networks.json", network_records())
    names = json.dumps(class_names(), ensure_ascii=False, indent=0)
    (HERE / "imagenet_classes.json").write_text(names + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
