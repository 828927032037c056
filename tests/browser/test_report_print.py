"""The report on paper: printed by Chromium as a person does, the PDF read back."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from pypdf import PageObject, PdfReader

from explorer.charts.compare import CompareEntry, compare_bars, compare_predictions
from explorer.charts.compare_lines import parallel
from explorer.charts.paired import paired_chart
from explorer.charts.theme import COLORWAY
from explorer.compare_report import Section, html_report
from explorer.compare_table import table
from explorer.i18n import set_language
from explorer.paired import Ratio
from explorer.results import ClassScore, Prediction

NAMES = ("EfficientNet-Lite0", "ResNet-18", "ViT-B/16", "GoogLeNet")
VALUES = ((4.65, 0.385), (11.69, 1.814), (86.57, 17.564), (6.62, 1.498))  # millions, GMACs
LINK = "http://127.0.0.1:8501/compare?compare=tf_efficientnet_lite0,resnet18,vit_b_16,googlenet"
PAPER = "https://arxiv.org/abs/1512.03385"
INSIDE = 680  # CSS pixels between margins of 15 mm on A4: (210 - 30) / 25.4 · 96 = 680.3
INSIDE_HEIGHT = 944  # on Letter, the shorter: (279.4 - 30) / 25.4 · 96 = 942.6
# What stands first and last in each figure and its title: all on one page.
TOGETHER = (
    ("The same image", "class 7", "Probability"),
    ("Timed in turn", "takes 12.487×", "ratio within rounds"),
)
MEASURE_JS = """() => {
  const rows = [...document.querySelectorAll('body *')].filter((one) => one.getClientRects().length
    && !one.closest('defs, .modebar-container, .hoverlayer, .draglayer, clipPath'));
  const boxes = (found) => [...document.querySelectorAll(found)].map((one) => {
    const { width, height } = one.getBoundingClientRect();
    return [width, height];
  });
  return {
    wide: rows.filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => `${one.tagName}.${one.getAttribute('class')}`),
    scroll: document.documentElement.scrollWidth,
    figures: boxes('figure'),
    drawings: boxes('.js-plotly-plot .main-svg:first-of-type'),
    controls: [...document.querySelectorAll('.modebar-container, button, input, select')]
      .filter((one) => one.getClientRects().length).length,
    ground: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
  };
}"""


def close(text: str) -> str:
    """Without spaces, which lines of a PDF lose, and with letters for ligatures and radicals."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def text_of(page: PageObject) -> str:
    return close(page.extract_text() or "")


def place_of(pages: Sequence[PageObject], text: str) -> tuple[int, float]:
    """(page, points above its lower edge, negative) of a piece of text; the last one."""
    found: list[tuple[int, float]] = []

    def look(
        number: int, said: str, ours: list[float], text_at: list[float], *_font: object
    ) -> None:
        if close(text) in close(said):
            down = text_at[4] * ours[1] + text_at[5] * ours[3] + ours[5]
            found.append((number, -down))

    for number, page in enumerate(pages):
        page.extract_text(visitor_text=partial(look, number))
    assert found, text
    return found[-1]


def prediction(number: int) -> Prediction:
    """Two classes of its own for each model."""
    top = tuple(
        ClassScore(index, f"class {index}", 0.9 if place == 0 else 0.1, 0.0)
        for place, index in enumerate((2 * number, 2 * number + 1))
    )
    return Prediction("m", None, top, np.zeros((1, 1, 3), np.uint8), 0.1, "cpu")


def sections() -> list[Section]:
    """As the page makes them for four models, with a table that is longer than a page."""
    rows = table([{"params": params, "macs": macs} for params, macs in VALUES], 0)
    entries = [
        CompareEntry(name, params * 1e6, macs * 1e9, 80e6, 74.85, COLORWAY[number])
        for number, (name, (params, macs)) in enumerate(zip(NAMES, VALUES, strict=True))
    ]
    ratios = [Ratio(1, 1, 1, 20), Ratio(1.2, 1.1, 1.3, 20), Ratio(12.5, 10, 14, 20)]
    ratios.append(Ratio(1.9, 1.7, 2.3, 20))
    others = list(enumerate(NAMES))[1:]
    records = [
        {"Quantity": row.quantity.title}
        | {name: row.text(place) for place, name in enumerate(NAMES)}
        | {f"{name} / {NAMES[0]}": row.against_text(place) for place, name in others}
        for row in rows
    ]
    long = [{"Layer": f"layer {number}", "Shape": "1×64×56×56"} for number in range(60)]
    said = [(name, prediction(number)) for number, name in enumerate(NAMES)]
    what = "conv2d changed: groups, in_channels, kernel, out_channels, padding, stride"
    changes = [f"{number} {what}" for number in range(30)]
    return [
        Section("Numbers", ["Counted."], records=records,
                figures=[compare_bars(entries, width=680), parallel(rows, NAMES, 0, width=680)]),
        Section("From EfficientNet-Lite0 to ViT-B/16", items=changes),
        Section("The same image", figures=[compare_predictions(said, most=2)]),
        Section("Timed in turn", ["ViT-B/16 takes 12.487× as long."], figures=[
            paired_chart(NAMES, ratios, [0.045, 0.055, 0.545, 0.087], COLORWAY[:4])]),
        Section("All layers", records=long),
        Section("Settings", records=[{"Model": "resnet18", "Paper": PAPER}]),
    ]  # fmt: skip


@pytest.fixture
def report(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The file, opened by someone whose browser is dark."""
    file = tmp_path / "report.html"
    file.write_bytes(html_report(" · ".join(NAMES), LINK, sections()))
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    yield page
    context.close()


def test_the_report_is_printed_whole_on_both_papers(report: Page, tmp_path: Path) -> None:
    for paper in ("A4", "Letter"):  # the second time, from a page that was printed before
        file = tmp_path / f"{paper}.pdf"
        report.pdf(path=file, format=paper, print_background=True)
        check(PdfReader(file))


def check(pdf: PdfReader) -> None:
    pages = [text_of(page) for page in pdf.pages]
    assert 5 <= len(pages) <= 8, len(pages)
    assert all(len(text) > 20 for text in pages), "no page is empty"
    said = "".join(pages)
    for text in (LINK, PAPER, *NAMES, "layer 0", "layer 59", *(one.title for one in sections())):
        assert close(text) in said, text
    for together in TOGETHER:
        assert any(all(close(part) in text for part in together) for text in pages), together
    # What stands below a figure begins after its last words: no figure lies over other text.
    order = ("Probability", "Timed in turn", "ratio within rounds", "All layers")
    places = [place_of(pdf.pages, text) for text in order]
    assert places == sorted(places), places
    shapes = [text for text in pages if "1×64×56×56" in text]
    assert len(shapes) >= 2, "the long table takes more than a page"
    assert all("LayerShape" in text for text in shapes), "its head stands on each"
    links = {
        note.get_object().get("/A", {}).get("/URI")
        for page in pdf.pages
        for note in page.get("/Annots", [])
    }
    assert {LINK, PAPER} <= links


def test_nothing_is_wider_than_the_page_or_higher(report: Page) -> None:
    wide = report.evaluate(MEASURE_JS)["drawings"][0][0]
    report.set_viewport_size({"width": INSIDE, "height": INSIDE_HEIGHT})
    report.emulate_media(media="print", color_scheme="dark")
    report.wait_for_timeout(500)
    found = report.evaluate(MEASURE_JS)
    assert not found["wide"], found["wide"][:10]
    assert found["scroll"] <= INSIDE
    assert len(found["figures"]) == 4
    assert all(width <= INSIDE and height <= INSIDE_HEIGHT for width, height in found["figures"])
    assert all(width <= INSIDE for width, _height in found["drawings"])
    heights = [figure.layout.height for section in sections() for figure in section.figures]
    assert [height for _width, height in found["drawings"]] == heights, "not stretched"
    assert found["controls"] == 0
    assert (found["ground"], found["ink"]) == ("rgb(255, 255, 255)", "rgb(49, 51, 63)")
    report.emulate_media(media="screen")
    report.set_viewport_size({"width": 1280, "height": 720})
    report.wait_for_timeout(500)
    again = report.evaluate(MEASURE_JS)["drawings"][0][0]
    assert again == pytest.approx(wide, abs=2), "the screen has its own width again"


def test_it_prints_in_chinese(browser: Browser, tmp_path: Path) -> None:
    set_language("zh")
    try:
        data = html_report("比较", LINK, [Section("数值", ["批大小 1"], items=["新增 4 个卷积"])])
    finally:
        set_language("en")
    (tmp_path / "zh.html").write_bytes(data)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "zh.html").as_uri())
    page.pdf(path=tmp_path / "zh.pdf", format="A4")
    assert page.locator("html").get_attribute("lang") == "zh"
    context.close()
    text = "".join(text_of(page) for page in PdfReader(tmp_path / "zh.pdf").pages)
    for part in ("比较", "数值", "批大小 1", "新增 4 个卷积"):
        assert close(part) in text
