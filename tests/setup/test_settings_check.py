"""Misspelt, contradictory and wrong settings: a sentence each, from the doctor, at the start."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from explorer import __main__ as command
from explorer.errors import SettingsError
from explorer.settings import Settings, get_settings, unusable
from explorer.settings_check import OTHERS, misspelt, problems
from explorer.ui.lifecycle import lifespan

ROOT = Path(__file__).resolve().parents[2]


def said(**settings: Any) -> list[str]:
    return [str(problem.error) for problem in problems(Settings(**settings))]


def test_the_defaults_are_well_in_both_modes() -> None:
    assert said() == []
    assert said(public=True) == []


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("EXPLORER_PUBLC", "EXPLORER_PUBLIC"),
        ("EXPLORER_MAX_JOB_PER_VISITOR", "EXPLORER_MAX_JOBS_PER_VISITOR"),
        ("explorer_devise", "EXPLORER_DEVICE"),
        ("EXPLORER_OFFER", "EXPLORER_OFFERED"),
        ("EXPLORER_", "EXPLORER_"),
    ],
)
def test_a_misspelt_setting_is_told_with_the_closest_one(name: str, closest: str) -> None:
    (error,) = misspelt({name: "1", "HOME": "/", "EXPLORER_DEVICE": "cpu", "Explorer_Public": "0"})
    assert str(error).startswith(f"There is no setting {name}, so it has no effect; did you mean ")
    assert closest in str(error)


def test_names_of_this_program_are_settings_or_known_otherwise() -> None:
    listed = subprocess.run(
        ["git", "grep", "--untracked", "-hoE", r"\bEXPLORER_[A-Z][A-Z_]*[A-Z]\b", "--", ":!tests"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = set(listed.stdout.split())
    assert {"EXPLORER_PUBLIC", "EXPLORER_DEVICE"} <= found
    odd = [str(error) for error in misspelt(dict.fromkeys(found, "1"))]
    assert not odd, f"make these settings, or name them in OTHERS: {odd}"
    assert all(reason for reason in OTHERS.values())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"max_jobs_per_visitor": 5, "max_jobs": 4},
            ["EXPLORER_MAX_JOBS_PER_VISITOR=5", "EXPLORER_MAX_JOBS=4"],
        ),
        (
            {"jobs_per_minute": 9, "jobs_per_minute_per_address": 8},
            ["EXPLORER_JOBS_PER_MINUTE=9", "EXPLORER_JOBS_PER_MINUTE_PER_ADDRESS=8"],
        ),
        ({"offered": "resnet*,nonesuch*"}, ["“nonesuch*”", "EXPLORER_OFFERED"]),
        ({"offered": "nonesuch"}, ["EXPLORER_OFFERED=nonesuch matches no model"]),
        ({"offered": " , "}, ["matches no model"]),
    ],
)
def test_contradictions_are_told(settings: dict[str, Any], words: list[str]) -> None:
    (sentence,) = said(public=True, **settings)
    assert all(word in sentence for word in words), sentence


def test_equal_limits_do_not_contradict() -> None:
    assert said(public=True, max_jobs_per_visitor=4, max_jobs=4) == []


def test_limits_without_public_mode_have_no_effect() -> None:
    (sentence,) = said(max_batch=8)
    assert sentence == (
        "EXPLORER_MAX_BATCH=8 has no effect without EXPLORER_PUBLIC=1; set that too, or unset it."
    )


def set_up(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"EXPLORER_{name}", value)
    get_settings.cache_clear()


def test_the_doctor_says_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, PUBLIC="1", MAX_JOBS="3", OFFERED="resnet*,resnot", DEVISE="cpu")
    assert command.main(["doctor"]) == 1
    bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗ Settings: ")]
    assert len(bad) == 3
    assert "EXPLORER_DEVISE" in bad[0]
    assert "EXPLORER_MAX_JOBS=3 is less" in bad[1]
    assert "“resnot”" in bad[2]


def test_the_doctor_says_each_wrong_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, PUBLIC="perhaps", MAX_JOBS="many", MAX_BATCH="0", PUBLICK="1")
    assert command.main(["doctor"]) == 1
    bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗ Settings: ")]
    assert len(bad) == 4
    for name in ("PUBLICK", "PUBLIC=perhaps", "MAX_JOBS=many", "MAX_BATCH=0"):
        assert any(f"EXPLORER_{name}" in line for line in bad), bad
    assert all(re.search(r"\.$", line) for line in bad[1:])


def begin() -> None:
    async def run() -> None:
        async with lifespan(None):
            pass

    asyncio.run(run())


@pytest.fixture
def _kept_logging() -> Any:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)


@pytest.mark.usefixtures("_kept_logging")
def test_a_server_that_could_open_nothing_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, PUBLIC="1", OFFERED="nonesuch")
    with pytest.raises(SettingsError, match="EXPLORER_OFFERED=nonesuch matches no model"):
        begin()


def test_public_mode_takes_half_the_pixels_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EXPLORER_MAX_IMAGE_PIXELS", raising=False)
    monkeypatch.delenv("EXPLORER_PUBLIC", raising=False)
    assert Settings().max_image_pixels == 50_000_000
    monkeypatch.setenv("EXPLORER_PUBLIC", "1")
    assert Settings().max_image_pixels == 25_000_000
    monkeypatch.setenv("EXPLORER_MAX_IMAGE_PIXELS", "40000000")
    assert Settings().max_image_pixels == 40_000_000


@pytest.mark.parametrize("engine", ["local", "ray", "ray://head:20001", "ray://[::1]:10001"])
def test_engines(engine: str) -> None:
    assert Settings(engine=engine).engine == engine


@pytest.mark.parametrize("engine", ["", "rayy", "ray://", "ray://head", "ray://head:port", "dask"])
def test_what_is_no_engine_is_told(engine: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(engine=engine)
    (error,) = unusable(caught.value)
    assert str(error) == (
        f"The setting EXPLORER_ENGINE={engine} cannot be used: it is none of local, ray and "
        "ray://HOST:PORT. Change or unset it."
    )
