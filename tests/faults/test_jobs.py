"""What befalls a job befalls those who wait for it, in one sentence; the others are served."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from explorer.engine.local import LocalEngine
from explorer.errors import WorkerLostError
from explorer.telemetry import job_totals
from tests.engine.fakes import Add, Call, Count, Deaf, raise_memory_error, unreadable_result
from tests.engine.waiting import PATIENCE, Clock, gone, until
from tests.faults.tasks import Greedy

Make = Callable[..., LocalEngine]


def one_sentence(error: BaseException | None) -> str:
    text = str(error)
    assert error is not None
    assert "\n" not in text
    assert "Traceback" not in text
    assert text.endswith(".")
    return text


def test_all_who_wait_for_a_killed_job_are_told_and_the_rest_is_kept(
    make_engine: Make, tmp_path: Path
) -> None:
    engine, before = make_engine(), dict(job_totals())
    task = Count(str(tmp_path), "shared")
    job = engine.submit(task, "me", label="the map")
    assert engine.submit(task, "you") is job
    queued = [engine.submit(Add(n, n, "queued"), f"visitor {n}") for n in range(5)]
    until((tmp_path / "shared.runs").exists)
    pid = engine.info().worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    for owner in ("me", "you"):
        assert job.wait(PATIENCE)
        status = job.status(owner)
        assert status.state == "failed"
        assert "ended while it ran “the map” (SIGKILL)" in one_sentence(status.error)
    assert [one.result(PATIENCE) for one in queued] == [0, 2, 4, 6, 8]
    assert job_totals()["failed"] - before.get("failed", 0) == 1
    assert gone(pid)
    (tmp_path / "go").touch()
    again = engine.submit(task, "me")  # a failure is not kept: trying again runs it
    assert again.result(PATIENCE) == "shared"


def test_a_job_that_kills_every_worker_costs_only_itself(make_engine: Make, tmp_path: Path) -> None:
    engine = make_engine()
    for number in range(4):  # more often than a worker's start may fail
        (tmp_path / "deaf").unlink(missing_ok=True)
        job = engine.submit(Deaf(str(tmp_path)), "me", label="the test")
        until((tmp_path / "deaf").exists)
        os.kill(int((tmp_path / "deaf").read_text()), signal.SIGSEGV)
        with pytest.raises(WorkerLostError):
            job.result(PATIENCE)
        assert engine.submit(Add(number, 1, "after"), "you").result(PATIENCE) == number + 1
    assert engine.info().restarts == 4
    assert engine.info().worker != "broken"


@pytest.mark.parametrize("how", ["python", "numpy", "torch"])
def test_memory_that_the_system_refuses(make_engine: Make, how: str) -> None:
    engine = make_engine()
    job = engine.submit(Greedy(how), "me", label="the map")
    assert job.wait(PATIENCE)
    text = one_sentence(job.status().error)
    assert "“the map” ran out of memory" in text
    assert "choose a smaller model" in text
    assert engine.info().restarts == 0  # the worker is still there, with its memory given back
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_a_memory_error_raised_by_a_library(make_engine: Make) -> None:
    engine = make_engine()
    job = engine.submit(Call(raise_memory_error), "me", label="the map")
    assert job.wait(PATIENCE)
    assert "ran out of memory" in one_sentence(job.status().error)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_a_result_that_arrives_broken_is_not_kept(make_engine: Make) -> None:
    engine = make_engine()
    job = engine.submit(Call(unreadable_result, "broken"), "me")
    assert job.wait(PATIENCE)
    assert "could not be read" in one_sentence(job.status().error)
    assert engine.find("broken") is None
    assert engine.info().cached_results == 0


def test_a_visitor_who_leaves_frees_the_worker_for_the_others(
    make_engine: Make, tmp_path: Path
) -> None:
    clock = Clock()
    engine = make_engine(clock, lease=15.0)
    left = engine.submit(Count(str(tmp_path), "left"), "gone")
    stays = engine.submit(Add(3, 4, "stays"), "here")
    until((tmp_path / "left.runs").exists)
    clock.now += 10.0
    stays.status("here")
    engine.reap()
    clock.now += 6.0  # 16 s after the one asked last, 6 s after the other
    assert stays.result(PATIENCE) == 7
    assert left.status().state == "cancelled"
    assert engine.info().restarts == 0  # it was told, not killed


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 1e9, -1e9])
def test_a_clock_that_jumps_loses_no_answer(make_engine: Make, tmp_path: Path, jump: float) -> None:
    clock = Clock()
    clock.now = 2e9
    engine = make_engine(clock, cancel_grace=0.0)
    job = engine.submit(Count(str(tmp_path), "counts"), "me")
    until((tmp_path / "counts.runs").exists)
    clock.now += jump
    assert job.status().elapsed_seconds >= 0
    # Nobody could ask meanwhile; who has left is still noticed, a lease from now.
    engine.reap()
    assert job.status().state == "running"
    clock.now += 10.0
    engine.reap()
    clock.now += 5.1
    engine.reap()
    assert job.wait(PATIENCE)
    assert "cancelled" in one_sentence(job.status("me").error)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_a_deaf_task_is_ended_although_the_clock_jumped_back(
    make_engine: Make, tmp_path: Path
) -> None:
    clock = Clock()
    engine = make_engine(clock, cancel_grace=5.0)
    job = engine.submit(Deaf(str(tmp_path)), "me")
    until((tmp_path / "deaf").exists)
    engine.cancel(job, "me")
    clock.now -= 500.0
    until(lambda: job.cancelled_at == clock.now)
    clock.now += 5.1
    assert job.wait(PATIENCE)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_no_child_is_left(make_engine: Make) -> None:
    engine = make_engine()
    engine.submit(Add(1, 2), "me").result(PATIENCE)
    pid = engine.info().worker_pid
    engine.shutdown()
    assert pid not in [child.pid for child in psutil.Process().children(recursive=True)]
