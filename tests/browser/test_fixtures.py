"""The fixtures of the browser tests notice what they are there to notice."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Seen

PAGE = b"""<!doctype html><html lang="en"><title>bad</title><link rel="icon" href="data:,"><script>
console.error("something is wrong");
fetch("https://stats.example/count").catch(() => {});
setTimeout(() => { throw new Error("nobody catches this"); }, 0);
</script>"""


@pytest.fixture
def bad_page() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_errors_exceptions_and_outside_requests_are_seen(browser: Browser, bad_page: str) -> None:
    seen = Seen()
    context = browser.new_context()
    opened: Page = context.new_page()
    seen.listen(opened)
    opened.goto(bad_page)
    opened.wait_for_timeout(500)
    context.close()
    assert seen.console[0].startswith("something is wrong")
    assert seen.exceptions == ["nobody catches this"]
    assert seen.outside == ["https://stats.example/count"]
    assert len(seen.problems()) >= 3
