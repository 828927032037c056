"""The graph as a person uses it, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
Show = Callable[[str], Page]


def said(page: Page, **expected: str) -> None:
    """Waits until Python's own line says so."""
    for name, value in expected.items():
        expect(page.get_by_test_id("stText")).to_contain_text(f"{name}={value}")


def box(page: Page, title: str) -> object:
    return page.locator(".world .box", has_text=title).first


def camera(page: Page) -> list[float]:
    """[x, y, k] once the view is at rest: a glide takes 200 ms, sharpening 140."""
    page.wait_for_timeout(500)
    said_by_view = page.locator(".stage").get_attribute("data-camera") or ""
    return [float(part) for part in said_by_view.split()]


def test_click_selects_and_reaches_python(show: Show) -> None:
    page = show("?model=residual")
    box(page, "Conv2d").click()
    said(page, selected="stem")
    expect(page.locator(".crumbs [aria-current]")).to_have_text("stem")
    assert "3×32×32" in page.locator(".live").inner_text()
    page.locator(".crumbs button").first.click()
    said(page, selected="None")


def test_opening_and_closing_keeps_the_button_under_the_pointer(show: Show) -> None:
    page = show("?model=residual")
    button = page.locator(".box .toggle").first
    before = button.bounding_box()
    assert before
    button.click()
    said(page, expanded="layer ")
    opened = page.locator(".container .toggle").first
    opened.wait_for()
    settle(page)
    after = opened.bounding_box()
    assert after
    assert abs(after["x"] - before["x"]) < 3
    assert abs(after["y"] - before["y"]) < 3
    expect(page.locator(".box", has_text="×5")).to_have_count(1)
    page.mouse.click(after["x"] + 8, after["y"] + 8)
    said(page, expanded=" colour")
    expect(page.locator(".container")).to_have_count(0)


def test_double_click_and_enter_open(show: Show) -> None:
    page = show("?model=residual")
    box(page, "layer").dblclick()
    said(page, expanded="layer ")
    box(page, "layer.0").click()
    page.locator(".stage").focus()
    page.keyboard.press("Enter")
    said(page, expanded="layer,layer.0 ")
    expect(page.locator(".box", has_text="Add")).to_have_count(1)


def test_levels(show: Show) -> None:
    page = show("?model=residual")
    page.get_by_role("button", name="One level more").click()
    said(page, expanded="layer ")
    page.get_by_role("button", name="Open all modules").click()
    said(page, expanded="all")
    expect(page.locator(".box", has_text="Add")).to_have_count(6)
    page.get_by_role("button", name="Close all modules").click()
    said(page, expanded=" colour")


def test_search_steps_through_hits_and_opens_what_hides_them(show: Show) -> None:
    page = show("?model=residual")
    field = page.get_by_role("searchbox")
    field.fill("conv1")
    expect(page.locator(".hits li")).to_have_count(6)
    expect(page.locator(".find .count")).to_have_text("0/6")
    field.press("Enter")
    said(page, selected="layer.0.conv1", expanded="layer,layer.0 ")
    expect(page.locator(".find .count")).to_have_text("1/6")
    field.press("Enter")
    said(page, selected="layer.1.conv1")
    expect(page.locator(".box.hit")).not_to_have_count(0)
    field.press("Escape")
    expect(page.locator(".box.hit")).to_have_count(0)


def test_walking_by_keys(show: Show) -> None:
    page = show("?model=inception&expanded=all")
    page.locator(".stage").focus()
    page.keyboard.press("Home")
    said(page, selected="input")
    page.keyboard.press("ArrowDown")
    said(page, selected="stem")
    page.keyboard.press("ArrowDown")
    said(page, selected="mixed0.branch0")
    page.keyboard.press("ArrowRight")
    said(page, selected="mixed0.branch1.0")
    page.keyboard.press("ArrowUp")
    said(page, selected="stem")
    page.keyboard.press("End")
    said(page, selected="output")
    page.keyboard.press("Escape")
    said(page, selected="None")
    before = camera(page)
    page.keyboard.press("ArrowDown")
    assert camera(page)[1] == pytest.approx(before[1] - 80)
    page.keyboard.press("+")
    assert camera(page)[2] > before[2]


def test_selection_lights_the_ways_and_dims_the_rest(show: Show) -> None:
    page = show("?model=inception&expanded=all&select=mixed0.branch2.1")
    expect(page.locator(".lit .direct.line")).to_have_count(1)
    expect(page.locator(".lit .up")).to_have_count(1)
    # 2 blocks of 1+2+3+4 convolutions: the other branches of the first (1+2+4) are on no way.
    expect(page.locator(".box.dim")).to_have_count(7)


def test_colour_changes_with_its_legend(show: Show) -> None:
    page = show("?model=residual&expanded=all")
    # convolution, linear, normalisation, activation, elementwise
    expect(page.locator(".legend .entry")).to_have_count(5)
    face = page.locator(".box .face").nth(1)
    before = face.evaluate("e => getComputedStyle(e).fill")
    page.get_by_label("Colour by").select_option(label="MACs")
    expect(page.locator(".legend")).to_contain_text("MAC")
    expect(page.locator(".legend")).to_contain_text("logarithmic scale")
    assert face.evaluate("e => getComputedStyle(e).fill") != before
    said(page, colour="macs")
    page.get_by_label("Colour by").select_option(label="Place in order")
    said(page, colour="rank")
    page.get_by_label("Colour by").select_option("kind")
    assert face.evaluate("e => getComputedStyle(e).fill") == before


def test_export_is_the_whole_graph(show: Show, tmp_path: Path) -> None:
    page = show("?model=dense&expanded=all")
    page.get_by_label("Colour by").select_option("params")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="SVG").click()
    path = tmp_path / "graph.svg"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == "dense-graph.svg"
    root = ET.parse(path).getroot()
    names = {"s": "http://www.w3.org/2000/svg"}
    groups = [g.get("class") or "" for g in root.iterfind(".//s:g", names)]
    # stem, cat + norm + conv of 8 layers, the last cat, fc, input and output
    assert sum(name.startswith("box ") for name in groups) == 1 + 3 * 8 + 1 + 1 + 2
    assert "toggle" not in " ".join(groups)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    path = tmp_path / "graph.png"
    waiting.value.save_as(path)
    with Image.open(path) as image:
        width, height = float(root.get("width", 0)), float(root.get("height", 0))
        assert image.height / image.width == pytest.approx(height / width, rel=0.01)
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 20  # something is drawn


def test_wheel_drag_and_fit(show: Show) -> None:
    page = show("?model=dense&expanded=all")
    before = camera(page)
    page.mouse.move(700, 450)
    page.mouse.wheel(0, 400)
    zoomed = camera(page)
    assert zoomed[2] < before[2]
    page.mouse.down()
    page.mouse.move(760, 400, steps=4)
    page.mouse.up()
    moved = camera(page)
    assert moved[0] - zoomed[0] == pytest.approx(60, abs=6)
    assert moved[1] - zoomed[1] == pytest.approx(-50, abs=6)
    said(page, selected="None")  # a drag is not a click
    page.get_by_role("button", name="Fit the whole graph").click()
    camera(page)
    bounds = page.locator(".world").bounding_box()
    stage = page.locator(".stage").bounding_box()
    assert bounds
    assert stage
    assert bounds["y"] >= stage["y"] - 1
    assert bounds["y"] + bounds["height"] <= stage["y"] + stage["height"] + 1
    expect(page.locator(".map")).to_have_class(re.compile("idle"))


def test_minimap_moves_the_view(show: Show) -> None:
    page = show("?model=dense&expanded=all")
    before = camera(page)
    spot = page.locator(".map canvas").bounding_box()
    assert spot
    page.mouse.click(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] - 5)
    assert camera(page)[1] < before[1] - 500


def test_hover_tells_shape_and_cost(show: Show) -> None:
    page = show("?model=residual")
    box(page, "Conv2d").hover()
    tip = page.locator(".tip")
    expect(tip).to_be_visible()
    # 3·3·3·16 = 432 weights, 432·32·32 = 442,368 MACs
    for text in ("stem", "16×32×32", "432", "442\u202fk MAC"):
        expect(tip).to_contain_text(text)


def test_pinch_zooms(page: Page, show: Show) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    show("?model=dense&expanded=all")
    before = camera(page)

    def touch(kind: str, *spread: int) -> None:
        points = [{"x": 190 + side, "y": 450, "id": at} for at, side in enumerate(spread)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -30, 30)
    for reach in range(35, 95, 5):
        touch("touchMove", -reach, reach)
    touch("touchEnd")
    # 60 px apart, then 180: about three times as large
    assert camera(page)[2] / before[2] == pytest.approx(3, rel=0.15)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    session.detach()  # and with it the touch screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_themes(page: Page, show: Show, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show("?model=residual")
    ink, face = page.locator(".box .title").nth(1), page.locator(".box .face").nth(1)
    light = [_luminance(part.evaluate("e => getComputedStyle(e).fill")) for part in (ink, face)]
    high, low = max(light), min(light)
    assert (high + 0.05) / (low + 0.05) > 7  # WCAG AAA
    assert (light[1] > light[0]) == (scheme == "light")


def _luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_flow_to_the_right(show: Show) -> None:
    page = show("?model=inception&direction=right&select=stem")
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    said(page, selected="mixed0")
    page.keyboard.press("ArrowLeft")
    said(page, selected="stem")


def test_a_selection_that_does_not_exist_shows_the_graph(show: Show) -> None:
    page = show("?model=residual&select=nowhere")
    expect(page.locator(".ring rect")).to_have_count(0)
    expect(page.locator(".world .box")).not_to_have_count(0)


def test_parts_have_names(show: Show) -> None:
    page = show("?model=residual")
    nameless = page.locator(".graph-view button:not([aria-label]):not([title])")
    assert [b.inner_text() for b in nameless.all()] == ["residual"]  # the breadcrumb says its text
    assert page.locator(".stage").get_attribute("aria-label") == "Layer graph"
    assert "Arrow keys" in (page.locator(".stage").get_attribute("aria-description") or "")


def test_nothing_scrolls_inside_the_view(show: Show) -> None:
    # Browsers scroll to what gets the focus; what is painted beyond the stage must not invite it.
    page = show("?model=dense&expanded=all")
    view = page.locator(".view")
    view.evaluate("e => { e.scrollTop = 300; e.scrollLeft = 300; }")
    assert view.evaluate("e => [e.scrollTop, e.scrollLeft]") == [0, 0]
