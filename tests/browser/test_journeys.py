"""What a visitor does, in a real browser: choose, upload, watch, share, go back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, settle

Visit = Callable[[str], Page]
IMAGES = ROOT / "assets" / "images"
LONG = 120_000  # ms; a first job waits for the worker to import torch


def upload(page: Page, path: Path) -> None:
    page.locator('input[type="file"]').first.set_input_files(path)


def bars(page: Page) -> str:
    """The text of the probability chart."""
    chart = page.locator('[data-testid="stPlotlyChart"]').last
    expect(chart.locator(".bars")).to_be_visible(timeout=LONG)
    return chart.inner_text()


def wait_for_map(page: Page, caption: str | re.Pattern[str]) -> None:
    """Waits for the map; where its price is above the page's limit, it is asked for first."""
    shown = page.get_by_text(caption)
    ask = page.get_by_role("button", name="Compute Grad-CAM")
    expect(shown.or_(ask).first).to_be_visible(timeout=LONG)
    if ask.is_visible():
        ask.click()
    expect(shown.first).to_be_visible(timeout=LONG)


def test_an_uploaded_photo_is_recognised_and_explained(visit: Visit) -> None:
    page = visit("/attribution?image=rocket")
    upload(page, IMAGES / "coffee.jpg")
    wait_for_map(page, "Grad-CAM for “espresso”")
    assert "espresso" in bars(page)
    expect(page.locator('[data-testid="stImage"] img[alt*=" for “"]')).to_have_count(1)


@pytest.mark.slow
def test_an_uploaded_cat_is_a_cat(visit: Visit) -> None:
    page = visit("/attribution")
    upload(page, IMAGES / "chelsea.jpg")
    cats = re.compile("Grad-CAM for “(tabby|tiger cat|Persian cat|Siamese cat|Egyptian cat)”")
    wait_for_map(page, cats)


def test_a_digit_is_read(visit: Visit) -> None:
    page = visit("/attribution?model=lenet5")
    upload(page, IMAGES / "digits" / "7.png")
    wait_for_map(page, "Grad-CAM for “7”")


@pytest.mark.slow
def test_the_upload_stays_when_the_page_changes(visit: Visit) -> None:
    page = visit("/attribution")
    upload(page, IMAGES / "coffee.jpg")
    wait_for_map(page, "Grad-CAM for “espresso”")
    page.get_by_role("link", name="Latency").click()
    settle(page)
    page.get_by_role("link", name="Attribution").click()
    expect(page.get_by_role("button", name="Back to the samples")).to_be_visible(timeout=LONG)


def test_a_deep_link_opens_cold_to_the_same_view(visit: Visit) -> None:
    page = visit("/complexity?model=timm/convnext_atto&by=params&lang=zh")
    expect(page.get_by_role("heading", name="复杂度")).to_be_visible()
    expect(page.locator(".stMain strong").get_by_text("convnext_atto").first).to_be_visible()
    expect(page.get_by_role("radio", name="参数")).to_be_checked()


def test_the_model_stays_over_pages_reload_and_back(visit: Visit) -> None:
    page = visit("/complexity?model=resnet18")
    page.get_by_role("link", name="Latency").click()
    settle(page)
    assert "model=resnet18" in page.url
    page.reload()
    settle(page)
    expect(page.locator(".stMain strong").get_by_text("ResNet-18")).to_be_visible()
    page.go_back()
    settle(page)
    expect(page.get_by_role("heading", name="Complexity")).to_be_visible()
    expect(page.locator(".stMain strong").get_by_text("ResNet-18")).to_be_visible()


def test_the_search_finds_and_chooses_any_of_timm(visit: Visit) -> None:
    """Twice: the second time nothing else on the page, as the wait for the device, runs it anew."""
    page = visit("/latency")
    for query, model, name in (
        ("convnext atto", "timm/convnext_atto", "ConvNeXt"),
        ("squeezenet", "squeezenet1_1", "SqueezeNet"),
    ):
        page.get_by_role("button", name="Search all models").click()
        page.get_by_label("Name, family or year").fill(query)
        found = page.get_by_role("button", name=re.compile(rf"^{model.replace('/', '.')} ·"))
        expect(found).to_be_visible()
        settle(page)  # a list that is drawn anew under the pointer may lose the click
        found.click()
        expect(page.locator(".stMain").get_by_text(name, exact=False).first).to_be_visible()
        expect(page.get_by_label("Name, family or year")).to_be_hidden()
        settle(page)
        assert f"model={quote(model, safe='')}" in page.url


def test_a_click_on_a_bubble_chooses_its_model(visit: Visit) -> None:
    page = visit("/")
    expect(page.locator(".scatterlayer .point").first).to_be_visible()
    x, y = page.evaluate(
        """() => {
          const circles = [...document.querySelectorAll('.scatterlayer .trace .point')];
          const box = circles.map(c => c.getBoundingClientRect())
            .filter(b => b.y < 620).sort((a, b) => b.width - a.width)[0];
          return [box.x + box.width / 2, box.y + box.height / 2];
        }"""
    )
    page.mouse.click(x, y)
    expect(page.get_by_text(re.compile("VGG-1[69] is the chosen model"))).to_be_visible()
    assert "model=vgg1" in page.url


@pytest.mark.slow
def test_a_text_file_named_jpg_is_refused_in_one_sentence(visit: Visit, tmp_path: Path) -> None:
    fake = tmp_path / "photo.jpg"
    fake.write_text("This is no photo.")
    page = visit("/attribution")
    upload(page, fake)
    error = page.get_by_test_id("stAlert").filter(has_text="image")
    expect(error.first).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Complexity").click()
    expect(page.get_by_role("heading", name="Complexity")).to_be_visible()
