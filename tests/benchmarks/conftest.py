"""The benchmarks use the server and the browser of the browser tests."""

from tests.browser.conftest import app_url, browser, cached_context, page, seen, visit

__all__ = ["app_url", "browser", "cached_context", "page", "seen", "visit"]
