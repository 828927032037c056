"""The task that measures keeps what it measured, also when it is stopped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from explorer.errors import JobCancelled
from explorer.measurements import MeasurementStore
from explorer.measurements.sweeps import SweepStore
from explorer.requests import LatencyRequest, ModelRef, SweepRequest
from explorer.settings import get_settings
from explorer.tasks import Measure, RunSweep


class Context:
    """What a worker gives a task; cancels at a moment."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        self.reports: list[Any] = []
        self.pool = self

    @contextmanager
    def use(self, ref: ModelRef, progress: Any = None) -> Iterator[Any]:
        from explorer.catalog import find
        from explorer.zoo import load

        yield load(find(ref.model), ref.weights)

    def stage(self, name: str) -> None:
        pass

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        self.reports.append(partial)
        if self.cancel_at is not None and len(self.reports) >= self.cancel_at:
            raise JobCancelled("stop")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> MeasurementStore:
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{tmp_path / 'kept.sqlite'}")
    get_settings.cache_clear()
    return MeasurementStore()


QUICK = LatencyRequest(min_runs=3, min_seconds=0)


def test_a_measurement_is_kept(store: MeasurementStore) -> None:
    result = Measure(ModelRef("lenet5"), QUICK).run(Context())
    assert result.run_id is not None
    assert result.unstored is None
    kept = store.result(result.run_id)
    assert kept.series[0].seconds.tolist() == result.series[0].seconds.tolist()
    assert kept.machine == result.machine
    assert Measure(ModelRef("lenet5"), QUICK, keep=False).run(Context()).run_id is None
    assert store.count() == 1


def test_what_was_measured_before_a_stop_is_kept(store: MeasurementStore) -> None:
    request = LatencyRequest(min_runs=3, min_seconds=60)
    with pytest.raises(JobCancelled):
        Measure(ModelRef("lenet5"), request).run(Context(cancel_at=3))
    (row,) = store.rows()
    assert not row.finished
    assert row.runs > 3


def test_a_measurement_is_shown_where_it_cannot_be_kept(store: MeasurementStore) -> None:
    assert store.database.file is not None
    shutil.copy("/bin/sh", store.database.file)
    result = Measure(ModelRef("lenet5"), QUICK).run(Context())
    assert result.series[0].finished
    assert result.run_id is None
    assert "is no database of measurements" in str(result.unstored)


def test_a_sweep_runs_as_a_task(store: MeasurementStore) -> None:
    sweeps = SweepStore(store)
    sweep = sweeps.start(SweepRequest(("lenet5",), (1, 2), base=QUICK))
    status = RunSweep(sweep).run(Context())
    assert status.finished
    assert [row.batch_size for row in sweeps.rows(sweep)] == [2, 1]
