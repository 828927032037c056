"""The front page in a browser: circles measured, axes picked, years played, networks lassoed."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, hears_clicks, settle

Visit = Callable[[str], Page]
CHART = ".st-key-bubble-figure .js-plotly-plot"
# Every circle with its row: the path's box is the circle without its outline.
CIRCLES_JS = """(chart) => [...document.querySelectorAll(`${chart} .scatterlayer .trace`)]
  .flatMap((group) => {
    const trace = group.__data__[0].trace;
    return !trace.customdata ? [] : [...group.querySelectorAll('.point')].map((path) => {
      const { width, height } = path.getBBox();
      const at = path.getBoundingClientRect();
      return { id: trace.customdata[path.__data__.i][2], width, height,
        x: at.x + at.width / 2, y: at.y + at.height / 2, fill: getComputedStyle(path).fill };
    });
  })"""
# Names in the plot, without the notes of the area legend below them.
NAMES_JS = """([chart, words]) => [...document.querySelectorAll(`${chart} .annotation-text`)]
  .filter((text) => words.includes(text.textContent.replace(' †', '')))
  .map((text) => { const b = text.getBoundingClientRect();
    return [text.textContent, b.left, b.top, b.right, b.bottom]; })"""


def paper() -> list[dict[str, str]]:
    with (ROOT / "assets/data/canziani2016.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def circles(page: Page) -> dict[str, dict[str, Any]]:
    page.locator(f"{CHART} .scatterlayer .point").first.wait_for()
    return {one["id"]: one for one in page.evaluate(CIRCLES_JS, CHART)}


def test_circles_of_2016_have_the_areas_and_colours_of_the_table(visit: Visit) -> None:
    found = circles(visit("/"))
    rows = paper()
    assert set(found) == {f"2016:{row['network']}" for row in rows}
    scale = []
    for row in rows:
        circle = found[f"2016:{row['network']}"]
        assert circle["width"] == pytest.approx(circle["height"], rel=0.005)
        scale.append(math.pi / 4 * circle["width"] ** 2 / float(row["params_m"]))
        red, green, blue = (int(row["colour_hex"][i : i + 2], 16) for i in (1, 3, 5))
        assert circle["fill"] == f"rgb({red}, {green}, {blue})"
    print(f"\nspread of area over parameters: {max(scale) / min(scale) - 1:.4%}")
    assert max(scale) / min(scale) < 1.01


@pytest.mark.parametrize(
    "size",
    [
        (1440, 900),
        *(pytest.param(size, marks=pytest.mark.slow) for size in [(1024, 768), (1920, 1080)]),
    ],
)
def test_no_name_of_2016_covers_another(visit: Visit, page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visit("/")
    circles(page)
    settle(page)
    names = page.evaluate(NAMES_JS, [CHART, [row["network"] for row in paper()]])
    assert len(names) == 14
    clashes = [
        (a[0], b[0]) for a, b in combinations(names, 2)
        if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]
    ]  # fmt: skip
    print(f"\n{size}: {len(clashes)} collisions of {len(names)} names")
    assert clashes == []


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_label(re.compile(label)).last.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def title(page: Page, axis: str) -> str:
    return page.locator(f"{CHART} .{axis}title").first.text_content() or ""


@pytest.mark.slow
def test_axes_are_picked_and_the_link_restores_them(visit: Visit) -> None:
    page = visit("/?data=today")
    circles(page)
    pick(page, "Horizontal axis", "Activation memory")
    pick(page, "Vertical axis", "Accuracy per parameter")
    assert "Activation memory" in title(page, "x")
    assert "x=activation_bytes" in page.url
    assert "y=top1_per_mparam" in page.url
    other = page.context.new_page()
    other.goto(page.url)
    circles(other)
    settle(other)
    assert "Activation memory" in title(other, "x")
    assert "Accuracy per parameter" in title(other, "y")


@pytest.mark.slow
def test_the_years_play_and_the_front_moves(visit: Visit) -> None:
    page = visit("/?data=today&play=1&until=2013")
    assert len(circles(page)) < 5
    said = page.locator(f"{CHART} .annotation-text").filter(has_text=re.compile("^20"))
    expect(said).to_have_text(re.compile("^2013"))
    page.locator(f"{CHART} .updatemenu-button").first.click()
    expect(said).to_have_text(re.compile("^2026"), timeout=40_000)
    assert len(circles(page)) > 100
    page.locator(f"{CHART} .slider-grip-rect").first.wait_for()


def test_a_lasso_lists_networks_and_leads_to_the_comparison(visit: Visit) -> None:
    page = visit("/")
    found = circles(page)
    page.locator(CHART).first.hover()
    page.locator(f'{CHART} .modebar-btn[data-val="lasso"]').first.click(force=True)
    around = [found["2016:ResNet-18"], found["2016:ResNet-34"], found["2016:ENet"]]
    left, right = min(c["x"] for c in around) - 24, max(c["x"] for c in around) + 24
    top, bottom = min(c["y"] for c in around) - 24, max(c["y"] for c in around) + 24
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    heading = page.get_by_role("heading", name=re.compile("networks? selected"))
    expect(heading).to_be_visible()
    settle(page)
    inside = [i for i, c in found.items() if left <= c["x"] <= right and top <= c["y"] <= bottom]
    expect(heading).to_have_text(f"{len(inside)} networks selected")
    link = page.get_by_role("link", name=re.compile("^Compare .*,")).last
    assert "compare=" in (link.get_attribute("href") or "")
    with page.expect_download() as waiting:
        page.get_by_test_id("stDownloadButton").filter(has_text="CSV").first.click()
    text = waiting.value.path().read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(inside) + 1


@pytest.mark.slow
def test_a_click_opens_a_network_of_timm(visit: Visit) -> None:
    page = visit("/?data=today&timm=1&q=convnext_atto&density=0&labels=none")
    hears_clicks(page, CHART)
    found = circles(page)
    target = next(one for one in found.values())
    page.mouse.click(target["x"], target["y"])
    expect(page.get_by_text(re.compile("convnext_atto.* is the chosen model"))).to_be_visible()
    expect(page).to_have_url(re.compile("model=timm"))


@pytest.mark.parametrize("kind", ["SVG", pytest.param("PNG", marks=pytest.mark.slow)])
def test_pictures_are_made_in_the_browser(visit: Visit, kind: str) -> None:
    page = visit("/")
    circles(page)
    page.get_by_text("As a picture, as a table").click()
    with page.expect_download() as waiting:
        page.locator(".stBidiComponent").get_by_role("button", name=kind, exact=True).click()
    data = waiting.value.path().read_bytes()
    if kind == "PNG":
        assert data[:4] == b"\x89PNG"
        assert len(data) > 50_000
    else:
        text = data.decode()
        assert text.count('class="point') >= 14
        assert "VGG-16" in text
        assert "modebar" not in text
        other = page.context.new_page()
        other.set_content(text)
        assert other.locator("svg .point").count() >= 14


def test_the_print_page_is_one_page_with_the_chart(visit: Visit) -> None:
    page = visit("/")
    circles(page)
    page.get_by_text("As a picture, as a table").click()
    page.locator(".stBidiComponent").get_by_role("button", name="PDF (print)").click()
    frame = page.locator("iframe.bubble-print")
    expect(frame).to_be_attached()
    other = page.context.new_page()
    other.set_content(frame.get_attribute("srcdoc") or "")
    data = other.pdf(prefer_css_page_size=True)
    assert data[:5] == b"%PDF-"
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1


@pytest.mark.slow
def test_the_html_file_works_alone(visit: Visit, tmp_path: Path) -> None:
    page = visit("/")
    circles(page)
    page.get_by_text("As a picture, as a table").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML, works offline").click()
    other = page.context.new_page()
    waiting.value.save_as(tmp_path / "chart.html")
    other.goto((tmp_path / "chart.html").as_uri())
    other.locator(".scatterlayer .point").first.wait_for()
    assert other.locator(".scatterlayer .point").count() >= 14


def test_embedded_the_chart_stands_alone(visit: Visit) -> None:
    page = visit("/?embed=1")
    assert len(circles(page)) == 14
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect(page.get_by_role("heading")).to_have_count(0)
    expect(page.get_by_label(re.compile("Horizontal axis"))).to_be_hidden()
    other = visit("/?embed=1&data=today&x=params&lang=zh")
    circles(other)
    assert title(other, "x").startswith("参数")


@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    # Each size in both languages and themes; all eight are more than they tell.
    [
        ((390, 844), "zh", "light"),
        ((1024, 768), "en", "dark"),
        pytest.param((390, 844), "en", "dark", marks=pytest.mark.slow),
        pytest.param((1024, 768), "zh", "light", marks=pytest.mark.slow),
    ],
)
def test_phone_and_projector_in_both_themes_and_languages(
    visit: Visit, page: Page, size: tuple[int, int], language: str, scheme: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit(f"/?lang={language}")
    assert len(circles(page)) == 14
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = "rgb(250, 250, 250)" if scheme == "dark" else "rgb(49, 51, 63)"
    expect(page.locator(f"{CHART} .xtitle").first).to_have_css("fill", ink)


@pytest.mark.slow
def test_the_papers_look_is_one_click_away(visit: Visit) -> None:
    page = visit("/?x=params&pareto=1")
    circles(page)
    page.get_by_role("button", name="View").click()
    page.get_by_role("button", name="The paper's look").click()
    settle(page)
    expect(page).not_to_have_url(re.compile("x=params"))
    assert title(page, "x").startswith("Operations")
