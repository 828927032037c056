from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from explorer.engine.base import BoardEngine
from tests.engine import fakes
from tests.engine.conftest import ON_THIS_MACHINE, ROOT, MakeEngine
from tests.engine.fakes import Add, Call, Count
from tests.engine.waiting import PATIENCE, gone, until

PREAMBLE = """
import os, pathlib, signal, sys, time
from explorer.engine import get_engine, set_engine
from explorer.engine.local import EngineOptions, LocalEngine
from tests.engine.fakes import Add, Count, Deaf
folder = pathlib.Path(sys.argv[1])
set_engine(LocalEngine(EngineOptions(preload=False, python_path=(pathlib.Path.cwd(),))))
engine = get_engine()
job = engine.submit(Deaf(str(folder)), "me")
while not (folder / "deaf").exists():
    time.sleep(0.01)
"""


def run_server(folder: Path, end: str) -> subprocess.CompletedProcess[str]:
    """A process with an engine in the middle of a task that never ends by itself."""
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(end), str(folder)],
        cwd=ROOT,
        timeout=PATIENCE * 2,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_worker_ends_in_the_middle_of_a_task_when_its_server_is_killed(tmp_path: Path) -> None:
    done = run_server(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    worker = int((tmp_path / "deaf").read_text())
    until(lambda: gone(worker), "for the worker's end")


def test_a_server_that_forgets_to_shut_down_ends_its_worker_at_exit(tmp_path: Path) -> None:
    done = run_server(tmp_path, "print('over')")
    assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr
    assert gone(int((tmp_path / "deaf").read_text()))


def test_what_a_task_prints_goes_to_the_log_and_its_input_is_empty(
    shared_engine: BoardEngine, caplog: pytest.LogCaptureFixture
) -> None:
    job = shared_engine.submit(Call(fakes.noise), "me")
    assert job.result(PATIENCE) == ""
    until(lambda: "written by a library" in caplog.messages)
    assert "printed by a task" in caplog.messages
    assert {r.name for r in caplog.records if "by a" in r.getMessage()} == {"explorer.worker"}


def test_log_records_of_the_worker_keep_their_name_and_level(
    shared_engine: BoardEngine, caplog: pytest.LogCaptureFixture
) -> None:
    shared_engine.submit(Call(fakes.log_something), "me").result(PATIENCE)
    until(lambda: ("some.library", 40, "an error: 100 %") in caplog.record_tuples)


def test_ctrl_c_in_the_terminal_is_left_to_the_server(
    shared_engine: BoardEngine, tmp_path: Path
) -> None:
    job = shared_engine.submit(Count(str(tmp_path), "goes on"), "me")
    until(lambda: job.status("me").partial is not None)
    pid = shared_engine.info().worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    (tmp_path / "go").touch()
    assert job.result(PATIENCE) == "goes on"
    assert shared_engine.info().worker_pid == pid


def test_threads_are_those_of_the_setting(make_engine: MakeEngine) -> None:
    engine = make_engine(threads=3)
    assert engine.submit(Call(fakes.threads_wanted), "me").result(PATIENCE) == "3"


@ON_THIS_MACHINE
def test_threads_follow_the_environment_where_the_setting_is_silent(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert make_engine().submit(Call(fakes.threads_wanted), "me").result(PATIENCE) == "5"


@ON_THIS_MACHINE
def test_threads_are_the_physical_cores_otherwise(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("psutil.cpu_count", lambda logical: None if logical else 7)
    assert make_engine().submit(Call(fakes.threads_wanted), "me").result(PATIENCE) == "7"


@ON_THIS_MACHINE
def test_kernels_of_networks_that_are_gone_are_bounded_unless_somebody_says_how(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    assert make_engine().submit(Call(fakes.kernels_kept), "me").result(PATIENCE) == "256"
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "2048")
    assert make_engine().submit(Call(fakes.kernels_kept), "me").result(PATIENCE) == "2048"


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no priorities of this kind on Windows")
@pytest.mark.parametrize("nice", [0, 5])
def test_a_worker_gives_way_as_it_is_told(make_engine: MakeEngine, nice: int) -> None:
    engine = make_engine(nice=nice)
    found = engine.submit(Call(fakes.niceness), "me").result(PATIENCE)
    assert found == min(os.nice(0) + nice, 19)


def test_a_worker_imports_torch_only_for_those_who_need_it(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.submit(Add(1, 2), "me").result(PATIENCE)
    loaded = engine.submit(Call(fakes.loaded_modules), "me").result(PATIENCE)
    assert "torch" not in loaded
    assert "explorer.worker" not in loaded  # it runs as the main program, once
    assert "streamlit" not in loaded


def test_warming_up_names_the_device_before_any_task(make_engine: MakeEngine) -> None:
    engine = make_engine(preload=True)
    assert engine.info().device is None
    engine.warm_up()
    until(lambda: engine.info().worker == "idle")
    info = engine.info()
    assert info.device is not None
    assert info.device.kind == "cpu"  # the tests set EXPLORER_DEVICE
    assert info.device.name
    assert info.worker_memory_bytes > 0
    assert "torch" in engine.submit(Call(fakes.loaded_modules), "me").result(PATIENCE)


def test_a_device_that_is_not_there_is_told_and_other_tasks_run(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_DEVICE", "abacus")
    engine = make_engine(preload=True)
    engine.warm_up()
    until(lambda: engine.info().worker == "idle")
    assert engine.info().device is None
    assert "abacus" in str(engine.info().device_error)
    assert engine.submit(Add(1, 2), "me").result(PATIENCE) == 3


def test_a_task_that_needs_a_module_that_the_worker_lacks_fails_in_one_sentence(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine(python_path=())  # the project's folder is still there, so is ``tests``
    job = engine.submit(fakes.elsewhere(), "me", label="the test")
    assert job.wait(PATIENCE)
    assert "No module named 'nowhere_to_be_found'" in str(job.status().error)
