"""The latency page in a browser: start, watch, stop, change the batch, reload, Chinese, phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

Visit = Callable[[str], Page]
LONG = 120_000  # milliseconds: the worker may still be importing torch

# The number of runs that the page shows.
RUNS_JS = """() => {
  const card = [...document.querySelectorAll('.latency-cards > div')]
    .find(div => div.querySelector('.name')?.textContent === 'Runs');
  return Number((card?.querySelector('.value')?.textContent ?? '0').replaceAll(',', ''));
}"""


def start(page: Page, name: str = "Start") -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".latency-number .median")).to_be_visible(timeout=LONG)


def test_start_watch_stop_and_keep(visit: Visit) -> None:
    page = visit("/latency?model=lenet5&seconds=60")
    start(page)
    seen = 0
    for _update in range(3):  # the number grows while one watches, again and again
        page.wait_for_function(f"seen => ({RUNS_JS})() > seen", arg=seen, timeout=LONG)
        seen = int(page.evaluate(RUNS_JS))
    for drawn in ("bars", "dots"):  # the running measurement is drawn as paths …
        expect(page.locator(f".live-charts path.{drawn}")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    page.locator(".stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible(timeout=10_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)  # … and what it left by Plotly
    expect(page.locator(".live-charts")).to_have_count(0)
    expect(page.get_by_text("Stopped before its end")).to_be_visible()
    expect(page.locator(".latency-number .median")).to_be_visible()  # what was measured stays


def test_the_number_is_on_the_first_screen_and_can_be_copied(visit: Visit) -> None:
    page = visit("/latency?model=lenet5&seconds=3")
    start(page)
    copy = page.get_by_role("button", name="Copy as a sentence")
    expect(copy).to_be_visible(timeout=LONG)
    settle(page)
    expect(page.locator(".latency-number")).to_be_in_viewport(ratio=1)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    sentence = page.evaluate("navigator.clipboard.readText()")
    assert sentence.startswith("The median forward time of LeNet-5 (batch size 1")


@pytest.mark.slow
def test_the_batch_is_changed_and_the_address_restores_it(visit: Visit) -> None:
    page = visit("/latency?model=lenet5&seconds=3")
    batch = page.get_by_label("Batch size", exact=True)
    batch.fill("4")
    batch.press("Enter")
    settle(page)
    assert "batch=4" in page.url
    start(page)
    expect(page.get_by_role("button", name="Copy as a sentence")).to_be_visible(timeout=LONG)
    conditions = page.locator(".latency-number .conditions")
    expect(conditions).to_contain_text("batch 4")
    page.reload()
    settle(page)
    expect(batch).to_have_value("4")
    expect(conditions).to_contain_text("batch 4")  # from the store


def test_the_live_loop_shows_its_rate_and_stops(visit: Visit) -> None:
    page = visit("/latency?model=lenet5&view=loop&image=digit_3")
    page.get_by_role("button", name="Classify continuously").click()
    frames = page.get_by_test_id("stMetric").filter(has_text=re.compile("^Frames\\s*[0-9]"))
    expect(frames).to_be_visible(timeout=LONG)
    first = frames.text_content() or ""
    expect(frames).not_to_have_text(first, timeout=LONG)
    page.locator(".stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Classify continuously")).to_be_visible()
    expect(page.get_by_text(re.compile("^3 · "))).to_be_visible()


def test_a_phone_in_chinese(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit("/latency?model=lenet5&lang=zh&seconds=3")
    start(page, "开始")
    expect(page.get_by_role("button", name="复制为一句话")).to_be_visible(timeout=LONG)
    settle(page)
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
    expect(page.locator(".latency-number .median")).to_be_in_viewport(ratio=1)
    wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wide <= 0
    expect(page.locator(".latency-number")).to_contain_text("毫秒/批")
