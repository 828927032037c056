"""Which surveys were begun on this machine, so that a page can show how far they are.

One small file for each output folder in ``EXPLORER_CACHE_DIR/atlas``; a folder that is gone is
forgotten. Nothing here is needed for a survey to run or to go on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.atlas.folder import JOURNAL, SHARDS, SurveyFolder, manifest_of
from explorer.atlas.survey import FAILED
from explorer.errors import AtlasError
from explorer.settings import get_settings

log = logging.getLogger(__name__)

MOST = 20
"""Surveys that are kept in mind; the one begun longest ago goes first."""


@dataclass(frozen=True, slots=True)
class SurveyProgress:
    """How a survey stands.

    Attributes:
        name: "costs", "latency" or "attribution".
        folder: Where its rows are.
        items: In the plan.
        done: That have a row.
        failed: Of them, with a reason in place of numbers.
        running: Whether the process that was at it last still is.
        eta_seconds: To the end, at the rate since this process began; None while that is unknown.
        created_at: UTC, ISO 8601.
    """

    name: str
    folder: Path
    items: int
    done: int
    failed: int
    running: bool
    eta_seconds: float | None
    created_at: str


def register(folder: SurveyFolder, now: Callable[[], float] = time.time) -> None:
    """Says that this process is at a survey from now on; where that cannot be kept, nothing."""
    place = _place(folder.path)
    process = psutil.Process(os.getpid())
    values = {
        "folder": str(folder.path.resolve()), "pid": process.pid, "began": process.create_time(),
        "at": now(), "done": len(folder.done),
    }  # fmt: skip
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_suffix(f".{process.pid}.part")
        half.write_text(json.dumps(values), "utf-8")
        half.replace(place)
        kept = sorted(place.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-MOST]:
            old.unlink()
    except OSError as error:
        log.warning("no page will show this survey: %s", error)


def surveys(now: Callable[[], float] = time.time) -> tuple[SurveyProgress, ...]:
    """The surveys of this machine, the one that was begun or taken up last first."""
    found = []
    places = (get_settings().cache_dir / "atlas").glob("*.json")
    for place in sorted(places, key=lambda one: -one.stat().st_mtime):
        try:
            entry = json.loads(place.read_text("utf-8"))
            progress = _progress(entry, now())
        except (OSError, ValueError, KeyError, TypeError, AtlasError, pa.ArrowException) as error:
            log.info("%s tells of no survey: %s", place.name, error)
            continue
        if progress is None:
            with suppress(OSError):
                place.unlink()
        else:
            found.append(progress)
    return tuple(found)


def _place(folder: Path) -> Path:
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:20]
    return get_settings().cache_dir / "atlas" / f"{name}.json"


def _progress(entry: dict[str, Any], now: float) -> SurveyProgress | None:
    folder = Path(entry["folder"])
    manifest = manifest_of(folder)
    if manifest is None:
        return None
    states = _states(folder)
    running = _alive(int(entry["pid"]), float(entry["began"]))
    since, left = len(states) - int(entry["done"]), int(manifest["items"]) - len(states)
    rate = since / (now - float(entry["at"])) if now > float(entry["at"]) else 0.0
    return SurveyProgress(
        name=str(manifest["survey"]), folder=folder, items=int(manifest["items"]),
        done=len(states), failed=sum(state == FAILED for state in states.values()),
        running=running, eta_seconds=left / rate if running and rate > 0 else None,
        created_at=str(manifest["created_at"]),
    )  # fmt: skip


def _states(folder: Path) -> dict[int, str]:
    """Position → how it ended; while another process writes, what was there a moment ago."""
    states: dict[int, str] = {}
    # The journal first: a row that becomes a shard meanwhile is then seen twice, not lost.
    with suppress(OSError):
        for line in (folder / JOURNAL).read_bytes().split(b"\n")[:-1]:
            row = json.loads(line)
            states[row["position"]] = row["state"]
    for shard in (folder / SHARDS).glob("*.parquet"):
        table = pq.ParquetFile(shard).read(columns=["position", "state"])
        states |= dict(zip(table["position"].to_pylist(), table["state"].to_pylist(), strict=True))
    return states


def _alive(pid: int, began: float) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - began) < 1)
    except psutil.Error:
        return False
