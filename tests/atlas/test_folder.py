"""Rows are kept one by one, and none is lost or doubled by a kill at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.atlas import folder as folder_module
from explorer.atlas.folder import JOURNAL, MANIFEST, SHARDS, open_folder
from explorer.atlas.survey import Survey, columns
from explorer.errors import AtlasError
from tests.atlas.conftest import ROOT, rows_of

SCHEMA = columns(("model", pa.string()), ("value", pa.int64()))


def survey(count: int = 7, **conditions: Any) -> Survey:
    items = tuple({"model": f"m{number}"} for number in range(count))
    return Survey("costs", items, {"torch": "2", **conditions}, SCHEMA)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "SHARD_ROWS", 3)


def fill(path: Path, plan: Survey, positions: list[int], *, resume: bool = False) -> None:
    with open_folder(path, plan, resume=resume) as folder:
        for place in positions:
            folder.append(plan.row(place, {"value": place * place}))


def test_all_rows_end_in_one_file_in_the_plans_order(tmp_path: Path) -> None:
    plan = survey()
    fill(tmp_path, plan, [6, 2, 4, 0])
    shards = sorted(one.name for one in (tmp_path / SHARDS).iterdir())
    assert shards == ["00000.parquet"]
    assert len((tmp_path / JOURNAL).read_text().splitlines()) == 1  # 4 rows, 3 of them in a shard
    with open_folder(tmp_path, plan, resume=True) as folder:
        assert folder.missing == [1, 3, 5]
        for place in folder.missing:
            folder.append(plan.row(place, {"value": place * place}))
        merged = folder.merge()
    rows = rows_of(merged)
    assert [row["model"] for row in rows] == [f"m{number}" for number in range(7)]
    assert [row["value"] for row in rows] == [0, 1, 4, 9, 16, 25, 36]
    kept = json.loads(pq.ParquetFile(merged).schema_arrow.metadata[b"explorer.atlas"])
    assert kept["survey"] == "costs"
    assert kept["conditions"] == {"torch": "2"}


def test_a_row_is_kept_once(tmp_path: Path) -> None:
    plan = survey()
    with open_folder(tmp_path, plan, resume=False) as folder:
        folder.append(plan.row(0, {"value": 1}))
        with pytest.raises(ValueError, match="item 0 has a row already"):
            folder.append(plan.row(0, {"value": 2}))
        with pytest.raises(ValueError, match="6 items have no row yet"):
            folder.merge()
    with pytest.raises(ValueError, match="no such columns: colour"):
        plan.row(1, {"colour": "red"})


def test_what_a_kill_leaves_is_mended(tmp_path: Path) -> None:
    plan = survey()
    fill(tmp_path, plan, [0, 1, 2, 3])
    journal = tmp_path / JOURNAL
    shard_row = json.dumps(plan.row(1, {"value": 1}))
    # Killed after the shard and before the new journal, and once in the middle of a line.
    journal.write_text(f"{shard_row}\n{journal.read_text()}" + '{"position": 4, "sta')
    (tmp_path / SHARDS / ".00001.parquet.part").write_bytes(b"half")
    with open_folder(tmp_path, plan, resume=True) as folder:
        assert folder.missing == [4, 5, 6]
        for place in folder.missing:
            folder.append(plan.row(place, {"value": place * place}))
        rows = rows_of(folder.merge())
    assert [row["position"] for row in rows] == list(range(7))
    assert not list(tmp_path.rglob("*.part"))


def test_another_survey_is_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, survey(), [0])
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    cases = [
        (survey(), False, "holds this survey already; add --resume"),
        (survey(8), True, "different: items"),
        (survey(torch="3", steps=4), True, "different: steps, torch"),
        (Survey("latency", survey().items, {"torch": "2"}, SCHEMA), True, "different: survey"),
    ]
    for other, resume, match in cases:
        refused = pytest.raises(AtlasError, match=match)
        with refused, open_folder(tmp_path, other, resume=resume):
            pass
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for resume in (False, True):
        refused = pytest.raises(AtlasError, match="is not empty and holds no survey")
        with refused, open_folder(tmp_path, survey(), resume=resume):
            pass
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        open_folder(tmp_path, survey(), resume=False),
        pytest.raises(AtlasError, match="Another process writes into"),
        open_folder(tmp_path, survey(), resume=True),
    ):
        pass


def test_a_broken_shard_is_named(tmp_path: Path) -> None:
    fill(tmp_path, survey(), [0, 1, 2])
    (tmp_path / SHARDS / "00000.parquet").write_bytes(b"PAR1 no")
    with (
        pytest.raises(AtlasError, match=r"00000\.parquet cannot be read"),
        open_folder(tmp_path, survey(), resume=True),
    ):
        pass


def test_a_manifest_that_is_no_json_is_named(tmp_path: Path) -> None:
    fill(tmp_path, survey(), [0])
    (tmp_path / MANIFEST).write_text("{")
    with (
        pytest.raises(AtlasError, match=r"survey\.json cannot be read"),
        open_folder(tmp_path, survey(), resume=True),
    ):
        pass


def test_a_full_disk_is_said_and_rows_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = survey()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with open_folder(tmp_path, plan, resume=False) as folder:
        folder.append(plan.row(0, {"value": 0}))
        with monkeypatch.context() as patch:
            patch.setattr(folder_module.os, "fsync", full)
            with pytest.raises(AtlasError, match="No space left on device"):
                folder.append(plan.row(1, {"value": 1}))
    with open_folder(tmp_path, plan, resume=True) as folder:
        assert 0 in folder.done


def test_notes_are_kept_beside(tmp_path: Path) -> None:
    with open_folder(tmp_path, survey(), resume=False) as folder:
        folder.note(sweep=4)
    with open_folder(tmp_path, survey(), resume=True) as folder:
        assert folder.notes == {"sweep": 4}


KILLED = """
import sys, time
from pathlib import Path
from explorer.atlas import folder as folder_module
from explorer.atlas.folder import open_folder
from tests.atlas.test_folder import survey

folder_module.SHARD_ROWS = 3
plan = survey(60)
with open_folder(Path(sys.argv[1]), plan, resume=True) as folder:
    print("ready", flush=True)
    for place in folder.missing:
        folder.append(plan.row(place, {"value": place * place}))
        time.sleep(0.003)
    folder.merge()
"""


def test_killed_at_any_moment_no_row_is_lost_or_doubled(tmp_path: Path) -> None:
    """60 rows in shards of 3; the kills come at arbitrary moments, the end is the same."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    for _ in range(4):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.03)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
    assert not (tmp_path / "costs.parquet").exists()
    subprocess.run(command, cwd=ROOT, check=True, timeout=60, stdout=subprocess.DEVNULL)
    rows = rows_of(tmp_path / "costs.parquet")
    assert [(row["position"], row["value"]) for row in rows] == [(n, n * n) for n in range(60)]
