"""One Chromium for all tests of a session: Playwright's sync API can be started once a thread."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Browser, Playwright, sync_playwright

_running: list[tuple[Playwright, Browser]] = []


def start(program: str, flags: Sequence[str]) -> Browser:
    """The running browser, started by the first who asks."""
    if not _running:
        playwright = sync_playwright().start()
        started = playwright.chromium.launch(executable_path=program, args=list(flags))
        _running.append((playwright, started))
    return _running[0][1]


def stop() -> None:
    """Ends it at the end of the session."""
    while _running:
        playwright, started = _running.pop()
        started.close()
        playwright.stop()
