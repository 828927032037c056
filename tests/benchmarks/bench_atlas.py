"""The atlas of costs with one worker and with two, on a seeded sample, alternated.

Times are of this machine at this moment, from the call of the command to its end: both starts of
the workers, with torch, are in them.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from explorer.catalog import CATALOG

ROOT = Path(__file__).resolve().parents[2]
SAMPLE, SEED, ROUNDS = 60, 11, 2
FASTER = 1.7


def timed(models: list[str], workers: int, out: Path) -> tuple[float, list[dict[str, Any]]]:
    """Seconds of the command, and its rows without those that tell of the run."""
    command = [sys.executable, "-m", "explorer", "atlas", "costs", "--workers", str(workers)]
    began = time.perf_counter()
    subprocess.run(
        [*command, "--out", str(out), "--models", *models],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    table = pq.ParquetFile(out / "costs.parquet").read()
    return seconds, table.drop_columns(["seconds"]).to_pylist()


def test_two_workers_over_one(tmp_path: Path) -> None:
    names = sorted(model for model in CATALOG if model.startswith("timm/"))
    models = random.Random(SEED).sample(names, SAMPLE)
    times: dict[int, list[float]] = {1: [], 2: []}
    rows = []
    for number in range(ROUNDS):
        for workers, kept in times.items():
            seconds, found = timed(models, workers, tmp_path / f"{number}-{workers}")
            kept.append(seconds)
            rows.append(found)
    ratio = sum(times[1]) / sum(times[2])
    told = {workers: [round(one, 1) for one in kept] for workers, kept in times.items()}
    print(f"\n{SAMPLE} of timm's names: seconds by workers {told}, two over one {ratio:.2f}")
    assert all(one == rows[0] for one in rows)
    assert all(row["state"] == "done" for row in rows[0])
    assert ratio >= FASTER
