"""The app as a person meets it: a server of its own, a real Chromium that reaches nothing else.

Fixtures: ``app_url`` (one server a session), ``page`` (a fresh visit that fails its test on console
errors, uncaught exceptions and requests to other machines), ``visit`` (opens a path and waits until
the page is still). Everything in this folder carries the marker ``browser``.

All tests of a session are visits in one tab, which is emptied between them. A tab of its own is a
process of its own, which compiles Streamlit's and Plotly's scripts anew: 6.6 s of CPU a visit,
against 2.4 s where that is done (measured on two cores).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebSocket,
    expect,
)

from tests.tools import shared_browser
from tests.tools.find_browser import BrowserNotFoundError, find

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT, SETTLE_LIMIT = 90, 90  # seconds
LOCAL = ("127.0.0.1", "localhost", "::1")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",  # a camera, and a yes
]  # fmt: skip
VIEWPORT = {"width": 1440, "height": 900}
# Below the root, Streamlit first asks for these two in vain, and the browser logs the 404.
EXPECTED = re.compile(r"/[^/]+/_stcore/(health|host-config)$")
STILL_JS = """() => {
  const app = document.querySelector('.stApp')?.dataset ?? {};
  const found = selector => document.querySelector(selector) !== null;
  return app.testConnectionState === 'CONNECTED'
    && ['notRunning', 'compilationError'].includes(app.testScriptState)
    && !found('[data-stale="true"], [data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a browser, so that ``-m 'not browser'`` leaves it out, and puts it last.

    Playwright keeps an event loop running in the main thread while its browser is open, in which
    no other test could start one.
    """
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(here))


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_app(
    folder: Path, script: Path = ROOT / "app.py", port: int = 0, **variables: str
) -> Iterator[str]:
    """Runs a Streamlit script in a process group of its own; gives its address.

    Args:
        folder: Where the log and the app's caches go.
        script: What to run.
        port: To listen on; 0 for a free one.
        **variables: Environment variables beside those of the tests.
    """
    port = port or free_port()
    environment = {
        **os.environ,
        "EXPLORER_CACHE_DIR": str(folder / "explorer"),
        "EXPLORER_OFFLINE": "true",
        **variables,
    }
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true",
        "--server.address=127.0.0.1", f"--server.port={port}", "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
    ]  # fmt: skip
    log_path = folder / "server.log"
    with log_path.open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        base = variables.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
        _wait_for(f"{address}/{base}".rstrip("/"), server, log_path)
        yield address
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(server.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    while True:
        with contextlib.suppress(OSError):
            ask(f"{address}/_stcore/health", timeout=2).close()
            return
        if server.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-3000:]
            pytest.fail(f"the app did not start within {START_LIMIT} s:\n{said}", pytrace=False)
        time.sleep(0.1)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app, without a slash at the end."""
    with running_app(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Browser:
    """A headless Chromium; without one the tests fail, with one sentence."""
    try:
        program = find()
    except BrowserNotFoundError as error:
        pytest.fail(str(error), pytrace=False)
    return shared_browser.start(program, FLAGS)


@dataclass
class Seen:
    """What went wrong during a visit; a test that provokes an error takes it out of the list."""

    console: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Writes down what the page and its workers do from now on."""
        for event, hear in self._ears():
            page.on(event, hear)

    def leave(self, page: Page) -> None:
        """Listens no more."""
        for event, hear in self._ears():
            page.remove_listener(event, hear)

    def _ears(self) -> list[tuple[Any, Callable[[Any], None]]]:
        return [
            ("console", self._hear),
            ("pageerror", self._fail),
            ("request", self._ask),
            ("websocket", self._ask),
        ]

    def _hear(self, message: ConsoleMessage) -> None:
        source = str(message.location.get("url", ""))
        if message.type == "error" and not EXPECTED.search(urlsplit(source).path):
            self.console.append(f"{message.text} {source}".strip())

    def _fail(self, error: Error) -> None:
        self.exceptions.append(str(error))

    def _ask(self, asked: Request | WebSocket) -> None:
        parts = urlsplit(asked.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL:
            self.outside.append(asked.url)

    def problems(self) -> list[str]:
        """One line for each."""
        return [
            *(f"console error: {text}" for text in self.console),
            *(f"uncaught in the page: {text}" for text in self.exceptions),
            *(f"request to another machine: {url}" for url in self.outside),
        ]


@pytest.fixture
def seen() -> Seen:
    """What the page of this test complains about."""
    return Seen()


def context_of(browser: Browser, **options: Any) -> BrowserContext:
    """What the tests' visits share: the tab, and the cache of scripts."""
    context = browser.new_context(viewport=VIEWPORT, color_scheme="light", **options)
    context.set_default_timeout(30_000)
    return context


@pytest.fixture(scope="session")
def cached_context(browser: Browser) -> Iterator[BrowserContext]:
    """Its visitors want no animations: those of the wait for a worker alone fill half a core."""
    context = context_of(browser, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def page(cached_context: BrowserContext, seen: Seen) -> Iterator[Page]:
    """A first visit, 1440×900, light; its test fails on console errors and outside requests."""
    expect.set_options(timeout=30_000)
    tab = cached_context.pages[0] if cached_context.pages else cached_context.new_page()
    tab.set_viewport_size(VIEWPORT)
    tab.emulate_media(media="null", color_scheme="light")
    seen.listen(tab)
    yield tab
    _forget(cached_context, tab, seen)
    assert not seen.problems(), "\n".join(seen.problems())


def _forget(context: BrowserContext, tab: Page, seen: Seen) -> None:
    """Empties the tab and closes what else is open; nothing stored is there for the next test."""
    for opened in context.pages:
        origin = urlsplit(opened.url)
        if origin.scheme == "http":
            session = context.new_cdp_session(opened)
            session.send(
                "Storage.clearDataForOrigin",
                {
                    "origin": f"{origin.scheme}://{origin.netloc}",
                    "storageTypes": "cookies,local_storage,indexeddb,service_workers",
                },
            )
            session.detach()
        if opened != tab:
            opened.close()
    context.clear_cookies()
    context.clear_permissions()
    if tab.is_closed():
        return
    seen.leave(tab)
    try:
        tab.unroute_all()
        tab.evaluate("() => { sessionStorage.clear(); window.name = ''; }")
        tab.goto("about:blank")
        tab.mouse.up()
        tab.mouse.move(-1, -1)  # over nothing
        session = context.new_cdp_session(tab)
        session.send("Page.resetNavigationHistory")
        session.detach()
    except Error:  # a page that hangs or has crashed, of a test that said so
        tab.close()


def settle(page: Page, quiet: float = 0.3, limit: float = SETTLE_LIMIT) -> None:
    """Waits until the script is over and stays so for ``quiet`` seconds.

    Args:
        page: An open page of the app.
        quiet: Seconds without a run that count as still.
        limit: Seconds after which the test fails.
    """
    deadline = time.monotonic() + limit
    since: float | None = None
    while time.monotonic() < deadline:
        if page.evaluate(STILL_JS):
            since = since or time.monotonic()
            if time.monotonic() - since >= quiet:
                return
        else:
            since = None
        page.wait_for_timeout(50)
    raise AssertionError(f"{page.url} did not come to rest within {limit:.0f} s")


def hears_clicks(page: Page, chart: str = ".js-plotly-plot") -> None:
    """Waits until a chart hears clicks: drawn first, it learns of them only with the next step."""
    page.wait_for_function(
        "chart => document.querySelector(chart)?._fullLayout?.clickmode === 'event+select'",
        arg=chart,
    )


@pytest.fixture
def visit(page: Page, app_url: str) -> Callable[[str], Page]:
    """``visit("/graph?model=lenet5")`` opens it cold and waits until it is still."""

    def go(path: str) -> Page:
        page.goto(app_url + path, wait_until="commit")
        settle(page)
        return page

    return go
