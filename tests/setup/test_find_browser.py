"""The browser of the tests: found in the documented order, never silently missing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.tools import find_browser
from tests.tools.find_browser import BrowserNotFoundError, find, install, installers


def program(folder: Path, name: str, status: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'Chromium 1'\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_browser, "APPLICATIONS", ())
    monkeypatch.setattr(find_browser, "playwright_chromium", lambda: None)


def test_chromium_variable_comes_first(tmp_path: Path) -> None:
    named = program(tmp_path / "elsewhere", "my-chromium")
    program(tmp_path / "bin", "chromium")
    assert find({"CHROMIUM": str(named), "PATH": str(tmp_path / "bin")}) == str(named)


def test_chromium_variable_that_does_not_run_is_said_and_not_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    with pytest.raises(BrowserNotFoundError, match="CHROMIUM=/nowhere/chromium does not run"):
        find({"CHROMIUM": "/nowhere/chromium", "PATH": str(tmp_path / "bin")})


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_names_on_the_path(tmp_path: Path, name: str) -> None:
    expected = program(tmp_path, name)
    assert find({"PATH": str(tmp_path)}) == str(expected)


def test_a_wrapper_without_its_program_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path, "chromium-browser", status=1)
    expected = program(tmp_path, "google-chrome")
    assert find({"PATH": str(tmp_path)}) == str(expected)


def test_playwrights_own_comes_after_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(tmp_path / "playwright", "chrome")
    monkeypatch.setattr(find_browser, "playwright_chromium", lambda: str(own))
    assert find({"PATH": str(tmp_path)}) == str(own)
    on_path = program(tmp_path, "chromium")
    assert find({"PATH": str(tmp_path)}) == str(on_path)


def test_nothing_found_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BrowserNotFoundError) as caught:
        find({"PATH": str(tmp_path)})
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " not in message
    assert "install chromium" in message
    assert "CHROMIUM=" in message


def test_apt_get_only_as_root_where_it_is() -> None:
    assert len(installers(root=False, have=lambda name: name)) == 1
    assert len(installers(root=True, have=lambda name: None)) == 1
    download, system = installers(root=True, have=lambda name: name)
    assert download[0][1:] == ["-m", "playwright", "install", "chromium"]
    assert [command[:2] for command in system] == [["apt-get", "update"]] + 2 * [
        ["apt-get", "install"]
    ]
    assert [command[-1] for command in system[1:]] == ["chromium", "fonts-noto-cjk"]


def test_install_goes_on_to_the_next_way_and_stops_when_one_helps() -> None:
    called: list[list[str]] = []

    def look() -> str:
        if ["second"] in called:
            return "/usr/bin/chromium"
        raise BrowserNotFoundError(find_browser.REMEDY)

    def call(command: list[str], **_: object) -> None:
        called.append(command)
        if command == ["first"]:
            raise OSError("not there")

    assert install([[["first"]], [["second"]], [["third"]]], call, look) == "/usr/bin/chromium"
    assert called == [["first"], ["second"]]
    called.clear()
    with pytest.raises(BrowserNotFoundError):
        install([[["first"]]], call, look)


def test_the_command_says_the_sentence_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    assert find_browser.main(["--install"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "/nowhere/chromium" in said.err


def test_cjk_fonts_are_asked_of_fontconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser.has_cjk_fonts() is None
    listing = program(tmp_path, "fc-list")
    listing.write_text("#!/bin/sh\necho 'Noto Sans CJK SC'\n")
    assert find_browser.has_cjk_fonts() is True
    listing.write_text("#!/bin/sh\nexit 0\n")
    assert find_browser.has_cjk_fonts() is False
