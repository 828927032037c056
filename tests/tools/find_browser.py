"""Finds a Chromium for the browser tests, and gets one where there is none.

``python -m tests.tools.find_browser`` prints the path; with ``--install`` it tries Playwright's own
download, then apt-get as root on Debian. The order is ``$CHROMIUM``, the PATH, the usual places of
macOS, Playwright's own. A program counts only if it runs: a wrapper without its program does not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
REMEDY = (
    "No Chromium was found for the browser tests: install chromium or google-chrome, run "
    "'python -m playwright install chromium', or name one with CHROMIUM=/path/to/chromium."
)
NO_CJK = (
    "No font with Chinese characters was found: pictures of the Chinese pages will show boxes; "
    "install fonts-noto-cjk or the like."
)
CHECK_LIMIT, DOWNLOAD_LIMIT = 60, 900  # seconds


class BrowserNotFoundError(Exception):
    """There is no Chromium that runs; the message says what to install."""


def runs(program: str) -> bool:
    """Whether the program answers ``--version``, hence has its libraries."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, timeout=CHECK_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def playwright_chromium() -> str | None:
    """Where Playwright's own Chromium is or would be; None without Playwright."""
    # In a process of its own: Playwright refuses to start inside a running event loop.
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    try:
        answer = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=CHECK_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    path = answer.stdout.strip()
    return path if answer.returncode == 0 and path and Path(path).exists() else None


def candidates(environment: dict[str, str]) -> Iterator[str]:
    """Programs to try, best first."""
    for name in NAMES:
        found = shutil.which(name, path=environment.get("PATH", os.defpath))
        if found:
            yield found
    yield from (path for path in APPLICATIONS if Path(path).exists())
    own = playwright_chromium()
    if own:
        yield own


def find(environment: dict[str, str] | None = None) -> str:
    """The path of a Chromium that runs.

    Args:
        environment: Variables to look at; None for the process's own.

    Raises:
        BrowserNotFoundError: There is none; or ``$CHROMIUM`` names one that does not run, which is
            not passed over, since somebody asked for it.
    """
    environment = dict(os.environ) if environment is None else environment
    named = environment.get("CHROMIUM")
    if named:
        found = shutil.which(named, path=environment.get("PATH", os.defpath))
        if found and runs(found):
            return found
        raise BrowserNotFoundError(
            f"CHROMIUM={named} does not run: name a Chromium that does, or unset it."
        )
    for program in candidates(environment):
        if runs(program):
            return program
    raise BrowserNotFoundError(REMEDY)


def installers(*, root: bool, have: Callable[[str], str | None]) -> list[list[list[str]]]:
    """Ways to get a Chromium, in order; each is a list of commands.

    Args:
        root: Whether this process may install system packages.
        have: Path of a program by its name, or None.
    """
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if root and have("apt-get"):
        ways.append(
            [
                ["apt-get", "update"],
                ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
                ["apt-get", "install", "-y", "--no-install-recommends", "fonts-noto-cjk"],
            ]
        )
    return ways


def install(
    ways: list[list[list[str]]],
    call: Callable[..., object] = subprocess.run,
    look: Callable[[], str] = find,
) -> str:
    """Tries the ways in turn until a Chromium runs; its path.

    Raises:
        BrowserNotFoundError: None of them helped.
    """
    for commands in ways:
        for command in commands:
            print("$ " + " ".join(command), file=sys.stderr)
            try:
                call(command, stdout=sys.stderr, timeout=DOWNLOAD_LIMIT, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
        try:
            return look()
        except BrowserNotFoundError:
            continue
    raise BrowserNotFoundError(REMEDY)


def has_cjk_fonts() -> bool | None:
    """Whether fontconfig knows a font with Chinese characters; None where it cannot be asked."""
    if not shutil.which("fc-list"):
        return None
    answer = subprocess.run(
        ["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
    )
    return bool(answer.stdout.strip()) if answer.returncode == 0 else None


def main(arguments: list[str] | None = None) -> int:
    """Prints the path, or the one sentence; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.find_browser")
    parser.add_argument("--install", action="store_true", help="get one where there is none")
    options = parser.parse_args(arguments)
    try:
        try:
            found = find()
        except BrowserNotFoundError:
            if not options.install or os.environ.get("CHROMIUM"):
                raise
            root = hasattr(os, "geteuid") and os.geteuid() == 0
            found = install(installers(root=root, have=shutil.which))
    except BrowserNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    if has_cjk_fonts() is False:
        print(NO_CJK, file=sys.stderr)
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
