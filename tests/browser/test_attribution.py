"""The attribution page in a browser: cancel, compare, take along, camera, phone."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, hears_clicks, settle

Visit = Callable[[str], Page]
SEVEN = ROOT / "assets" / "images" / "digits" / "7.png"
LONG = 120_000  # ms; a first job waits for the worker to import torch


def pictures(page: Page, count: int) -> None:
    maps = page.locator('[data-testid="stImage"] img[alt*=" for “"]')
    expect(maps).to_have_count(count, timeout=LONG)
    settle(page)


def downloaded(page: Page, title: str) -> bytes:
    """The first map's file of this kind."""
    with page.expect_download() as caught:
        button = page.get_by_test_id("stDownloadButton").filter(has_text=title).first
        button.get_by_role("button").click()
    return Path(caught.value.path()).read_bytes()


def test_maps_of_an_upload_are_compared_and_taken_along(visit: Visit, tmp_path: Path) -> None:
    page = visit("/attribution?model=lenet5&methods=saliency,grad_cam,input_x_gradient")
    photo = tmp_path / "seven.jpg"
    Image.open(SEVEN).convert("L").save(photo, quality=95)
    page.locator('input[type="file"]').first.set_input_files(photo)
    expect(page.get_by_text("Saliency for “7”")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Grad-CAM for “7”")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Input × gradient for “7”")).to_be_visible(timeout=LONG)
    pictures(page, 3)
    # Without loss, and not at an address of the server that a run may take away meanwhile.
    shown = page.locator('[data-testid="stImage"] img')
    for number in range(shown.count()):
        assert str(shown.nth(number).get_attribute("src")).startswith("data:image/png;base64,")
    picture = Image.open(io.BytesIO(downloaded(page, "PNG")))
    assert picture.size == (32, 32)
    colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 20  # an overlay, not a blank
    with np.load(io.BytesIO(downloaded(page, "NPZ"))) as found:
        assert found["map"].shape == (32, 32)
        assert found["map"].max() > found["map"].min()
        assert found["crop"].shape == (32, 32, 3)
        about = json.loads(str(found["about"]))
    assert (about["method"], about["target"]["label"]) == ("saliency", "7")
    document = json.loads(downloaded(page, "JSON"))
    assert document["model"] == "lenet5"
    compile(downloaded(page, "Code"), "snippet.py", "exec")
    page.get_by_text("Difference of two maps").click()
    expect(page.get_by_text("Orange: Saliency is stronger")).to_be_visible()


GIVE = """([kind, bytes, address]) => {
  const transfer = new DataTransfer();
  if (address) transfer.setData("text/uri-list", address);
  else transfer.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
  const more = kind === "paste" ? { clipboardData: transfer } : { dataTransfer: transfer };
  const event = new (kind === "paste" ? ClipboardEvent : DragEvent)(kind, {
    bubbles: true, cancelable: true, ...more });
  document.querySelector("h1").dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", pytest.param("drop", marks=pytest.mark.slow)])
def test_an_image_is_pasted_or_dragged_here(visit: Visit, kind: str) -> None:
    page = visit("/attribution?model=lenet5&image=digit_3&methods=saliency")
    expect(page.get_by_text("Saliency for “3”")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Or paste one")).to_be_visible()
    page.evaluate(GIVE, [kind, list(SEVEN.read_bytes()), None])
    expect(page.get_by_text("Saliency for “7”")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("seven.png").first).to_be_visible()


@pytest.mark.slow
def test_an_image_is_dragged_from_another_site(visit: Visit, page: Page) -> None:
    """As its address, which that site lets us read; another does not."""
    allowed = {"Access-Control-Allow-Origin": "*", "Content-Type": "image/png"}
    page.route("http://localhost:9/open.png", lambda route: route.fulfill(
        body=SEVEN.read_bytes(), headers=allowed))  # fmt: skip
    page.route("http://localhost:9/html", lambda route: route.fulfill(
        body="<p>", headers=allowed | {"Content-Type": "text/html"}))  # fmt: skip
    visit("/attribution?model=lenet5&image=digit_3&methods=saliency")
    expect(page.get_by_text("Saliency for “3”")).to_be_visible(timeout=LONG)
    page.evaluate(GIVE, ["drop", [], "http://localhost:9/html"])
    expect(page.get_by_text("does not give its image away")).to_be_visible()
    page.evaluate(GIVE, ["drop", [], "http://localhost:9/open.png"])
    expect(page.get_by_text("Saliency for “7”")).to_be_visible(timeout=LONG)


@pytest.mark.slow
def test_a_click_on_a_bar_explains_its_class(visit: Visit) -> None:
    page = visit("/attribution?model=lenet5&image=digit_7&method=saliency")
    pictures(page, 1)
    hears_clicks(page)
    box = page.locator('[data-testid="stPlotlyChart"] .bars .point path').nth(0).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("target=7"), timeout=20_000)


def test_a_long_map_is_cancelled_within_a_second(visit: Visit) -> None:
    page = visit("/attribution?methods=kernel_shap&kernel_shap.samples=2000")
    settle(page)
    compute = page.get_by_role("button", name=re.compile("Compute"))
    cancel = page.get_by_role("button", name="Cancel")
    expect(compute.or_(cancel).first).to_be_visible(timeout=LONG)
    deadline = time.monotonic() + LONG / 1000
    while not compute.is_visible() and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    compute.click()
    expect(page.get_by_text(re.compile("Computing the map"))).to_be_visible(timeout=LONG)
    cancel.first.click()
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible(timeout=5_000)
    again.click()  # which asks no second time whether the price is right
    expect(page.get_by_text(re.compile("Computing the map"))).to_be_visible(timeout=LONG)
    cancel.first.click()
    expect(again).to_be_visible(timeout=5_000)
    # The worker is free at once: another map does not wait for the rest of the long one.
    page.goto(page.url.split("?")[0] + "?model=lenet5&method=saliency", wait_until="commit")
    expect(page.get_by_text(re.compile("Saliency for"))).to_be_visible(timeout=LONG)


def test_on_a_phone_in_chinese_the_map_comes_first(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit("/attribution?model=lenet5&image=digit_3&method=saliency&lang=zh")
    expect(page.get_by_text("显著图，类别“3”").first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("也可以粘贴一张")).to_be_attached()
    expect(page.get_by_text("网络看到的图像")).to_be_attached()
    settle(page)
    box = page.locator('[data-testid="stImage"] img').first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844
    assert box["width"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_shot_of_the_camera_is_explained(visit: Visit) -> None:
    page = visit("/attribution?model=lenet5&method=saliency")
    page.context.grant_permissions(["camera"])
    pictures(page, 1)
    page.get_by_text("Take a photo").first.click()
    shot = page.get_by_test_id("stCameraInputButton")
    expect(shot).to_be_enabled(timeout=20_000)
    page.wait_for_timeout(500)  # the fake device's first frame
    shot.click()
    expect(page.get_by_text("Clear photo")).to_be_visible(timeout=LONG)
    settle(page)
    expect(page.get_by_text(re.compile("Saliency for"))).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_box_drawn_on_the_map_is_measured(visit: Visit) -> None:
    page = visit("/attribution?model=lenet5&image=digit_3&methods=saliency&values=1")
    heat = page.locator('[data-testid="stPlotlyChart"]:has(.hm) .nsewdrag')
    expect(heat).to_be_visible(timeout=LONG)
    settle(page)
    box = heat.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75, steps=8)
    page.mouse.up()
    # A quarter of the picture, whatever its size on the screen.
    expect(page.get_by_text(re.compile(r"on 2[2-8]% of the area"))).to_be_visible(timeout=LONG)
    expect(page).to_have_url(re.compile("region=1"))
