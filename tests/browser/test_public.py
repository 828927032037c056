"""A public server under attack by text: it shows as text; a page that fails says one sentence."""

from __future__ import annotations

import io
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Seen, running_app, settle

SCRIPT = "<script>window.__done=1</script>"
HANDLER = '<img src=x onerror="window.__done=1">'
LINK = "[x](javascript:window.__done=1)"
MARKUP = "**bold1** $x^2$ :red[red1] `code1` ![p](http://evil.example/p.png) <b>bold2</b>"
FIELDS = "{0.__class__} {model} {} %s %(a)s"
UNSEEN = "nul\x00bidi\u202eend"
PAYLOADS = (SCRIPT, HANDLER, LINK, MARKUP, FIELDS, UNSEEN)
ALL_IN_ONE = " ".join(PAYLOADS)
PAGES = ("", "history", "graph", "complexity", "attribution", "latency", "compare")
PARAMETERS = (
    "model", "weights", "compare", "lang", "view", "methods", "method", "image", "target", "layer",
    "other", "other_weights", "select", "figure", "upto", "batch", "seconds", "claim", "family",
    "search", "x", "y", "chart", "expanded", "entry", "mode", "dtype",
)  # fmt: skip
# What the payloads would be if one of them were taken for more than text.
ACTIVE_JS = """() => ({
  done: window.__done ?? null,
  scripts: [...document.querySelectorAll('script')].filter(e => e.text.includes('__done')).length,
  handlers: document.querySelectorAll('[onerror]').length,
  links: [...document.querySelectorAll('a')].filter(e => /^javascript:/i.test(e.href)).length,
  images: [...document.images].filter(e => /evil|\\/x$/.test(e.src)).length,
  marked: [...document.querySelectorAll('strong, b, code, em, .katex, span[style*="color"]')]
    .filter(e => /bold1|bold2|code1|red1/.test(e.textContent) || e.matches('.katex')).length,
})"""
QUIET = {"done": None, "scripts": 0, "handlers": 0, "links": 0, "images": 0, "marked": 0}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("public"), EXPLORER_PUBLIC="1") as found:
        yield found


def test_the_looking_sees_what_is_active(page: Page) -> None:
    page.set_content(f"<p>{HANDLER}<strong>bold1</strong><a href='javascript:1'>x</a></p>")
    page.wait_for_function("window.__done === 1")
    found = page.evaluate(ACTIVE_JS)
    assert (found["done"], found["handlers"], found["links"], found["marked"]) == (1, 1, 1, 1)


# The front page and the one with most controls at every run, with two payloads; all pages with
# each payload by itself with ``make test-all``.
@pytest.mark.parametrize(
    ("path", "payloads"),
    [
        ("", (SCRIPT, ALL_IN_ONE)),
        pytest.param("attribution", (SCRIPT, ALL_IN_ONE), marks=pytest.mark.slow),
        *(pytest.param(path, PAYLOADS, marks=pytest.mark.slow) for path in PAGES),
    ],
)
def test_parameters_show_as_text(
    page: Page, address: str, path: str, payloads: tuple[str, ...]
) -> None:
    for payload in payloads:
        query = urllib.parse.urlencode(dict.fromkeys(PARAMETERS, payload))
        page.goto(f"{address}/{path}?{query}", wait_until="commit")
        settle(page)
        assert page.evaluate(ACTIVE_JS) == QUIET, (path, payload)
        assert page.get_by_text("Traceback").count() == 0
        assert page.get_by_text("This page has failed").count() == 0, (path, payload)
    # The last one is said back, and turns nothing around.
    assert "\u202e" not in page.locator("body").inner_text()


@pytest.mark.slow
def test_a_model_of_this_name_is_said_back_as_it_was_typed(page: Page, address: str) -> None:
    for payload in (SCRIPT, HANDLER, LINK, FIELDS):
        page.goto(f"{address}/complexity?{urllib.parse.urlencode({'model': payload})}")
        settle(page)
        shown = page.get_by_test_id("stAlert").first.inner_text()
        assert payload in shown


def test_file_names_and_exif_show_as_text(page: Page, address: str) -> None:
    page.goto(f"{address}/attribution?methods=saliency", wait_until="commit")
    settle(page)
    names = (f"{SCRIPT}{HANDLER}", f"{LINK}{MARKUP}", f"{FIELDS}bidi\u202eend")
    for number, payload in enumerate(names):
        exif = Image.Exif()
        for tag in (0x010E, 0x010F, 0x0131, 0x013B, 0x8298):  # description, make, software, …
            exif[tag] = payload.encode("utf-8", "replace").decode("latin-1")
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (number * 30, 90, 90)).save(buffer, "JPEG", exif=exif)
        file = {"name": f"{payload}.jpg".replace("/", "_"), "mimeType": "image/jpeg"}
        page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(
            [{**file, "buffer": buffer.getvalue()}]  # type: ignore[list-item]
        )
        settle(page)
        assert page.evaluate(ACTIVE_JS) == QUIET, payload
        # Elsewhere and back: the button that leaves the upload names the file.
        page.get_by_role("link", name="Complexity").first.click()
        settle(page)
        page.get_by_role("link", name="Attribution").first.click()
        settle(page)
        expect(page.get_by_role("button", name=re.compile("Back to the samples"))).to_be_visible()
        assert page.evaluate(ACTIVE_JS) == QUIET, payload


def test_the_search_field_shows_text(page: Page, address: str) -> None:
    page.goto(f"{address}/complexity", wait_until="commit")
    settle(page)
    page.get_by_role("button", name="Search all models").click()  # makes its field
    expect(page.get_by_label("Name, family or year")).to_be_visible()
    for payload in PAYLOADS:
        field = page.get_by_label("Name, family or year")
        field.fill(payload.replace("\x00", ""))
        field.press("Enter")
        settle(page)
        assert page.evaluate(ACTIVE_JS) == QUIET, payload


FAILING = """
import streamlit as st
from explorer.ui.faults import show_fault
from explorer.ui.lifecycle import lifespan

app = st.App(PAGE, lifespan=lifespan, on_script_error=show_fault)
"""
FAILING_PAGE = """
import streamlit as st

def fail():
    raise RuntimeError("secret of /var/lib/explorer/key")

st.title("A page")
if st.button("Fail"):
    fail()
"""


@pytest.mark.parametrize("public", ["1", pytest.param("0", marks=pytest.mark.slow)])
def test_a_page_that_fails(page: Page, seen: Seen, tmp_path: Path, public: str) -> None:
    (tmp_path / "page.py").write_text(FAILING_PAGE)
    app = tmp_path / "failing.py"
    app.write_text(FAILING.replace("PAGE", repr(str(tmp_path / "page.py"))))
    variables = {"EXPLORER_PUBLIC": public, "PYTHONPATH": str(ROOT)}
    with running_app(tmp_path, app, **variables) as address:
        page.goto(address, wait_until="commit")
        settle(page)
        page.get_by_role("button", name="Fail").click()
        settle(page)
        shown = page.locator("body").inner_text()
        log = re.sub(r"\x1b\[[0-9;]*m", "", (tmp_path / "server.log").read_text())
    assert "RuntimeError: secret of" in log
    if public == "0":
        assert "RuntimeError" in shown
        return
    assert "A page" in shown
    for word in ("RuntimeError", "secret", "/var", "Traceback", "page.py"):
        assert word not in shown
    (number,) = re.findall(
        r"This page has failed; load it again, and if that does not help, tell whoever runs this "
        r"server the number ([0-9a-f]{8})\.",
        shown,
    )
    assert f"fault {number}" in log
