from __future__ import annotations

import math
import threading

import pytest

from explorer.engine.board import JobBoard
from explorer.engine.jobs import SMOOTHING_SECONDS, Job, Pace
from explorer.errors import ExplorerError, JobCancelled
from tests.engine.waiting import Clock, until


def board(clock: Clock) -> JobBoard:
    return JobBoard(clock, lease_seconds=15)


def test_a_steady_pace_gives_the_time_left() -> None:
    pace = Pace()
    pace.update(0.0, 10.0)
    assert pace.eta(10.0) is None
    for second in range(1, 4):
        pace.update(second / 10, 10.0 + second)
    assert pace.eta(13.0) == pytest.approx(7.0)  # 0.7 left at 0.1 a second
    assert pace.eta(15.0) == pytest.approx(5.0)  # two seconds later without news
    assert pace.eta(99.0) == 0.0


def test_a_change_of_pace_is_followed_smoothly() -> None:
    pace = Pace()
    pace.update(0.0, 0.0)
    pace.update(0.1, 1.0)  # 0.1 a second
    pace.update(0.1 + 0.4, 3.0)  # 0.2 a second for 2 s
    weight = 1 - math.exp(-2 / SMOOTHING_SECONDS)
    rate = 0.1 + weight * (0.2 - 0.1)
    assert pace.eta(3.0) == pytest.approx(0.5 / rate)


def test_a_fraction_that_falls_back_starts_anew() -> None:
    pace = Pace()
    pace.update(0.0, 0.0)
    pace.update(0.9, 1.0)
    pace.update(0.0, 2.0)  # another stage
    assert pace.eta(2.0) is None
    pace.update(0.25, 3.0)
    assert pace.eta(3.0) == pytest.approx(3.0)  # 0.75 left at 0.25 a second


def test_two_reports_at_one_moment_divide_by_nothing() -> None:
    pace = Pace()
    pace.update(0.1, 1.0)
    pace.update(0.2, 1.0)
    assert pace.fraction == 0.2
    assert pace.eta(1.0) is None


def test_fractions_are_kept_between_0_and_1() -> None:
    pace = Pace()
    pace.update(7.0, 1.0)
    assert pace.fraction == 1.0


def test_status_from_queue_to_end() -> None:
    clock = Clock()
    jobs = board(clock)
    job = Job(jobs, "key", "test")
    jobs.add(job, "me")
    clock.now += 2
    status = job.status()
    assert (status.state, status.position, status.elapsed_seconds) == ("queued", 1, 2.0)
    jobs.take()
    job.progress(0.0, "Loading", None)
    clock.now += 4
    job.progress(0.5, "Loading", "half")
    status = job.status()
    assert (status.state, status.position, status.fraction) == ("running", 0, 0.5)
    assert (status.stage, status.partial, status.elapsed_seconds) == ("Loading", "half", 4.0)
    assert status.eta_seconds == pytest.approx(4.0)  # half in 4 s
    job.progress(None, "Computing", None)
    status = job.status()
    assert (status.fraction, status.eta_seconds, status.partial) == (None, None, "half")
    assert not status.finished
    jobs.finish(job, "done", 42)
    clock.now += 100
    status = job.status()
    assert (status.state, status.fraction, status.elapsed_seconds) == ("done", 1.0, 4.0)
    assert status.finished
    assert job.result() == 42


def test_a_job_ends_once() -> None:
    jobs = board(Clock())
    job = Job(jobs, "key", "test")
    jobs.add(job, "me")
    jobs.finish(job, "done", 1)
    jobs.finish(job, "failed", error=ExplorerError("no"))
    assert (job.status().state, job.result()) == ("done", 1)


def test_result_raises_what_ended_the_job() -> None:
    jobs = board(Clock())
    failed, cancelled = Job(jobs, "a", "test"), Job(jobs, "b", "test")
    failed.finish("failed", error=ExplorerError("The value {v} is odd; choose another.", v=3))
    with pytest.raises(ExplorerError, match="The value 3 is odd"):
        failed.result()
    jobs.add(cancelled, "me")
    jobs.leave(cancelled, "me")
    with pytest.raises(JobCancelled):
        cancelled.result()


def test_result_of_a_job_that_goes_on_times_out() -> None:
    jobs = board(Clock())
    job = Job(jobs, "key", "naming")
    jobs.add(job, "me")
    assert job.wait(0) is False
    with pytest.raises(TimeoutError, match="naming"):
        job.result(timeout=0)


def test_whoever_waits_in_wait_is_not_given_up() -> None:
    clock = Clock()
    jobs = board(clock)
    job = Job(jobs, "key", "test")
    jobs.add(job, "me")
    thread = threading.Thread(target=job.wait)
    thread.start()
    until(lambda: job.waiting)
    clock.now += 1000
    with jobs.lock:
        jobs.lapse()
    assert job.status().state == "queued"
    with jobs.lock:
        jobs.finish(job, "done", 1)
    thread.join()


def test_after_a_wait_the_lease_begins_again() -> None:
    clock = Clock()
    jobs = board(clock)
    job = Job(jobs, "key", "test")
    jobs.add(job, "me")
    clock.now += 14
    job.wait(0)
    clock.now += 14
    jobs.lapse()
    assert job.status().state == "queued"


def test_two_reports_that_are_read_at_once_give_no_rate() -> None:
    pace = Pace()
    pace.update(0.0, 100.0)
    pace.update(0.01, 100.0001)  # out of one pipe: 100 a second, were it taken for a rate
    assert pace.eta(100.0001) is None
    pace.update(0.02, 102.0)
    assert pace.eta(102.0) == pytest.approx(98.0)  # 0.02 in 2 s: 0.98 / 0.01
