"""Whatever is wrong with the database: one sentence, and the measurement is there and a file."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from explorer.measurements import MeasurementStore
from explorer.measurements.files import export, read_file
from explorer.measurements.keeping import keep
from tests.measurements.made import made, same

ROOT = Path(__file__).resolve().parents[2]


def store_of(file: Path) -> MeasurementStore:
    return MeasurementStore(f"sqlite:///{file}", timeout=0.5)


@contextmanager
def locked(file: Path) -> Iterator[MeasurementStore]:
    other = sqlite3.connect(str(file), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield store_of(file)
    other.close()


@contextmanager
def full(file: Path) -> Iterator[MeasurementStore]:
    def limit(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=1")  # no page beside those that are there

    event.listen(Engine, "connect", limit)
    yield store_of(file)
    event.remove(Engine, "connect", limit)


@contextmanager
def opened_to_read(file: Path) -> Iterator[MeasurementStore]:
    yield store_of(Path(f"file:{file}?mode=ro&uri=true"))


@contextmanager
def file_gone(file: Path) -> Iterator[MeasurementStore]:
    store = store_of(file)
    store.count()
    for one in file.parent.glob(f"{file.name}*"):
        one.unlink()
    yield store


@contextmanager
def folder_gone(file: Path) -> Iterator[MeasurementStore]:
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.write_text("a file stands where the folder was")
    yield store_of(file)


@contextmanager
def no_database(file: Path) -> Iterator[MeasurementStore]:
    file.write_bytes(b"\x89PNG" * 4096)
    yield store_of(file)


@pytest.mark.parametrize(
    ("trouble", "match"),
    [
        (locked, "is locked by another program"),
        (full, "There is no room left for the database"),
        (opened_to_read, "cannot be written to"),
        (file_gone, "is gone; the next measurement begins a new one"),
        (folder_gone, "cannot be opened"),
        (no_database, "is no database of measurements"),
    ],
)
def test_the_measurement_is_there_with_one_sentence_and_as_a_file(
    trouble: Callable[[Path], Any], match: str, tmp_path: Path
) -> None:
    file = tmp_path / "folder" / "kept.sqlite"
    store_of(file).add(made(seed=1))
    # Enough raw times for more pages than the file has free.
    result = made(batches=tuple(range(1, 40)), seed=2)
    with trouble(file) as store:
        shown = keep(result, store)
    said = str(shown.unstored)
    assert match in said
    assert file.name in said
    assert "\n" not in said
    assert shown.run_id is None
    for kind in ("json", "parquet"):
        (back,) = read_file(export([shown], kind), f"file.{kind}")
        assert same(back, result)


PERMISSIONS = """
import json, sys
from explorer.errors import MeasurementError
from explorer.measurements import MeasurementStore
from explorer.measurements.keeping import keep
from tests.measurements.made import made

store = MeasurementStore(sys.argv[1])
try:
    rows = store.count()
except MeasurementError as error:
    rows = str(error)
kept = keep(made(seed=2), store)
print(json.dumps([rows, str(kept.unstored), kept.series[0].finished]))
"""
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # as in linux/prctl.h and linux/capability.h


def heed_permissions() -> None:
    """What is run next is not let past them for being root's."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="root's rights are dropped as Linux does it")
@pytest.mark.parametrize("folder_too", [False, True])
def test_without_the_right_to_write(tmp_path: Path, folder_too: bool) -> None:
    """By the system's permissions; a file of WAL wants to write beside itself even to be read."""
    folder = tmp_path / "folder"
    file = folder / "kept.sqlite"
    store_of(file).add(made(seed=1))
    file.chmod(0o444)
    folder.chmod(0o555 if folder_too else 0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", PERMISSIONS, f"sqlite:///{file}"],
            cwd=ROOT, preexec_fn=heed_permissions,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    rows, said, finished = json.loads(done.stdout)
    assert finished
    assert "cannot be written to" in said
    assert rows == (said if folder_too else 1)
    assert store_of(file).count() == 1
