"""The survey of latency: the points of a sweep as rows, also those closed before a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.atlas import latency
from explorer.atlas.folder import open_folder
from explorer.atlas.latency import follow, latency_survey
from explorer.errors import AtlasError, WorkerLostError
from explorer.latency_results import Note
from explorer.measurements import MeasurementStore
from explorer.measurements.sweeps import SweepStore
from explorer.requests import SweepRequest
from tests.atlas.conftest import Atlas, rows_of
from tests.measurements.made import made

REQUEST = SweepRequest(("a", "b"), (1, 8))


class Status:
    finished = False


class FakeJob:
    """A sweep that closes one more point at each look."""

    def __init__(self, sweeps: SweepStore, sweep: int, lost_after: int) -> None:
        self.sweeps, self.sweep, self.left = sweeps, sweep, lost_after
        self.ended = False

    def status(self, _owner: str) -> Any:
        points = [p for p in self.sweeps.status(self.sweep).points if p.state == "open"]
        status = Status()
        status.finished = self.ended = not points or self.left == 0
        if not self.ended:
            self.left -= 1
            point = points[0]
            if point.model == "b" and point.batch_size == 8:
                self.sweeps.skip(self.sweep, point, Note("No {what}.", {"what": "room"}))
            else:
                result = made(point.model, (point.batch_size,), seed=point.position)
                self.sweeps.done(self.sweep, point, result, 1.5)
        return status

    def result(self, _timeout: float) -> None:
        if self.left == 0:
            raise WorkerLostError("The worker is gone.")


class FakeEngine:
    def __init__(self, sweeps: SweepStore, lost_after: int = -1) -> None:
        self.sweeps, self.lost_after = sweeps, lost_after
        self.submitted = 0

    def submit(self, task: Any, owner: str, *, label: str = "", address: str = "") -> FakeJob:
        self.submitted += 1
        return FakeJob(self.sweeps, task.sweep, self.lost_after)

    def cancel(self, job: FakeJob, owner: str) -> None:
        job.ended = True


@pytest.fixture
def sweeps(tmp_path: Path) -> SweepStore:
    return SweepStore(MeasurementStore(f"sqlite:///{tmp_path / 'm.sqlite'}"))


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "LOOK_SECONDS", 0)


def test_points_become_rows_also_after_a_loss(sweeps: SweepStore, tmp_path: Path) -> None:
    machine = made("a", (1,), seed=0).machine
    assert machine is not None
    survey = latency_survey(REQUEST, machine)
    sweep = sweeps.start(REQUEST, machine.fingerprint)
    out = tmp_path / "out"
    told: list[str] = []
    with open_folder(out, survey, resume=False) as folder:
        with pytest.raises(WorkerLostError, match="The worker is gone"):
            follow(FakeEngine(sweeps, 2), sweeps, sweep, folder, told.append)  # type: ignore[arg-type]
        assert folder.done == {0, 1}
    # A point that was closed, but whose row a kill kept from the folder.
    point = sweeps.status(sweep).points[2]
    sweeps.done(sweep, point, made("b", (1,), seed=2), 1.5)
    with open_folder(out, survey, resume=True) as folder:
        follow(FakeEngine(sweeps), sweeps, sweep, folder, told.append)  # type: ignore[arg-type]
        rows = rows_of(folder.merge())
    assert [(row["model"], row["batch_size"], row["state"]) for row in rows] == [
        ("a", 1, "done"), ("a", 8, "done"), ("b", 1, "done"), ("b", 8, "failed"),
    ]  # fmt: skip
    assert told == [
        f"{m} · {b} · inference_mode" for m, b in (("a", 1), ("a", 8), ("b", 1), ("b", 8))
    ]
    assert rows[3]["reason"] == "No room."
    kept = {row.run_id: row for row in sweeps.rows(sweep)}
    for row in rows[:3]:
        assert row["median_seconds"] == kept[row["run_id"]].median
        assert row["machine"] == kept[row["run_id"]].machine.fingerprint


def test_a_sweep_that_is_complete_needs_no_engine(sweeps: SweepStore, tmp_path: Path) -> None:
    machine = made("a", (1,), seed=0).machine
    assert machine is not None
    sweep = sweeps.start(REQUEST, machine.fingerprint)
    for point in sweeps.status(sweep).points:
        sweeps.skip(sweep, point, Note("late"))
    engine = FakeEngine(sweeps)
    with open_folder(tmp_path / "out", latency_survey(REQUEST, machine), resume=False) as folder:
        follow(engine, sweeps, sweep, folder, lambda _: None)  # type: ignore[arg-type]
        assert not folder.missing
    assert engine.submitted == 0


def test_open_points_at_the_end_are_said(
    sweeps: SweepStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = made("a", (1,), seed=0).machine
    assert machine is not None
    sweep = sweeps.start(REQUEST, machine.fingerprint)
    monkeypatch.setattr(FakeJob, "result", lambda *_: None)
    with (
        open_folder(tmp_path / "out", latency_survey(REQUEST, machine), resume=False) as folder,
        pytest.raises(AtlasError, match="ended with 3 points open"),
    ):
        follow(FakeEngine(sweeps, 1), sweeps, sweep, folder, lambda _: None)  # type: ignore[arg-type]


COMMAND = ["latency", "--models", "lenet5", "--batch", "1,4", "--min-seconds", "0", "--runs"]


def test_the_command_times_on_this_machine(atlas: Atlas, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = atlas(*COMMAND, "3", "--out", str(out))
    _told, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    rows = rows_of(out / "latency.parquet")
    assert [(row["model"], row["batch_size"], row["runs"]) for row in rows] == [
        ("lenet5", 1, 3), ("lenet5", 4, 3),
    ]  # fmt: skip
    assert len({row["machine"] for row in rows}) == 1
    assert all(row["median_seconds"] > 0 and row["cpu"] for row in rows)


@pytest.mark.slow
def test_the_command_goes_on_or_refuses(atlas: Atlas, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert atlas(*COMMAND, "3", "--out", str(out)).wait(120) == 0
    rows = rows_of(out / "latency.parquet")
    again = atlas(*COMMAND, "3", "--out", str(out), "--resume")
    assert again.communicate(timeout=60)[0].startswith("0 rows have")
    assert rows_of(out / "latency.parquet") == rows
    other = atlas(*COMMAND, "4", "--out", str(out), "--resume")
    assert "different: min_runs" in other.communicate(timeout=60)[1]
