from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from explorer.engine import get_engine, set_engine
from explorer.engine.base import BoardEngine
from explorer.engine.local import LocalEngine
from explorer.errors import ExplorerError, ImageError, JobCancelled, WorkerLostError
from tests.engine import fakes
from tests.engine.conftest import MakeEngine
from tests.engine.fakes import Add, Call, Count, Deaf, LullAfter, Steps
from tests.engine.waiting import PATIENCE, Clock, gone, until


def runs(folder: Path, name: str) -> int:
    file = folder / f"{name}.runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


def go(folder: Path) -> None:
    (folder / "go").touch()


# --- results, sharing, keeping ------------------------------------------------------------------


def test_a_result_comes_from_another_process(shared_engine: BoardEngine) -> None:
    job = shared_engine.submit(Call(os.getpid), "me")
    assert job.result(PATIENCE) == shared_engine.info().worker_pid != os.getpid()


def test_ten_identical_requests_run_once(shared_engine: BoardEngine, tmp_path: Path) -> None:
    barrier = threading.Barrier(10)
    found = []

    def ask(number: int) -> None:
        barrier.wait()
        job = shared_engine.submit(Count(str(tmp_path), "same"), f"owner {number}")
        found.append((job, job.result(PATIENCE)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    until(lambda: runs(tmp_path, "same"))
    go(tmp_path)
    for thread in threads:
        thread.join(PATIENCE)
    assert [result for _job, result in found] == ["same"] * 10
    assert runs(tmp_path, "same") == 1


def test_a_kept_result_is_found_and_not_computed_again(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    go(tmp_path)
    task = Count(str(tmp_path), "kept")
    assert shared_engine.find(task.key()) is None
    assert shared_engine.submit(task, "me").result(PATIENCE) == "kept"
    assert shared_engine.find(task.key()) == "kept"
    again = shared_engine.submit(task, "you")
    assert again.status("you").state == "done"
    assert runs(tmp_path, "kept") == 1


def test_a_task_without_a_key_is_neither_shared_nor_kept(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    task = Count(str(tmp_path), "timing", shared=False)
    first, second = (shared_engine.submit(task, "me") for _time in range(2))
    assert first is not second
    assert first.id != second.id
    go(tmp_path)
    assert (first.result(PATIENCE), second.result(PATIENCE)) == ("timing", "timing")
    assert runs(tmp_path, "timing") == 2
    assert shared_engine.find("") is None


def test_a_task_that_is_not_to_be_kept_is_run_again(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    go(tmp_path)
    for _time in range(2):
        task = fakes.CountUnkept(str(tmp_path), "unkept")
        assert shared_engine.submit(task, "me").result(PATIENCE) == "unkept"
    assert runs(tmp_path, "unkept") == 2


def test_kept_results_stay_within_the_budget(make_engine: MakeEngine) -> None:
    engine = make_engine(cache_bytes=5000)
    for number in range(8):
        engine.submit(fakes.Blob(number, 2000), "me").result(PATIENCE)
    info = engine.info()
    assert info.cached_results == 2  # 2 × (2,000 bytes + pickle's frame) ≤ 5,000 < 3 ×
    assert 4000 <= info.cached_bytes <= 5000
    assert engine.find(fakes.Blob(7, 2000).key()) is not None
    assert engine.find(fakes.Blob(0, 2000).key()) is None


def test_owners_take_turns(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    folder = str(tmp_path)
    jobs = [engine.submit(Count(folder, "first"), "A")]
    until(lambda: jobs[0].status().state == "running")
    jobs += [engine.submit(Count(folder, name), "A") for name in ("a1", "a2", "a3")]
    jobs += [
        engine.submit(Count(folder, name), owner) for name, owner in (("b1", "B"), ("c1", "C"))
    ]
    assert [job.status().position for job in jobs] == [0, 3, 4, 5, 1, 2]
    assert engine.info().queued == 5
    go(tmp_path)
    for job in jobs:
        job.result(PATIENCE)
    assert (tmp_path / "order").read_text().split() == ["first", "b1", "c1", "a1", "a2", "a3"]


# --- progress -----------------------------------------------------------------------------------


def test_the_last_step_arrives_although_steps_are_thinned_out(shared_engine: BoardEngine) -> None:
    job = shared_engine.submit(Steps(20_000), "me")
    assert job.result(PATIENCE) == 20_000
    status = job.status()
    assert (status.partial, status.fraction, status.stage) == (20_000, 1.0, "Stepping")


def test_the_last_step_before_a_lull_arrives(shared_engine: BoardEngine, tmp_path: Path) -> None:
    job = shared_engine.submit(LullAfter(str(tmp_path), 50), "me")
    until(lambda: job.status("me").partial == 50)
    assert job.status("me").state == "running"
    assert job.status("me").fraction == 1.0
    go(tmp_path)
    job.result(PATIENCE)


# --- cancelling ---------------------------------------------------------------------------------


def test_cancel_stops_a_running_task_and_the_next_one_runs_in_the_same_worker(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    job = shared_engine.submit(Count(str(tmp_path), "long"), "me")
    until(lambda: job.status("me").partial is not None)
    pid = shared_engine.info().worker_pid
    shared_engine.cancel(job, "me")
    assert job.status("me").state == "cancelled"  # told at once
    with pytest.raises(JobCancelled):
        job.result(PATIENCE)
    assert shared_engine.submit(Add(1, 1, "after cancel"), "me").result(PATIENCE) == 2
    assert shared_engine.info().worker_pid == pid


def test_cancel_is_for_one_owner(shared_engine: BoardEngine, tmp_path: Path) -> None:
    task = Count(str(tmp_path), "two")
    job = shared_engine.submit(task, "A")
    assert shared_engine.submit(task, "B") is job
    until(lambda: job.status("B").state == "running")
    shared_engine.cancel(job, "A")
    assert job.status("A").state == "cancelled"
    assert job.status("B").state == "running"
    go(tmp_path)
    assert job.result(PATIENCE) == "two"


def test_a_cancelled_task_can_be_asked_for_again_at_once(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    task = Count(str(tmp_path), "again")
    first = shared_engine.submit(task, "me")
    until(lambda: runs(tmp_path, "again"))
    shared_engine.cancel(first, "me")
    second = shared_engine.submit(task, "me")
    assert second is not first
    go(tmp_path)
    assert second.result(PATIENCE) == "again"
    assert first.status().state == "cancelled"


def test_a_task_that_waits_is_cancelled_without_running(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    running = shared_engine.submit(Count(str(tmp_path), "runs"), "me")
    waiting = shared_engine.submit(Count(str(tmp_path), "waits"), "me")
    shared_engine.cancel(waiting, "me")
    assert waiting.wait(0)
    go(tmp_path)
    running.result(PATIENCE)
    assert runs(tmp_path, "waits") == 0


def test_a_deaf_task_costs_its_worker_and_the_next_one_runs(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine(cancel_grace=0.1)
    job = engine.submit(Deaf(str(tmp_path)), "me")
    until((tmp_path / "deaf").exists)
    pid = engine.info().worker_pid
    assert pid is not None
    engine.cancel(job, "me")
    assert job.wait(PATIENCE)
    assert job.status().state == "cancelled"
    assert gone(pid)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3
    assert engine.info().restarts == 1


def test_silent_owners_lose_their_job(make_engine: MakeEngine, tmp_path: Path) -> None:
    clock = Clock()
    engine = make_engine(clock)
    job = engine.submit(Count(str(tmp_path), "left"), "gone")
    other = engine.submit(Count(str(tmp_path), "kept"), "here")
    until(lambda: runs(tmp_path, "left"))
    for seconds in (10, 6):
        engine.reap()
        clock.now += seconds
    other.status("here")
    engine.reap()
    assert job.wait(PATIENCE)
    assert job.status().state == "cancelled"
    until(lambda: other.status("here").state == "running")
    go(tmp_path)
    assert other.result(PATIENCE) == "kept"


def test_the_engine_looks_for_silent_owners_by_itself(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    clock = Clock()
    engine = make_engine(clock)
    job = engine.submit(Count(str(tmp_path), "left"), "gone")
    until(lambda: runs(tmp_path, "left"))

    def cancelled() -> bool:
        clock.now += 1  # in steps: all at once would be a process that was stopped
        return job.status().state == "cancelled"

    until(cancelled)


def test_leaving_a_page_ends_what_nobody_else_waits_for(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    folder = str(tmp_path)
    stays, shared, mine = (Count(folder, name) for name in ("stays", "shared", "mine"))
    jobs = [engine.submit(task, "me") for task in (mine, stays, shared)]
    engine.submit(shared, "you")
    until(lambda: jobs[0].status().state == "running")
    engine.release("me", {jobs[1].id})
    assert jobs[0].wait(PATIENCE)
    go(tmp_path)
    assert [job.wait(PATIENCE) and job.status().state for job in jobs] == [
        "cancelled",
        "done",
        "done",
    ]


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "kind", "sentence"),
    [
        (fakes.raise_explorer_error, ImageError, "The file a.txt is not an image; choose another."),
        (
            fakes.raise_value_error,
            ExplorerError,
            "“the test” failed (ValueError: no such thing); try again or with other options, the "
            "log has the details.",
        ),
        (fakes.raise_unpicklable, ExplorerError, "The value <function raise_unpicklable"),
        (fakes.raise_memory_error, ExplorerError, "“the test” ran out of memory (MemoryError);"),
        (fakes.raise_torch_cpu_oom, ExplorerError, "“the test” ran out of memory (RuntimeError: "),
        (fakes.unpicklable_result, ExplorerError, "“the test” failed (AttributeError: Can't "),
        (fakes.unreadable_result, ExplorerError, "A result could not be read (RuntimeError: made"),
        (fakes.system_exit, ExplorerError, "“the test” failed (SystemExit: 4); try again"),
    ],
)
def test_a_task_that_raises_gives_one_sentence_and_the_next_one_runs(
    shared_engine: BoardEngine, function: Callable[[], object], kind: type, sentence: str
) -> None:
    before = shared_engine.submit(Call(os.getpid), "me").result(PATIENCE)
    job = shared_engine.submit(Call(function), "me", label="the test")
    assert job.wait(PATIENCE)
    error = job.status().error
    assert type(error) is kind
    assert str(error).startswith(sentence)
    assert "\n" not in str(error)
    with pytest.raises(ExplorerError):
        job.result()
    assert shared_engine.submit(Call(os.getpid), "me").result(PATIENCE) == before


def test_an_error_keeps_its_values_for_translation(shared_engine: BoardEngine) -> None:
    job = shared_engine.submit(Call(fakes.raise_explorer_error), "me")
    assert job.wait(PATIENCE)
    error = job.status().error
    assert error is not None
    assert error.values == {"name": "a.txt"}
    assert error.text(lambda message: "«{name}»") == "«a.txt»"


def test_the_traceback_of_an_unexpected_error_is_in_the_log(
    shared_engine: BoardEngine, caplog: pytest.LogCaptureFixture
) -> None:
    job = shared_engine.submit(Call(fakes.raise_value_error), "me", label="the test")
    assert job.wait(PATIENCE)
    assert "“the test” failed" in caplog.text
    assert 'raise ValueError("no such thing' in caplog.text


def test_failures_are_not_kept(shared_engine: BoardEngine) -> None:
    task = Call(fakes.raise_value_error, "fails")
    first = shared_engine.submit(task, "me")
    assert first.wait(PATIENCE)
    assert shared_engine.find("fails") is None
    second = shared_engine.submit(task, "me")
    assert second is not first
    assert second.wait(PATIENCE)


def test_a_task_that_cannot_be_sent_has_failed(shared_engine: BoardEngine) -> None:
    job = shared_engine.submit(Call(lambda: 0), "me", label="the test")
    assert job.wait(0)
    assert "“the test” failed" in str(job.status().error)
    assert shared_engine.submit(Add(2, 2, "after"), "me").result(PATIENCE) == 4


def test_a_worker_that_is_killed_gives_one_sentence_and_the_next_job_runs(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    job = engine.submit(Deaf(str(tmp_path)), "me", label="the test")
    follower = engine.submit(Add(1, 2), "you")
    until((tmp_path / "deaf").exists)
    pid = engine.info().worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert job.wait(PATIENCE)
    error = job.status().error
    assert isinstance(error, WorkerLostError)
    assert str(error) == (
        "The worker process ended while it ran “the test” (SIGKILL) and was started again; try "
        "once more, with a smaller model or batch if memory is short."
    )
    assert follower.result(PATIENCE) == 3
    assert engine.info().worker_pid not in (pid, None)
    assert engine.info().restarts == 1


def test_a_worker_that_leaves_by_itself_is_replaced(make_engine: MakeEngine) -> None:
    engine = make_engine()
    job = engine.submit(Call(fakes.leave), "me")
    assert job.wait(PATIENCE)
    assert "(exit status 3)" in str(job.status().error)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_a_worker_killed_between_two_jobs_costs_neither(make_engine: MakeEngine) -> None:
    engine = make_engine()
    for number in range(3):
        assert engine.submit(Add(number, 2), "me").result(PATIENCE) == number + 2
        pid = engine.info().worker_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def test_a_worker_killed_while_idle_is_replaced_without_being_asked(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    engine.warm_up()
    until(lambda: engine.info().worker == "idle")
    pid = engine.info().worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: engine.info().worker == "idle" and engine.info().worker_pid != pid)


def test_a_crash_in_native_code_leaves_its_trace_in_the_log(
    make_engine: MakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine()
    job = engine.submit(Call(fakes.segfault), "me")
    assert job.wait(PATIENCE)
    assert "(SIGSEGV)" in str(job.status().error)
    assert "in segfault" in caplog.text  # faulthandler names the frame


# --- starting -----------------------------------------------------------------------------------

BROKEN = (sys.executable, "-c", "import sys; sys.stderr.write('broken install\\n'); sys.exit(7)")


def test_a_worker_that_cannot_start_is_tried_three_times(
    make_engine: MakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(command=BROKEN)
    jobs = [engine.submit(Add(1, number), "me", label="adding") for number in range(2)]
    for job in jobs:
        assert job.wait(PATIENCE)
    assert str(jobs[1].status().error) == (
        "“adding” cannot run because the worker process ended 3 times while it started (exit "
        "status 7); see “explorer.worker” in the server's log and restart the app."
        if isinstance(engine, LocalEngine)
        else "“adding” cannot run because no node of the cluster can be used (one: exit status 7); "
        "mend or add one, or set EXPLORER_ENGINE=local."
    )
    said = [r for r in caplog.records if r.getMessage() == "broken install"]
    assert [record.name for record in said] == ["explorer.worker"] * 3
    assert engine.info().worker == "broken"
    engine.warm_up()
    later = engine.submit(Add(5, 5), "me")
    assert later.wait(0)
    assert type(later.status().error) is type(jobs[1].status().error)
    engine.shutdown()


def test_a_program_that_is_not_there(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(command=(str(tmp_path / "no-python"),))
    job = engine.submit(Add(1, 2), "me")
    assert job.wait(PATIENCE)
    assert "No such file" in str(job.status().error)


def test_a_worker_that_hangs_while_starting_is_ended(make_engine: MakeEngine) -> None:
    hang = (sys.executable, "-c", "import time; time.sleep(1000)")
    engine = make_engine(command=hang, start_limit=0.05)
    job = engine.submit(Add(1, 2), "me")
    assert job.wait(PATIENCE)
    assert "SIGKILL" in str(job.status().error)


def test_a_start_that_works_in_the_end_forgets_the_others(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    script = tmp_path / "flaky.py"
    script.write_text(
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'starts')!r})\n"
        "starts = len(mark.read_text()) if mark.exists() else 0\n"
        "mark.write_text('x' * (starts + 1))\n"
        "if starts % 3 < 2: sys.exit(1)\n"  # two failures, then one that works, and again
        "from explorer.worker import main\n"
        "main()\n"
    )
    engine = make_engine(command=(sys.executable, str(script)))
    for number in range(2):
        job = engine.submit(Call(fakes.leave), "me")
        assert job.wait(PATIENCE)
        assert "(exit status 3)" in str(job.status().error), number
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3
    assert (tmp_path / "starts").read_text() == "x" * 9


def test_a_fault_of_the_engine_costs_one_job(make_engine: MakeEngine, tmp_path: Path) -> None:
    script = tmp_path / "odd.py"
    script.write_text(
        "import pathlib, pickle, sys\n"
        "import explorer.worker as worker\n"
        f"mark = pathlib.Path({str(tmp_path / 'starts')!r})\n"
        "if mark.exists(): worker.main(); sys.exit()\n"
        "mark.touch()\n"
        "channel = worker._take_over_pipes()\n"
        "channel.send('ready', pickle.dumps(None))\n"
        "_kind, number, *_rest = channel.receive()\n"
        "channel.send('done', number)\n"  # without a result: no worker of ours would
        "channel.receive()\n"
    )
    engine = make_engine(command=(sys.executable, str(script)))
    job = engine.submit(Add(1, 2), "me", label="the test")
    assert job.wait(PATIENCE)
    assert "“the test” failed (IndexError" in str(job.status().error)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_lost_workers_leave_no_open_files(make_engine: MakeEngine) -> None:
    engine = make_engine()
    own = psutil.Process()
    counts = []
    for _time in range(4):
        assert engine.submit(Call(fakes.leave), "me").wait(PATIENCE)
        until(lambda: engine.info().worker == "idle")
        counts.append(own.num_fds() if hasattr(own, "num_fds") else own.num_handles())
    assert counts[1:] == counts[:-1]


# --- ending -------------------------------------------------------------------------------------


def test_shutdown_cancels_all_and_leaves_no_process(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    running = engine.submit(Count(str(tmp_path), "runs"), "me")
    waiting = engine.submit(Count(str(tmp_path), "waits"), "me")
    until(lambda: runs(tmp_path, "runs"))
    pid = engine.info().worker_pid
    assert pid is not None
    engine.shutdown()
    assert [job.wait(0) and job.status().state for job in (running, waiting)] == ["cancelled"] * 2
    assert not psutil.pid_exists(pid)
    assert engine.info().worker == "stopped"
    late = engine.submit(Add(1, 2), "me")
    assert "shutting down" in str(late.status().error)
    engine.warm_up()
    engine.shutdown()


def test_shutdown_ends_a_deaf_task_too(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(stop_grace=0.1)
    job = engine.submit(Deaf(str(tmp_path)), "me")
    until((tmp_path / "deaf").exists)
    pid = engine.info().worker_pid
    assert pid is not None
    engine.shutdown()
    assert job.status().state == "cancelled"
    assert not psutil.pid_exists(pid)


def test_shutdown_while_a_worker_starts(make_engine: MakeEngine) -> None:
    hang = (sys.executable, "-c", "import time; time.sleep(1000)")
    engine = make_engine(command=hang)
    job = engine.submit(Add(1, 2), "me")
    until(lambda: engine.info().worker_pid is not None)
    pid = engine.info().worker_pid
    assert pid is not None
    engine.shutdown()
    assert job.status().state == "cancelled"
    assert not psutil.pid_exists(pid)


def test_an_engine_that_was_never_used_ends_at_once(make_engine: MakeEngine) -> None:
    engine = make_engine()
    info = engine.info()
    assert (info.worker, info.worker_pid, info.restarts) == ("stopped", None, 0)
    engine.shutdown()


# --- the process's engine -----------------------------------------------------------------------


def test_one_engine_per_process_from_any_thread() -> None:
    before = set_engine(None)
    try:
        found = []
        threads = [threading.Thread(target=lambda: found.append(get_engine())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(engine) for engine in found}) == 1
        assert found[0].info().worker == "stopped"  # no process until there is something to do
    finally:
        made = set_engine(before)
        assert made is not None
        made.shutdown()
