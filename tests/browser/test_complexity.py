"""The complexity page in a browser: one switch for all figures and the file, the calculator."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from explorer.exports import FORMATS
from tests.browser.conftest import settle

Visit = Callable[[str], Page]
LONG = 120_000  # ms; a first job waits for the worker to import torch


def ready(page: Page) -> None:
    expect(page.locator(".cost-cards")).to_be_visible(timeout=LONG)
    settle(page)


def saved(page: Page, label: str) -> Path:
    with page.expect_download(timeout=LONG) as download:
        page.get_by_role("button", name=label, exact=True).click()
    return Path(download.value.path())


def test_the_switch_changes_figures_axis_and_file_together(visit: Visit) -> None:
    page = visit("/complexity?model=resnet18")
    ready(page)
    chart = page.locator('[data-testid="stPlotlyChart"]').first
    expect(page.locator(".cost-cards")).to_contain_text("1.81 GMACs")
    expect(chart).to_contain_text("GMACs")
    assert "size=" not in page.url  # the closed what-if panel changes nothing
    page.get_by_role("radio", name="FLOPs").click()
    expect(page.locator(".cost-cards")).to_contain_text("3.63 GFLOPs")
    expect(page.locator(".cost-cards")).not_to_contain_text("GMACs")
    expect(chart).to_contain_text("GFLOPs")
    expect(page).to_have_url(re.compile("convention=flops"))
    page.get_by_role("radio", name="Table").click()
    settle(page)
    rows = list(csv.DictReader(saved(page, "CSV").read_text("utf-8-sig").splitlines()))
    assert "MACs" not in rows[0]
    assert int(rows[-1]["FLOPs"]) == sum(int(row["FLOPs"]) for row in rows[:-1]) == 3_628_146_688


@pytest.mark.slow
def test_every_format_is_downloaded_and_a_saved_file_comes_back(visit: Visit) -> None:
    page = visit("/complexity?model=lenet5&view=table")
    ready(page)
    files = {label: saved(page, label) for label, _mime, _write in FORMATS.values()}
    assert all(path.stat().st_size > 200 for path in files.values())
    document = json.loads(files["JSON"].read_text("utf-8"))
    assert document["about"]["convention"] == "macs"
    page.get_by_text("What if:").click()
    page.locator('input[type="file"]').set_input_files(
        {"name": "old.json", "mimeType": "application/json",
         "buffer": json.dumps(document | {"version": 0}).encode()}
    )  # fmt: skip
    expect(page.get_by_text("download it anew")).to_be_visible(timeout=LONG)


def test_the_calculator_reads_8_47(visit: Visit) -> None:
    page = visit("/complexity?view=calculator")
    expect(page.get_by_text("8.47×")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile("589,824 against 69,632"))).to_be_visible()
    chart = page.locator('[data-testid="stPlotlyChart"]').first
    expect(chart).to_contain_text("3×3, 64→64")


def test_a_click_on_a_bar_leads_to_the_same_layer_in_the_graph(visit: Visit) -> None:
    page = visit("/complexity?model=resnet18")
    ready(page)
    bar = page.locator(".barlayer .trace .point path").nth(3)
    expect(bar).to_be_visible(timeout=LONG)
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    link = page.get_by_role("link", name="Show it in the layer graph")
    expect(link).to_be_visible(timeout=LONG)
    layer = re.search(r"layer=([^&]+)", page.url)
    assert layer is not None
    link.click()
    settle(page)
    expect(page.get_by_role("heading", name="Layer graph")).to_be_visible(timeout=LONG)
    settle(page)
    assert f"select={layer.group(1)}" in page.url
    assert "model=resnet18" in page.url


def test_the_page_fits_a_phone(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit("/complexity?model=resnet18")
    ready(page)
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    assert wide <= 390
    top = page.locator('[data-testid="stPlotlyChart"]').first.bounding_box()
    assert top is not None
    assert top["y"] < 500
