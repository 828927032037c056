"""The benchmarks use the server and the browser of the browser tests, with its animations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import app_url, browser, context_of, page, seen, visit

__all__ = ["app_url", "browser", "page", "seen", "visit"]


@pytest.fixture(scope="session")
def cached_context(browser: Browser) -> Iterator[BrowserContext]:
    """As a visitor's who has said nothing about animations."""
    context = context_of(browser)
    yield context
    context.close()
