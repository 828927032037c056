"""A server with a page that holds nothing but the graph, and a browser for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import ROOT, browser, context_of, page, running_app, seen, settle

__all__ = ["browser", "page", "seen"]

SCRIPT = Path(__file__).parent / "app_graph.py"


@pytest.fixture(scope="session")
def graph_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page with the graph."""
    folder = tmp_path_factory.mktemp("graph")
    with running_app(folder, SCRIPT, PYTHONPATH=str(ROOT)) as address:
        yield address


@pytest.fixture(scope="session")
def cached_context(browser: Browser) -> Iterator[BrowserContext]:
    """With the view's animations, which are its own."""
    context = context_of(browser)
    yield context
    context.close()


@pytest.fixture
def show(page: Page, graph_url: str) -> Callable[[str], Page]:
    """``show("?model=dense")`` opens the page and waits for the drawing."""

    def go(query: str) -> Page:
        page.goto(f"{graph_url}/{query}", wait_until="commit")
        page.locator(".world .box").first.wait_for()
        settle(page)
        return page

    return go
