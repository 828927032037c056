"""Where a session's own weights lie: for this user only, bounded, and gone with the session."""

from __future__ import annotations

import gc
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import own_weights
from explorer.errors import OwnWeightsError
from explorer.own_weights import MOST_FILES, SessionFolder, folder, sweep
from explorer.settings import get_settings


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_MAX_WEIGHTS_MB", "1")
    get_settings.cache_clear()


def file(value: float = 0.0, count: int = 10) -> memoryview:
    return memoryview(save({"a": np.full(count, value, np.float32)}))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_this_user_reads_it_and_nobody_guesses_where() -> None:
    session, other = SessionFolder(), SessionFolder()
    kept = session.keep("own.safetensors", file())
    path = Path(kept.path)
    assert kept.id == f"own-{path.stem[:6]}"
    assert mode(path) == 0o600
    assert mode(path.parent) == mode(path.parent.parent) == 0o700
    token = path.parent.name
    assert len(token) == 32
    assert token != other.path.name
    assert kept.id[4:] not in token


def test_it_is_gone_with_the_session() -> None:
    session = SessionFolder()
    path = Path(session.keep("own.safetensors", file()).path)
    assert path.exists()
    del session
    gc.collect()
    assert not path.parent.exists()


def test_the_same_file_is_there_once_and_can_be_removed() -> None:
    session = SessionFolder()
    first = session.keep("a.safetensors", file())
    assert session.keep("b.safetensors", file()) == first
    assert len(list(session.path.iterdir())) == 1
    session.drop(first)
    assert not Path(first.path).exists()


def test_a_session_and_the_server_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SessionFolder()
    for number in range(MOST_FILES):
        session.keep("a.safetensors", file(number))
    with pytest.raises(OwnWeightsError, match="remove one first"):
        session.keep("a.safetensors", file(MOST_FILES))
    monkeypatch.setattr(own_weights, "TOTAL_FILES", 0)
    with pytest.raises(OwnWeightsError, match="as many own weights as it may"):
        SessionFolder().keep("a.safetensors", file())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.safetensors", file(count=2**18), "has 1 MB, more than the 1 MB allowed"),
        ("a.pt", file(), "may hold a pickle"),
        ("a.safetensors", memoryview(b"nonsense, more than eight bytes"), "no safetensors file"),
        ("a.safetensors", memoryview(b""), "0 bytes"),
    ],
)
def test_what_is_refused_leaves_nothing(name: str, data: memoryview, said: str) -> None:
    session = SessionFolder()
    with pytest.raises(OwnWeightsError, match=said):
        session.keep(name, data)
    assert not session.path.exists() or not list(session.path.iterdir())


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OwnWeightsError, match=r"kept on this server \(No space left on device\)"):
        SessionFolder().keep("a.safetensors", file())


def test_a_start_removes_what_a_killed_server_left() -> None:
    mine = folder()
    nobody, alive = mine.with_name("999999999"), mine.with_name(str(os.getppid()))
    strange = mine.with_name("strange")
    for path in (mine, nobody, alive, strange):
        (path / "token").mkdir(parents=True)
    sweep()
    assert alive.exists()  # another server that uses the same folder
    assert not any(path.exists() for path in (mine, nobody, strange))
