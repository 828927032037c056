from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from explorer import __main__ as command
from explorer.catalog import CATALOG
from explorer.catalog.timm_results import CPU_FILE
from explorer.errors import JobCancelled, LatencyError, MeasurementError, UnknownModelError
from explorer.latency_results import Note
from explorer.measurements import MeasurementStore
from explorer.measurements import sweeps as sweeps_module
from explorer.measurements.sweeps import SweepStore, plan
from explorer.requests import LatencyRequest, SweepRequest
from explorer.sweeps import running
from explorer.sweeps.choosing import select_models
from tests.measurements.conftest import database_url, postgres_server  # noqa: F401 - fixtures
from tests.measurements.made import made

ROOT = Path(__file__).resolve().parents[2]
MODELS = tuple(f"model{number:02d}" for number in range(12))


@pytest.fixture
def sweeps(database_url: str) -> SweepStore:  # noqa: F811
    return SweepStore(MeasurementStore(database_url))


def test_the_plan_keeps_a_networks_points_together() -> None:
    request = SweepRequest(("b", "a", "b"), (1, 8), ("eager", "compile"))
    assert plan(request)[:4] == (
        ("b", 1, "eager"), ("b", 8, "eager"), ("b", 1, "compile"), ("b", 8, "compile"),
    )  # fmt: skip
    assert len(plan(request)) == 2 * 2 * 2


def test_models_are_chosen_by_patterns() -> None:
    assert select_models(["lenet5", "resnet1*"])[:2] == ("lenet5", "resnet101")
    assert set(select_models(["resnet*"])) == {m for m in CATALOG if m.startswith("resnet")}
    assert select_models(["lenet5", "lenet?"]).count("lenet5") == 1
    with pytest.raises(UnknownModelError, match="No model matches “nothing\\*”"):
        select_models(["nothing*"])


def test_an_unfinished_sweep_is_taken_up_again(sweeps: SweepStore) -> None:
    request = SweepRequest(("a", "b"), (1,), base=LatencyRequest(input_size=(1, 2, 3)))
    sweep = sweeps.start(request, "m")
    assert sweeps.status(sweep).request == request
    assert sweeps.start(request, "m") == sweep
    assert sweeps.start(request, "other machine") != sweep
    assert sweeps.start(request, "m", fresh=True) != sweep
    other = sweeps.start(SweepRequest(("a",)), "m")
    (point,) = sweeps.status(other).points
    sweeps.skip(other, point, Note("No {reason}.", {"reason": "room"}))
    assert sweeps.status(other).finished
    assert sweeps.status(other).points[0].reason.text() == "No room."  # type: ignore[union-attr]
    assert sweeps.start(SweepRequest(("a",)), "m") != other


def test_a_point_is_done_once(sweeps: SweepStore) -> None:
    sweep = sweeps.start(SweepRequest(("a", "b")))
    point = sweeps.status(sweep).points[0]
    assert sweeps.done(sweep, point, made("a", (1,), seed=1), 2.0)
    assert not sweeps.done(sweep, point, made("a", (1,), seed=2), 2.0)
    assert not sweeps.skip(sweep, point, Note("late"))
    assert sweeps.store.count() == 1
    status = sweeps.status(sweep)
    assert [one.state for one in status.points] == ["done", "open"]
    assert status.eta_seconds == 2.0  # one point of 2 s is left
    assert [row.model for row in sweeps.rows(sweep)] == ["a"]
    sweeps.store.delete([status.points[0].run_id])  # type: ignore[list-item]
    assert sweeps.status(sweep).points[0].state == "done"


def test_one_process_at_a_time(sweeps: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweeps.start(SweepRequest(("a",)))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        own = sweeps_module.psutil.Process(child.pid).create_time()
        host = sweeps_module.socket.gethostname()
        with monkeypatch.context() as patch:
            patch.setattr(sweeps_module, "this_process", lambda: f"{host}/{child.pid}/{own:.2f}")
            sweeps.take(sweep)
        with pytest.raises(MeasurementError, match="is run by another process just now"):
            sweeps.take(sweep)
    finally:
        child.kill()
        child.wait()
    sweeps.take(sweep)  # it is dead
    with monkeypatch.context() as patch:
        patch.setattr(sweeps_module, "this_process", lambda: "elsewhere/1/1.00")
        sweeps.release(sweep)  # not its own: stays
    sweeps.release(sweep)
    with monkeypatch.context() as patch:
        patch.setattr(sweeps_module, "this_process", lambda: "elsewhere/1/1.00")
        sweeps.take(sweep)
    with pytest.raises(MeasurementError, match="elsewhere"):
        sweeps.take(sweep)
    later = time.time() + sweeps_module.SILENT_SECONDS + 1
    SweepStore(sweeps.store, now=lambda: later).take(sweep)


@contextmanager
def opened(model: str) -> Iterator[str]:
    yield model


def test_what_does_not_fit_is_skipped_in_words(
    sweeps: SweepStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer import latency

    def measure(loaded: Any, request: LatencyRequest, progress: Any) -> Any:
        if request.batch_sizes == (8,):
            raise LatencyError("A batch of {batch} is too large.", batch=8)
        progress(0.5, 1, None)
        return made(loaded, request.batch_sizes, seed=request.batch_sizes[0])

    monkeypatch.setattr(latency, "measure", measure)
    sweep = sweeps.start(SweepRequest(("a", "b"), (1, 8)))
    told: list[float] = []
    status = running.run_sweep(
        sweeps, sweep, opened, lambda done, total, _status: told.append(done / total)
    )
    assert [point.state for point in status.points] == ["done", "skipped"] * 2
    assert status.points[1].reason.text() == "A batch of 8 is too large."  # type: ignore[union-attr]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sweeps.store.count() == 2


def test_a_cancelled_sweep_keeps_its_points(
    sweeps: SweepStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer import latency

    def cancel(done: float, _total: float, _status: Any) -> None:
        if done >= 1.5:
            raise JobCancelled("stop")

    def measure(loaded: Any, request: LatencyRequest, progress: Any) -> Any:
        progress(0.5, 1, None)
        return made(loaded, request.batch_sizes)

    monkeypatch.setattr(latency, "measure", measure)
    sweep = sweeps.start(SweepRequest(("a", "b", "c")))
    with pytest.raises(JobCancelled):
        running.run_sweep(sweeps, sweep, opened, cancel)
    assert [point.state for point in sweeps.status(sweep).points] == ["done", "open", "open"]
    assert running.run_sweep(sweeps, sweep, opened).finished  # and nobody holds it


KILLED = """
import sys, time
from contextlib import nullcontext
from explorer import latency
from explorer.measurements import MeasurementStore
from explorer.measurements.sweeps import SweepStore
from explorer.requests import SweepRequest
from explorer.sweeps.running import run_sweep
from tests.measurements.made import made

def measure(loaded, request, progress):
    time.sleep(0.05)
    return made(loaded, request.batch_sizes, seed=time.time_ns() % 2**32)

latency.measure = measure
sweeps = SweepStore(MeasurementStore(sys.argv[1], timeout=60))
sweep = sweeps.start(SweepRequest(tuple(sys.argv[2].split(",")), (1, 8, 32)), "m")
print("ready", flush=True)
run_sweep(sweeps, sweep, nullcontext)
"""


def test_killed_twice_no_point_is_lost_or_doubled(
    sweeps: SweepStore,
    database_url: str,  # noqa: F811
) -> None:
    """12 models × 3 batches; the kills come at arbitrary moments, the end is the same."""
    command = [sys.executable, "-c", KILLED, database_url, ",".join(MODELS)]
    counts = [0]
    for _ in range(2):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while sweeps.store.count() < counts[-1] + 8:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        process.stdout.close()
        counts.append(sweeps.store.count())
        (status,) = sweeps.all()
        assert status.count("done") == counts[-1] < 36
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)
    (status,) = sweeps.all()
    assert status.finished
    assert status.count("done") == sweeps.store.count() == 36  # 12·3
    rows = sweeps.rows(status.id)
    assert sorted((row.model, row.batch_size) for row in rows) == sorted(
        (model, batch) for model in MODELS for batch in (1, 8, 32)
    )
    assert len({point.run_id for point in status.points}) == 36


# --- the command ----------------------------------------------------------------------------------


def bench(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "explorer", "bench", *arguments],
        cwd=ROOT, env={**os.environ, "XDG_DATA_HOME": str(data), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_the_command_writes_a_table_like_timms(tmp_path: Path) -> None:
    out = tmp_path / "table.csv"
    arguments = ["--models", "lenet?", "--batch", "1,4,1000000", "--seconds", "0", "--runs", "3"]
    done = bench(*arguments, "--out", str(out), data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3/3" in done.stderr
    assert "Skipped: lenet5, 1000000, inference_mode. A batch of 1,000,000 images" in done.stderr
    table, timms = pd.read_csv(out), pd.read_csv(CPU_FILE)
    assert list(table.columns[: len(timms.columns)]) == list(timms.columns)
    measured = table[table.note.isna()]
    assert measured.infer_batch_size.tolist() == [1, 4]
    assert measured.model.tolist() == ["lenet5"] * 2
    assert (measured.weights == "untrained").all()
    rate = measured.infer_batch_size / (measured.infer_step_time / 1000)
    # Rounded to 0.0001 ms, of which a step has thousands.
    assert measured.infer_samples_per_sec.tolist() == pytest.approx(rate.tolist(), rel=1e-2)
    store = MeasurementStore(f"sqlite:///{tmp_path / 'convnet-explorer' / 'measurements.sqlite'}")
    assert store.count() == 2


@pytest.mark.slow
def test_the_command_killed_twice_goes_on_where_it_was(
    tmp_path: Path,
    database_url: str,  # noqa: F811
) -> None:
    """Twelve real networks, three batch sizes, the real command: nothing is stood in for."""
    out = tmp_path / "table.csv"
    models = [name for name in CATALOG if name.startswith("timm/test_")][:12]
    assert len(models) == 12
    command = [
        sys.executable, "-m", "explorer", "bench", "--models", *models, "--batch", "1,2,4",
        "--seconds", "0", "--runs", "3", "--threads", "1", "--out", str(out),
    ]  # fmt: skip
    environment = {**os.environ, "EXPLORER_DATABASE_URL": database_url, "LC_ALL": "C.UTF-8"}
    store = MeasurementStore(database_url)
    before = 0
    for _ in range(2):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        while store.count() < before + 6:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
        before = store.count()
    assert before < 36
    kept = {row.run_id for row in store.rows()}
    subprocess.run(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, check=True, timeout=200
    )
    (status,) = SweepStore(store).all()
    assert status.finished
    assert status.count("done") == store.count() == 36  # 12·3
    assert kept < {point.run_id for point in status.points}  # none was measured anew
    table = pd.read_csv(out)
    assert sorted(zip(table.model, table.infer_batch_size, strict=True)) == sorted(
        (model.removeprefix("timm/"), batch) for model in models for batch in (1, 2, 4)
    )


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("nonsense", "“nonsense” is no database URL"),
        ("postgresql://me:secret@127.0.0.1:1/none", "127.0.0.1:1/none cannot be reached"),
    ],
)
def test_the_command_names_a_database_that_cannot_be_used(
    url: str, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_DATABASE_URL", url)
    done = bench("--models", "lenet5", data=tmp_path)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert match in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--models", "nothing*"], "No model matches “nothing*”"),
        (["--models", "lenet6"], "lenet6"),
        (["--models", "lenet5", "--batch", "0"], "A batch of 0 images cannot be measured"),
        (["--models", "lenet5", "--batch", "x"], "“x” is not like 1,8,32"),
        (["--models", "lenet5", "--threads", "1000"], "threads=1000 is not possible"),
        (["--models", "lenet5", "--mode", "warp"], "mode=warp is not possible"),
        (["--models", "lenet5", "--out", "table.txt"], "“table.txt” names no kind of file"),
        (["--models", "lenet5", "--out", "/nowhere/a.csv"], "/nowhere is not there"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    arguments: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = command.main(["bench", *arguments])
    except SystemExit as end:  # an argument that cannot be read
        status = int(end.code or 0)
    assert status in (1, 2)
    said = capsys.readouterr().err
    assert match in said
    assert "Traceback" not in said


def test_the_command_refuses_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = bench("--models", "lenet6", data=tmp_path)
    assert done.returncode == 1
    assert "lenet6" in done.stderr
    assert "Traceback" not in done.stderr
