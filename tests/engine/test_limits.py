"""What a public server takes: each limit reached, exceeded by one, and free again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.engine import Job
from explorer.engine.base import BoardEngine
from explorer.engine.limits import WINDOW_SECONDS, Gate, Limits, SlidingWindow, limits_of
from explorer.errors import ExplorerError, JobCancelled, LimitError
from explorer.settings import Settings
from tests.engine.conftest import MakeEngine
from tests.engine.fakes import Add, Count, Deaf
from tests.engine.waiting import PATIENCE, Clock, gone, until

WIDE = {
    "jobs_per_owner": 50, "jobs": 50, "job_seconds": 1e6, "jobs_per_minute": 50,
    "jobs_per_minute_per_address": 50, "batch": 32,
}  # fmt: skip


def limits(**chosen: Any) -> Limits:
    return Limits(**(WIDE | chosen))


def sentence(job: Job) -> str:
    error = job.status("nobody").error
    assert isinstance(error, LimitError), error
    text = str(error)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_outside_of_public_mode_there_are_no_limits() -> None:
    assert limits_of(Settings()) is None
    found = limits_of(Settings(public=True, max_jobs_per_visitor=7, max_job_seconds=2.5))
    assert found is not None
    assert (found.jobs_per_owner, found.job_seconds) == (7, 2.5)


# --- how many at once ---------------------------------------------------------------------------


def test_one_job_more_than_a_visitor_may_have(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(limits=limits(jobs_per_owner=2))
    tasks = [Count(str(tmp_path), name) for name in "abc"]
    taken = [engine.submit(task, "me", label=task.name) for task in tasks[:2]]
    refused = engine.submit(tasks[2], "me", label="counting c")
    assert sentence(refused) == (
        "“counting c” was not begun: 2 of your jobs wait or run, as many as one visitor may have "
        "on this server; wait for one or cancel one, then try again."
    )
    # Another visitor is not concerned, and joining what runs already is never refused.
    other = engine.submit(tasks[2], "you")
    assert other.status("you").state == "queued"
    assert engine.submit(tasks[2], "me") is other
    assert engine.submit(tasks[0], "me") is taken[0]
    engine.cancel(other, "me")
    engine.cancel(taken[1], "me")
    until(lambda: taken[1].status().finished)
    assert engine.submit(tasks[1], "me").status("me").state == "queued"
    (tmp_path / "go").touch()


def test_one_job_more_than_the_server_takes(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(limits=limits(jobs=3))
    for number in range(3):
        engine.submit(Count(str(tmp_path), f"job{number}"), f"visitor {number}")
    refused = engine.submit(Count(str(tmp_path), "more"), "visitor 4", label="more")
    assert "3 jobs wait or run" in sentence(refused)
    assert "try again in a minute" in sentence(refused)
    joined = engine.submit(Count(str(tmp_path), "job2"), "visitor 4")
    assert not joined.status("visitor 4").finished
    (tmp_path / "go").touch()
    assert joined.result(PATIENCE) == "job2"
    assert engine.submit(Count(str(tmp_path), "more"), "visitor 4").result(PATIENCE) == "more"


def test_a_kept_result_is_never_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(limits=limits(jobs=1, jobs_per_minute=2))
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3
    engine.submit(Count(str(tmp_path), "long"), "me")
    assert isinstance(engine.submit(Add(3, 4), "me").status().error, LimitError)
    for _again in range(10):
        assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3
    (tmp_path / "go").touch()


# --- how many a minute --------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ask(gate: Gate, owner: str, address: str = "") -> ExplorerError | None:
    """One job that ends at once."""
    found = gate.refusal("it", owner, address, 0, 0)
    if found is None:
        gate.admit(owner, address)
    return found


def test_one_job_more_than_a_visitor_may_begin_a_minute(clock: Clock) -> None:
    gate = Gate(limits(jobs_per_minute=3), clock)
    for _number in range(3):
        assert ask(gate, "me") is None
        clock.now += 10
    refused = ask(gate, "me")  # the first was 30 s ago
    assert isinstance(refused, LimitError)
    assert str(refused) == (
        "“it” was not begun: one visitor may begin 3 jobs a minute on this server; try again in "
        "30 s."
    )
    assert ask(gate, "you") is None
    clock.now += 29.5
    assert ask(gate, "me") is not None
    clock.now += 0.5
    assert ask(gate, "me") is None  # refused ones do not count
    assert ask(gate, "me") is not None
    clock.now += 10
    assert ask(gate, "me") is None


def test_one_job_more_than_an_address_may_begin_a_minute(clock: Clock) -> None:
    gate = Gate(limits(jobs_per_minute_per_address=4), clock)
    for number in range(4):
        assert ask(gate, f"visitor {number}", "192.0.2.7") is None
    refused = ask(gate, "visitor 5", "192.0.2.7")
    assert isinstance(refused, LimitError)
    assert "4 jobs a minute" in str(refused)
    assert "try again in 60 s" in str(refused)
    assert ask(gate, "visitor 5", "192.0.2.8") is None
    assert ask(gate, "visitor 6", "") is None  # not known: the visitor's own limit alone
    clock.now += WINDOW_SECONDS
    assert ask(gate, "visitor 5", "192.0.2.7") is None


def test_neither_address_nor_visitor_can_be_read_from_memory_or_log(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(limits(jobs_per_minute_per_address=1), clock)
    with caplog.at_level(0):
        ask(gate, "the visitor", "192.0.2.7")
        ask(gate, "the visitor", "192.0.2.7")
    kept = [*gate._addresses._begun, *gate._owners._begun]
    assert len(kept) == 2
    assert all(len(name) == 16 and b"192" not in name and b"visitor" not in name for name in kept)
    assert "192.0.2.7" not in caplog.text
    # Another process makes another hash of the same address.
    other = Gate(limits(), clock)
    ask(other, "the visitor", "192.0.2.7")
    assert kept[0] not in other._addresses._begun


@pytest.mark.parametrize("jump", [-1e9, -61.0, -1.0])
def test_a_clock_that_is_set_back_locks_nobody_out(clock: Clock, jump: float) -> None:
    window = SlidingWindow(clock, 1)
    window.note(b"me")
    assert window.wait(b"me") == WINDOW_SECONDS
    clock.now += jump
    assert window.wait(b"me") == 0


@pytest.mark.parametrize("jump", [60.0, 3600.0, 1e9])
def test_a_clock_that_jumps_ahead_frees_everybody(clock: Clock, jump: float) -> None:
    window = SlidingWindow(clock, 1)
    window.note(b"me")
    clock.now += jump
    assert window.wait(b"me") == 0
    assert len(window) == 0


def test_memory_is_bounded_however_many_come(clock: Clock) -> None:
    window = SlidingWindow(clock, 3, remembered=100)
    for number in range(10_000):
        window.note(number.to_bytes(4, "big"))
    assert len(window) == 100
    assert sum(len(begun) for begun in window._begun.values()) == 100
    # Whoever came last is remembered.
    for _again in range(2):
        window.note((9999).to_bytes(4, "big"))
    assert window.wait((9999).to_bytes(4, "big")) > 0


def test_the_engine_counts_by_visitor_and_address(make_engine: MakeEngine) -> None:
    clock = Clock()
    engine = make_engine(clock, limits=limits(jobs_per_minute=2, jobs_per_minute_per_address=3))
    for number, owner in enumerate(("me", "me", "you")):
        assert engine.submit(Add(number, 1), owner, address="a").result(PATIENCE) == number + 1
    assert "one visitor may begin 2" in sentence(engine.submit(Add(7, 1), "me", address="b"))
    assert "3 jobs a minute may be" in sentence(engine.submit(Add(7, 1), "you", address="a"))
    clock.now += WINDOW_SECONDS
    assert engine.submit(Add(7, 1), "me", address="a").result(PATIENCE) == 8


# --- how long -----------------------------------------------------------------------------------


def running(engine: BoardEngine, task: Any, owner: str = "me") -> Job:
    job = engine.submit(task, owner, label="long work")
    until(lambda: job.status().state == "running" and job.begun)
    return job


def test_a_job_that_runs_for_too_long_is_stopped_and_has_failed(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    clock = Clock()
    engine = make_engine(clock, job_seconds=60.0, lease=1e9)
    job = running(engine, Count(str(tmp_path), "long"))
    clock.now += 60.0  # as long as it may
    assert not job.wait(0.2)
    clock.now += 0.1
    with pytest.raises(LimitError) as caught:
        job.result(PATIENCE)
    assert str(caught.value) == (
        "“long work” was stopped because a job may run for 60 s on this server; choose a smaller "
        "model or cheaper options, or run it on your own machine (README)."
    )
    assert job.status("me").state == "failed"
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3
    assert engine.info().restarts == 0  # it had listened: the worker lives on


def test_one_that_does_not_listen_loses_its_worker(make_engine: MakeEngine, tmp_path: Path) -> None:
    clock = Clock()
    engine = make_engine(clock, job_seconds=60.0, cancel_grace=5.0, lease=1e9)
    job = running(engine, Deaf(str(tmp_path)))
    until((tmp_path / "deaf").exists)
    clock.now += 60.1
    until(lambda: job.stopped_for)
    clock.now += 5.0
    with pytest.raises(LimitError, match="may run for 60 s"):
        job.result(PATIENCE)
    until(lambda: gone(int((tmp_path / "deaf").read_text())))
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_time_in_the_queue_does_not_count(make_engine: MakeEngine, tmp_path: Path) -> None:
    clock = Clock()
    engine = make_engine(clock, job_seconds=60.0, lease=1e9)
    running(engine, Count(str(tmp_path), "first"))
    waits = engine.submit(Count(str(tmp_path), "second"), "you")
    clock.now += 59.0
    (tmp_path / "go").touch()
    assert waits.result(PATIENCE) == "second"


@pytest.mark.parametrize("jump", [-1e6, -1.0])
def test_a_clock_that_is_set_back_stops_no_job(
    make_engine: MakeEngine, tmp_path: Path, jump: float
) -> None:
    clock = Clock()
    engine = make_engine(clock, job_seconds=60.0, lease=1e9)
    job = running(engine, Count(str(tmp_path), "long"))
    clock.now += jump
    assert not job.wait(0.2)
    (tmp_path / "go").touch()
    assert job.result(PATIENCE) == "long"


def test_whoever_cancels_first_is_told_so(make_engine: MakeEngine, tmp_path: Path) -> None:
    clock = Clock()
    engine = make_engine(clock, job_seconds=60.0, lease=1e9)
    job = running(engine, Count(str(tmp_path), "long"))
    engine.cancel(job, "me")
    clock.now += 61.0
    with pytest.raises(JobCancelled):
        job.result(PATIENCE)


# --- how long yet -------------------------------------------------------------------------------


def test_the_estimate_of_a_wait_comes_from_jobs_of_the_same_kinds(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    clock = Clock()
    engine = make_engine(clock, lease=1e9)
    first = tmp_path / "1"
    first.mkdir()
    job = running(engine, Count(str(first), "first"))
    waiting = engine.submit(Count(str(tmp_path), "second"), "you")
    assert waiting.status("you").position == 1
    assert waiting.status("you").wait_seconds is None  # nothing has ended yet
    clock.now += 8.0
    (first / "go").touch()
    job.result(PATIENCE)
    until(lambda: waiting.status("you").state == "running")
    third = engine.submit(Count(str(tmp_path), "third"), "you")
    fourth = engine.submit(Count(str(tmp_path), "fourth"), "you")
    assert third.status("you").wait_seconds == pytest.approx(8.0)  # the one that runs
    assert fourth.status("you").wait_seconds == pytest.approx(16.0)  # and the third
    clock.now += 3.0
    assert fourth.status("you").wait_seconds == pytest.approx(13.0)
    clock.now += 30.0  # the second takes longer than the first did: it is due now
    assert fourth.status("you").wait_seconds == pytest.approx(8.0)
    assert waiting.status("you").wait_seconds is None  # it runs
    (tmp_path / "go").touch()
    assert fourth.result(PATIENCE) == "fourth"
    assert fourth.status("you").wait_seconds is None
