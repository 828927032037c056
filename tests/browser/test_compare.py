"""Comparing as a person does: collect, look on every page, share, move two graphs as one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Seen, settle

Visit = Callable[[str], Page]
LONG = 120_000  # ms; a first trace waits for the worker to import torch
THREE = "lenet5,resnet18,tf_efficientnet_lite0"


def tray(page: Page) -> list[str]:
    found = page.get_by_test_id("stSidebar").get_by_role("button", name="Remove: ")
    return [str(name).removeprefix("Remove: ") for name in
            (found.nth(n).get_attribute("aria-label") for n in range(found.count()))]  # fmt: skip


def test_a_selection_of_three_visits_all_pages_and_is_shared(visit: Visit) -> None:
    page = visit(f"/?compare={THREE}")
    sidebar = page.get_by_test_id("stSidebar")
    for name in ("History", "Complexity", "Attribution", "Latency", "Compare"):
        sidebar.get_by_role("link", name=name, exact=True).click()
        settle(page)
        expect(page).to_have_url(re.compile("compare=lenet5"))
        expect(sidebar.get_by_text("Compare (3 of 4)")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=LONG)
    address = page.url
    other = page.context.new_page()  # somebody else follows the link, cold
    other.goto(address)
    settle(other)
    expect(other.get_by_test_id("stSidebar").get_by_text("Compare (3 of 4)")).to_be_visible()
    other.close()
    page.locator(".st-key-compare-drop-0 button").first.click()
    settle(page)
    expect(sidebar.get_by_text("Compare (2 of 4)")).to_be_visible()
    expect(page).not_to_have_url(re.compile("lenet5%2C|compare=lenet5"))
    page.go_back()
    settle(page)
    expect(sidebar.get_by_text("Compare (3 of 4)")).to_be_visible()


def camera(page: Page, number: int) -> list[float]:
    said = page.locator(".stage").nth(number).get_attribute("data-camera") or "0 0 0"
    return [float(part) for part in said.split()]


def test_two_graphs_move_as_one(visit: Visit) -> None:
    page = visit("/compare?compare=resnet18,resnet34&view=structure")
    page.locator(".world .box").first.wait_for(timeout=LONG)
    expect(page.locator(".stage")).to_have_count(2)
    settle(page)
    stage = page.locator(".stage").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    page.wait_for_timeout(500)
    before = camera(page, 1)
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 160, steps=6)
    page.mouse.up()
    page.wait_for_timeout(500)
    moved = camera(page, 1)
    assert moved[1] < before[1] - 40
    assert abs(moved[2] - camera(page, 0)[2]) < 1e-6  # one scale
    page.get_by_text("Move the two graphs together").click()
    settle(page)
    page.wait_for_timeout(300)
    still = camera(page, 1)
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 300, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert camera(page, 1) == still


def test_the_report_opens_from_disk_and_asks_nobody(
    visit: Visit, browser: Browser, tmp_path: Path
) -> None:
    page = visit("/compare?compare=lenet5,resnet18,resnet34,alexnet&view=report")
    button = page.get_by_role("button", name="HTML report")
    button.wait_for(timeout=LONG)
    settle(page)
    with page.expect_download() as download:
        button.click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert file.stat().st_size < 12_000_000
    seen = Seen()
    context = browser.new_context(offline=True)
    report = context.new_page()
    seen.listen(report)
    report.goto(file.as_uri())
    expect(report.locator(".js-plotly-plot")).to_have_count(3)
    expect(report.get_by_text("alexnet").first).to_be_visible()
    link = report.locator('a[href^="http://127.0.0.1:"][href*="/compare?compare="]')
    expect(link).to_be_visible()
    axis = "() => document.querySelectorAll('.js-plotly-plot')[2].layout.xaxis.range"
    before = report.evaluate(axis)
    plot = report.locator(".js-plotly-plot").nth(2)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    report.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    report.mouse.down()
    report.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=5)
    report.mouse.up()
    report.wait_for_timeout(600)
    assert report.evaluate(axis) != before
    context.close()
    assert not seen.problems(), seen.problems()


def test_a_phone_shows_a_stack(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit("/compare?compare=lenet5,resnet18")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=LONG)
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
