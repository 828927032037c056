"""Pickle runs code: it serves between our own processes, and nowhere on data."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.catalog import find
from explorer.measurements.store import MeasurementStore
from explorer.settings import get_settings
from explorer.trace import trace_spec
from explorer.tracing import cache
from tests.architecture.test_imports import ROOT, files

# Each with the reason why it may.
MAY_IMPORT = {
    "explorer/engine/channel.py": "messages over the pipe of a worker that the server started",
    "explorer/engine/failures.py": "an error on its way over that pipe",
    "explorer/engine/cluster/parcels.py": "a task on its way to a node, and into its worker",
    "explorer/engine/base.py": "a task on its way over that pipe",
    "explorer/worker.py": "the other end of that pipe",
    "explorer/state_dicts.py": "names UnpicklingError, which torch.load(weights_only=True) raises",
}
UNPICKLERS = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")


def imported(path: Path) -> set[str]:
    """Top names of everything that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """ "a.b" → the call ``….a.b(…)``, or "b" for a bare one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ".".join(ast.unparse(node.func).split(".")[-2:]), node


def test_only_these_import_pickle() -> None:
    found = {str(path.relative_to(ROOT)) for path in files() if imported(path) & set(UNPICKLERS)}
    assert found == set(MAY_IMPORT)


def test_what_names_the_error_alone_unpickles_nothing() -> None:
    names = {name for name, _call in calls(ROOT / "explorer" / "state_dicts.py")}
    assert not {name for name in names if name.startswith("pickle.")}


def unsafe(path: Path) -> list[str]:
    """Calls that may unpickle what lies on the disk."""
    wrong = []
    for name, call in calls(path):
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name == "torch.load" and given.get("weights_only") != "True":
            wrong.append(name)
        if name in ("np.load", "numpy.load") and given.get("allow_pickle") not in (None, "False"):
            wrong.append(name)
        if name.endswith((".read_pickle", ".to_pickle")):
            wrong.append(name)
    return wrong


def test_nothing_that_lies_on_the_disk_is_unpickled() -> None:
    assert not {str(path): unsafe(path) for path in files() if unsafe(path)}


@pytest.mark.parametrize(
    "line",
    ["torch.load(p)", "torch.load(p, weights_only=False)", "np.load(p, allow_pickle=True)",
     "pd.read_pickle(p)"],
)  # fmt: skip
def test_the_search_finds_them(tmp_path: Path, line: str) -> None:
    path = tmp_path / "file.py"
    path.write_text(line, encoding="utf-8")
    assert unsafe(path)


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes]:
    """Where the trap leaves its mark, and its bytes; the caches lie beside it."""
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    get_settings.cache_clear()
    return tmp_path / "sprung", pickle.dumps(Planted(tmp_path / "sprung"), protocol=2)


def test_a_pickle_planted_among_the_traces_is_not_run(trap: tuple[Path, bytes]) -> None:
    mark, data = trap
    spec = find("lenet5")
    made = trace_spec(spec)
    path = cache.path_of(spec.id, spec.input_size)
    assert path.exists()
    assert path.read_bytes()[:2] == b"\x1f\x8b"  # gzip, of JSON
    import gzip

    for planted in (data, gzip.compress(data)):
        path.write_bytes(planted)
        assert trace_spec(spec).total_macs == made.total_macs
    assert not mark.exists()


def test_every_kind_of_cached_file_is_no_pickle(
    trap: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, _data = trap
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{mark.parent / 'kept.db'}")
    get_settings.cache_clear()
    trace_spec(find("lenet5"))
    assert MeasurementStore().count() == 0
    for path in get_settings().cache_dir.rglob("*"):
        if path.is_file():
            assert path.suffix in (".gz", ".lock"), path
    assert (mark.parent / "kept.db").read_bytes()[:15] == b"SQLite format 3"


def test_a_pickle_planted_as_weights_is_not_run(trap: tuple[Path, bytes], tmp_path: Path) -> None:
    from explorer.errors import WeightsUnavailableError
    from explorer.state_dicts import read_state_dict, set_aside

    mark, data = trap
    for name in ("w.pth", "w.safetensors", "w.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        with (
            pytest.raises(WeightsUnavailableError),
            set_aside(path, "the weights", refetchable=True),
        ):
            read_state_dict(path)
    assert not mark.exists()


def test_a_pickle_planted_as_a_numpy_file_is_not_run(tmp_path: Path) -> None:
    # The default of numpy, which the search above relies on.
    np.save(tmp_path / "a.npy", np.array([Planted(tmp_path / "sprung")], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        np.load(tmp_path / "a.npy")
    assert not (tmp_path / "sprung").exists()
