from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import event

from explorer.errors import MeasurementError
from explorer.latency_results import Machine
from explorer.measurements import MeasurementStore, RowFilter, rows_of, schema
from explorer.settings import get_settings
from tests.measurements.made import MACHINE, made, same

ROOT = Path(__file__).resolve().parents[2]


def test_opening_a_database_says_one_thing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    MeasurementStore(f"sqlite:///{tmp_path}/new.sqlite").add(made())
    MeasurementStore(f"sqlite:///{tmp_path}/new.sqlite").add(made())
    assert [record.name for record in caplog.records] == ["explorer.measurements.database"]


def test_a_result_comes_back_to_the_last_bit(store: MeasurementStore) -> None:
    result = made()
    run_id = store.add(result)
    found = store.result(run_id)
    assert same(found, result)
    assert found.run_id == run_id
    assert found.series[0].peak_bytes == 2**33 + 1  # more than 32 bits hold


def test_rows_say_what_the_raw_times_say(store: MeasurementStore) -> None:
    result = made()
    store.add(result)
    rows = store.rows()
    assert [row.batch_size for row in rows] == [1, 8]
    for row, series, unkept in zip(rows, result.series, rows_of(result), strict=True):
        found = series.statistics
        assert (row.median, row.p95, row.p99, row.runs) == (found.median, found.p95, None, 250)
        assert (row.low, row.high) == found.interval
        assert row.images_per_second == pytest.approx(series.images_per_second)
        assert row.watts == 5.0  # 12.5 J / 2.5 s
        assert row.machine == MACHINE
        assert replace(row, run_id=0, series_id=0) == unkept


def test_rows_can_be_chosen_and_come_newest_first(store: MeasurementStore) -> None:
    other = replace(MACHINE, device="Other")
    store.add(made("a", (1,), seed=1))
    store.add(made("b", (1, 4), seed=2, mode="compile", machine=other))
    store.add(made("a", (4,), seed=3, threads=1))
    assert [row.model for row in store.rows()] == ["a", "b", "b", "a"]
    assert [row.batch_size for row in store.rows(RowFilter(model="a"))] == [4, 1]
    assert len(store.rows(RowFilter(machine=other.fingerprint))) == 2
    assert len(store.rows(RowFilter(mode="compile", batch_size=4))) == 1
    assert len(store.rows(RowFilter(threads=1))) == 1
    assert len(store.rows(RowFilter(input_size=(1, 28, 29)))) == 0
    assert len(store.rows(limit=3)) == 3
    assert store.models() == ("a", "b")
    assert store.machines() == (MACHINE, other)


def test_the_same_measurement_is_kept_once(store: MeasurementStore) -> None:
    assert store.add(made()) == store.add(made())
    assert store.count() == 1
    assert store.add_all([made(), made(seed=1)], "imported") == (1, 1)
    assert store.count() == 2


def test_deleting(store: MeasurementStore) -> None:
    first, second = store.add(made(seed=1)), store.add(made(seed=2))
    assert store.delete([first, 999]) == 1
    assert {row.run_id for row in store.rows()} == {second}
    with pytest.raises(MeasurementError, match=f"no measurement {first} in"):
        store.result(first)


def test_an_error_midway_keeps_nothing(store: MeasurementStore) -> None:
    def results() -> Any:
        yield made(seed=1)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        store.add_all(results(), "imported")
    assert store.count() == 0


def test_a_machine_without_memory_of_its_own_is_told_from_others() -> None:
    assert MACHINE.fingerprint == replace(MACHINE).fingerprint
    assert len({replace(MACHINE, torch="2.15.0").fingerprint, MACHINE.fingerprint}) == 2
    assert len(Machine("a", "cpu").fingerprint) == 16


# --- schema -------------------------------------------------------------------------------------


def revision(store: MeasurementStore, value: str | None = None) -> str:
    with store.database.engine.begin() as connection:
        if value is not None:
            connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{value}'"))
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar())


def test_migrations_make_the_schema(store: MeasurementStore) -> None:
    store.count()
    from alembic.autogenerate import compare_metadata

    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_an_older_schema_is_brought_up(database_url: str) -> None:
    old = MeasurementStore(database_url)
    run_id = old.add(made())
    with old.database.engine.begin() as connection:  # as the first version left it
        operations = Operations(MigrationContext.configure(connection))
        operations.drop_table("sweep_points")
        operations.drop_table("sweeps")
    revision(old, "0001")
    new = MeasurementStore(database_url)
    assert same(new.result(run_id), made())
    assert revision(new) == "0002"
    with new.database.engine.connect() as connection:
        assert sa.inspect(connection).has_table("sweep_points")


def test_a_newer_schema_is_refused(database_url: str) -> None:
    MeasurementStore(database_url).add(made())
    store = MeasurementStore(database_url)
    revision(store, "9999")
    with pytest.raises(MeasurementError, match=r"newer version .*schema 9999.*update the app"):
        store.count()
    assert revision(store) == "9999"


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_locked_file_is_one_sentence(file_store: MeasurementStore) -> None:
    file_store.add(made())
    other = sqlite3.connect(str(file_store.database.file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(MeasurementError, match="is locked by another program"):
            file_store.add(made(seed=1))
        assert file_store.count() == 1  # reading goes on meanwhile
    finally:
        other.close()
    file_store.add(made(seed=1))


def test_a_full_disk_is_one_sentence(file_store: MeasurementStore) -> None:
    file_store.add(made())

    def limit(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=1")  # the pages that are there already

    event.listen(file_store.database.engine, "connect", limit)
    with pytest.raises(MeasurementError, match="no room left for the database"):
        file_store.add_all([made(seed=n) for n in range(1, 40)], "measured")
    event.remove(file_store.database.engine, "connect", limit)
    assert file_store.count() == 1


def test_a_read_only_file_can_still_be_read(tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite"
    MeasurementStore(f"sqlite:///{file}").add(made())
    store = MeasurementStore(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert store.count() == 1
    with pytest.raises(MeasurementError, match=r"kept.sqlite cannot be written to"):
        store.add(made(seed=1))


def test_a_file_that_is_gone_is_said_once_and_made_anew(file_store: MeasurementStore) -> None:
    file_store.add(made())
    for file in file_store.database.file.parent.glob("file.sqlite*"):  # type: ignore[union-attr]
        file.unlink()
    with pytest.raises(MeasurementError, match=r"file.sqlite is gone"):
        file_store.add(made(seed=1))
    file_store.add(made(seed=1))
    assert file_store.count() == 1


def test_lost_tables_are_said(file_store: MeasurementStore) -> None:
    file_store.add(made())
    shutil.copy(os.devnull, str(file_store.database.file))
    with pytest.raises(MeasurementError):
        file_store.count()


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("nonsense", "“nonsense” is no database URL"),
        ("oracle9://x@y/z", "“oracle9://x@y/z” is no database URL"),
        ("sqlite:////proc/nowhere/file.sqlite", "cannot be opened"),
    ],
)
def test_wrong_urls_are_one_sentence(url: str, match: str) -> None:
    with pytest.raises(MeasurementError, match=match):
        MeasurementStore(url).count()


def test_an_unreachable_server_is_one_sentence_without_the_password() -> None:
    store = MeasurementStore("postgresql://me:secret@127.0.0.1:1/none")
    with pytest.raises(MeasurementError, match=r"127\.0\.0\.1:1/none cannot be reached") as caught:
        store.count()
    assert "secret" not in str(caught.value)
    with pytest.raises(MeasurementError) as caught:
        MeasurementStore("nonsens://me:secret@host/none")
    assert "secret" not in str(caught.value)


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "photo.sqlite"
    file.write_bytes(b"\x89PNG" * 4096)
    with pytest.raises(MeasurementError, match="is no database of measurements"):
        MeasurementStore(f"sqlite:///{file}").count()
    assert file.read_bytes() == b"\x89PNG" * 4096


def test_the_place_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert MeasurementStore().database.file == (
        Path(os.environ["XDG_DATA_HOME"]) / "convnet-explorer" / "measurements.sqlite"
    )
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{tmp_path / 'mine.sqlite'}")
    get_settings.cache_clear()
    assert MeasurementStore().database.file == tmp_path / "mine.sqlite"


# --- two at once ----------------------------------------------------------------------------------

WRITER = """
import sys
from explorer.measurements import MeasurementStore
from tests.measurements.made import made
store = MeasurementStore(sys.argv[1], timeout=60)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 25):
    store.add(made(f"model{number}", (1,), seed=number))
"""


def test_two_processes_that_write_lose_nothing(database_url: str) -> None:
    # Both also find no tables at first: only one of them makes them.
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, str(begin)], cwd=ROOT)
        for begin in (0, 25)
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert len(MeasurementStore(database_url).models()) == 50
