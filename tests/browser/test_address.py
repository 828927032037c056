"""What the address alone restores in a browser, and what leaves it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

Visit = Callable[[str], Page]
LONG = 120_000  # ms; a first trace waits for the worker to import torch


def test_a_wrong_model_leaves_the_address(visit: Visit) -> None:
    page = visit("/complexity?model=resnet5O")
    expect(page.get_by_text(re.compile("resnet5O"))).to_be_visible()
    expect(page).not_to_have_url(re.compile("resnet5O"))
    page.reload()
    settle(page)
    expect(page.get_by_text(re.compile("resnet5O"))).to_have_count(0)


def test_the_address_restores_what_is_open_selected_and_coloured(visit: Visit) -> None:
    page = visit("/graph?model=resnet18")
    drawn = page.locator(".world")
    drawn.locator(".box").first.wait_for(timeout=LONG)
    page.get_by_role("button", name="Close all", exact=False).first.click()
    settle(page)
    drawn.locator(".box", has_text="layer2").first.dblclick()
    settle(page)
    drawn.locator(".box", has_text="layer2.1").first.dblclick()
    settle(page)
    drawn.locator(".box", has_text="Conv2d").first.click()
    settle(page)
    expect(page).to_have_url(re.compile("open="))
    expect(page).to_have_url(re.compile("select="))
    address, titles = page.url, containers(page)
    assert len(titles) >= 2
    crumbs = page.locator(".crumbs [aria-current]").inner_text()
    other = page.context.new_page()  # somebody else follows the link, cold
    other.goto(address)
    other.locator(".world .box").first.wait_for(timeout=LONG)
    settle(other)
    assert containers(other) == titles
    assert other.locator(".crumbs [aria-current]").inner_text() == crumbs
    assert other.url == address


def containers(page: Page) -> list[str]:
    """Names of the modules that stand open."""
    return sorted(page.locator(".world .titles .name").all_text_contents())
