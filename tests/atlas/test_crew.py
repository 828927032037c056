"""Items through engines: bounds, lost workers, errors, an end in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from explorer.atlas.crew import Bounds, Crew, Outcome
from explorer.engine.local import EngineOptions, LocalEngine
from explorer.errors import AtlasError, ExplorerError, ImageError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Work:
    """Leaves its mark, then does what its name says."""

    folder: str
    name: str

    def key(self) -> str:
        return ""

    def run(self, context: Any) -> str:
        with Path(self.folder, self.name).open("a") as file:
            file.write("x")
        if self.name.startswith("die"):
            os._exit(3)
        if self.name.startswith("once") and len(Path(self.folder, self.name).read_text()) == 1:
            os._exit(3)
        if self.name.startswith("sleep"):
            time.sleep(60)
        if self.name.startswith("wait"):
            time.sleep(1)
        if self.name.startswith("eat"):
            self._eat()
        if self.name.startswith("raise"):
            raise ImageError("This is no image.")
        return self.name

    def _eat(self) -> None:
        pieces = []
        for _ in range(600):
            pieces.append(bytearray(os.urandom(10**6)))
            time.sleep(0.01)


@pytest.fixture
def engines() -> Iterator[list[LocalEngine]]:
    options = EngineOptions(preload=False, python_path=(ROOT,), cancel_grace=0.2, tick=0.05)
    found = [LocalEngine(options) for _ in range(2)]
    yield found
    for engine in found:
        engine.shutdown()


def run(
    engines: list[LocalEngine], folder: Path, names: list[str], bounds: Bounds | None = None
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}

    def done(place: int, outcome: Outcome) -> None:
        assert names[place] not in found
        found[names[place]] = outcome

    Crew(engines, bounds).run(
        range(len(names)), lambda place: Work(str(folder), names[place]), done
    )
    return found


def test_every_item_ends_once(engines: list[LocalEngine], tmp_path: Path) -> None:
    names = ["a", "raise", "b", "die", "once", "c", "d"]
    found = run(engines, tmp_path, names)
    assert set(found) == set(names)
    assert {name for name in names if found[name].error is None} == {"a", "b", "c", "d", "once"}
    assert found["a"].found == "a"
    assert str(found["raise"].error) == "This is no image."
    assert "exit status 3" in str(found["die"].error)
    # Lost once: tried again; lost twice: the item's own fault.
    marks = {name: len((tmp_path / name).read_text()) for name in names}
    assert marks == {"a": 1, "raise": 1, "b": 1, "die": 2, "once": 2, "c": 1, "d": 1}


def test_what_takes_too_long_is_ended(engines: list[LocalEngine], tmp_path: Path) -> None:
    found = run(engines, tmp_path, ["sleep", "a", "b"], Bounds(seconds=1.0))
    assert str(found["sleep"].error) == "It took longer than 1 s and was ended."
    assert found["a"].found == "a"
    assert found["b"].found == "b"


def test_what_takes_too_much_memory_is_ended(engines: list[LocalEngine], tmp_path: Path) -> None:
    found = run(engines[:1], tmp_path, ["eat", "a"], Bounds(memory_bytes=250 * 10**6))
    assert "more memory than the 0.2 GB" in str(found["eat"].error)
    assert found["a"].found == "a"
    assert (tmp_path / "eat").read_text() == "xx"  # tried in a fresh worker, too


def test_a_task_that_cannot_be_made_is_an_outcome(
    engines: list[LocalEngine], tmp_path: Path
) -> None:
    found: dict[int, ExplorerError | None] = {}

    def make(place: int) -> Work:
        if place < 3:
            raise AtlasError("No weights.")
        return Work(str(tmp_path), "a")

    Crew(engines).run(range(5), make, lambda place, outcome: found.update({place: outcome.error}))
    assert [str(found[place]) for place in range(3)] == ["No weights."] * 3
    assert found[3] is found[4] is None


def test_an_end_in_the_middle_leaves_nothing_running(
    engines: list[LocalEngine], tmp_path: Path
) -> None:
    def stop(_place: int, _outcome: Outcome) -> None:
        raise KeyboardInterrupt

    names = ["a", "sleep"]
    with pytest.raises(KeyboardInterrupt):
        Crew(engines).run(range(2), lambda place: Work(str(tmp_path), names[place]), stop)
    deadline = time.monotonic() + 10
    while any(engine.info().running for engine in engines):
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Elsewhere:
    """Another engine's face: its worker, on another machine, seems to take all memory."""

    def __init__(self, engine: LocalEngine, pid: int) -> None:
        self._engine, self._pid = engine, pid

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def info(self) -> Any:
        return replace(self._engine.info(), worker_pid=self._pid, worker_memory_bytes=10**15)


def test_a_process_of_another_engine_is_left_alone(
    engines: list[LocalEngine], tmp_path: Path
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        other: Any = Elsewhere(engines[0], bystander.pid)
        found = run([other], tmp_path, ["wait"], Bounds(memory_bytes=1))
        assert found["wait"].found == "wait"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
