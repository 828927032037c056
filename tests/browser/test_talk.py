"""A talk in a real browser: the whole tour by keyboard, the code for the audience, the way out."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from explorer.tour import SHIPPED, read_tour
from tests.browser.conftest import settle

Visit = Callable[[str], Page]
LONG = 120_000  # ms; a first trace waits for the worker to import torch
STEPS = read_tour(SHIPPED)
TOO_WIDE_JS = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth];
}"""


def arrive(page: Page, number: int) -> None:
    """Waits until a step's page is there, its jobs included."""
    expect(page).to_have_url(re.compile(rf"[?&]step={number}(&|$)"), timeout=LONG)
    expect(page.locator(".stProgress")).to_have_count(0, timeout=LONG)
    settle(page)


def said(page: Page) -> str:
    return page.locator(".talk").inner_text()


@pytest.mark.parametrize(
    ("width", "height", "lang"),
    [
        pytest.param(1024, 768, "en", id="projector", marks=pytest.mark.slow),
        pytest.param(1920, 1080, "zh", id="large", marks=pytest.mark.slow),
    ],
)
def test_the_whole_tour_by_keyboard(visit: Visit, width: int, height: int, lang: str) -> None:
    page = visit(f"/?lang={lang}")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(page.url.split("?")[0] + f"?talk=1&lang={lang}")
    keys = ("ArrowRight", "PageDown", "Space")
    for number, step in enumerate(STEPS, 1):
        begin = time.perf_counter()
        if number > 1:
            page.keyboard.press(keys[number % 3])
        arrive(page, number)
        print(f"step {number}: {time.perf_counter() - begin:.2f} s, {step.page}")
        path = "" if step.page == "chart" else step.page
        assert page.url.split("?")[0].rsplit("/", 1)[1] == path
        words = said(page)
        assert f"{number} / {len(STEPS)}" in words
        assert step.title[lang] in words
        assert step.text[lang] in words
        for model in step.models[:1]:
            expected = page.locator('[data-testid="stSidebar"] input').first
            expect(expected).to_have_value(model)
        assert max(page.evaluate(TOO_WIDE_JS)) <= 0, "something is wider than the screen"
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)
        expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)
        expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
        bar = page.locator(".talk").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= height + 1
        assert bar["height"] < height / 4
    page.keyboard.press("ArrowRight")  # beyond the end nothing happens
    page.keyboard.press("PageUp")
    arrive(page, len(STEPS) - 1)
    page.keyboard.press("Home")
    arrive(page, 1)


def test_presses_in_a_row_end_at_the_last_one(visit: Visit) -> None:
    page = visit("/?talk=1")
    arrive(page, 1)
    for _press in range(4):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(100)
    arrive(page, 5)
    expect(page.locator('[data-testid="stSidebar"] input').first).to_have_value("alexnet_2012")


def test_a_step_opens_by_its_address_and_a_reload_keeps_the_view(visit: Visit) -> None:
    page = visit("/?talk=1&step=5")
    arrive(page, 5)
    assert "/complexity?" in page.url
    page.reload()
    arrive(page, 5)
    assert "by=params" in page.url


def test_the_code_decodes_to_the_view_without_the_talk(visit: Visit) -> None:
    page = visit("/?talk=1&step=12&lang=zh")
    arrive(page, 12)
    page.keyboard.press("q")
    code = page.locator(".code .picture svg")
    expect(code).to_be_visible()
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))
    address = found.text
    assert "talk" not in address
    assert "step" not in address
    assert address == page.locator(".code .address").inner_text()
    title = page.locator('[data-testid="stPlotlyChart"]').first.get_attribute("aria-label")
    page.keyboard.press("q")
    expect(code).to_be_hidden()
    other = page.context.new_page()  # somebody in the audience
    other.goto(address)
    settle(other)
    assert "/compare?" in other.url
    assert re.search(r"compare=resnet34(,|%2C)vgg19", other.url)
    assert "lang=zh" in address
    expect(other.locator(".talk")).to_have_count(0)
    expect(other.locator('[data-testid="stSidebar"]')).to_be_visible()
    chart = other.locator('[data-testid="stPlotlyChart"]').first
    expect(chart).to_be_visible(timeout=LONG)
    assert chart.get_attribute("aria-label") == title


def test_what_is_typed_into_an_input_moves_nothing_and_escape_leaves(visit: Visit) -> None:
    page = visit("/?talk=1&step=2")
    arrive(page, 2)
    box = page.get_by_placeholder("Search layers")
    box.click()
    box.press_sequentially("qr ")
    box.press("PageDown")
    box.press("ArrowRight")
    settle(page)
    arrive(page, 2)
    expect(page.locator(".code")).to_be_hidden()
    box.blur()
    page.keyboard.press("Escape")
    expect(page.locator(".talk")).to_have_count(0)
    settle(page)
    expect(page).not_to_have_url(re.compile("talk|step"))
    assert "model=lenet5_1998" in page.url
    expect(page.locator('[data-testid="stSidebar"]')).to_be_visible()
