"""The app starts, and its first page asks nothing of other machines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


def test_front_page_comes_up(visit: Callable[[str], Page]) -> None:
    page = visit("/")
    expect(page.locator(".stMain h1").first).to_be_visible()
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_the_browser_decides_the_theme(
    visit: Callable[[str], Page], page: Page, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visit("/")
    colour = page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    # The backgrounds of .streamlit/config.toml: #ffffff and #11151b.
    assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 21, 27)"}[scheme]
