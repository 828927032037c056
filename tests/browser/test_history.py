"""The history page in a browser: the timeline first, a click, a block, a slider, a link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import hears_clicks, settle

Visit = Callable[[str], Page]
LONG = 120_000  # ms; a first job waits for the worker to import torch


def test_the_timeline_is_on_the_first_screen(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    visit("/history")
    chart = page.locator('[data-testid="stPlotlyChart"]').first
    entries = chart.locator(".scatterlayer .trace").first  # the next one draws heads of arrows
    expect(entries.locator(".point")).to_have_count(21, timeout=LONG)
    box = chart.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    # Names do not cover each other.
    names = page.evaluate("""() => [...document.querySelectorAll('.annotation-text-g')]
        .filter(e => e.textContent.trim()).map(e => {
          const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })""")
    assert len(names) >= 21
    covered = [
        (a, b)
        for number, a in enumerate(names)
        for b in names[:number]
        if a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1
    ]
    assert covered == []


def test_a_click_on_a_step_shows_its_traced_block(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    visit("/history")
    point = page.locator(".scatterlayer .point").nth(9)  # ResNet
    expect(point).to_be_visible(timeout=LONG)
    hears_clicks(page)
    box = point.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("heading", name="ResNet (2015)")).to_be_visible(timeout=LONG)
    expect(page).to_have_url(re.compile("entry=resnet"), timeout=LONG)  # at the end of the run
    expect(page.get_by_text("of ResNet-34 as traced")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Conv2d 3×3").first).to_be_visible(timeout=LONG)


@pytest.mark.slow
def test_a_slider_moves_the_numbers(visit: Visit) -> None:
    page = visit("/history?view=ideas&idea=bottleneck")
    expect(page.get_by_text("8.47×")).to_be_visible(timeout=LONG)
    page.get_by_role("slider").last.focus()
    page.keyboard.press("ArrowRight")  # a reduction of 5: 256 → 51
    expect(page.get_by_text("8.47×")).to_be_hidden(timeout=LONG)
    settle(page)
    assert "bottleneck_reduction=5" in page.url
    page.get_by_role("link", name="In the bottleneck calculator").click()
    expect(page.get_by_role("heading", name="Complexity")).to_be_visible(timeout=LONG)
    settle(page)
    assert "mid=51" in page.url


@pytest.mark.slow
def test_a_permanent_link_leads_to_its_claim(visit: Visit) -> None:
    page = visit("/history?view=claims")
    card = page.locator('article[data-claim="squeeze_50x"]')
    expect(card).to_contain_text("48.9×", timeout=LONG)
    card.get_by_text("How and source").click()
    card.get_by_role("link", name="Permanent link").click()
    settle(page)
    expect(page).to_have_url(re.compile("claim=squeeze_50x"), timeout=LONG)
    first = page.locator("article").first
    expect(first).to_have_attribute("data-claim", "squeeze_50x", timeout=LONG)
    expect(first.get_by_role("link", name="arXiv:1602.07360")).to_be_visible()


def test_the_page_fits_a_phone(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for view in ("timeline", "ideas", "claims"):
        visit(f"/history?view={view}")
        settle(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
