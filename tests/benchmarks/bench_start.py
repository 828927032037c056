"""How soon the front page shows, against a Streamlit app of one line; run by ``make bench``.

Times are of this machine at this moment, in seconds; the bounds are ratios or those of the product.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, STILL_JS, running_app, settle

ROUNDS = 5
MAX_RATIO = 1.5  # first content of the front page over that of one line
MAX_CHANGE = 0.5  # seconds, a change of page once everything is warm
LONG = 120_000  # milliseconds: the worker imports torch
ONE_LINE = 'import streamlit as st\n\nst.title("One line")\n'
SHOWS_JS = """() => [...document.querySelectorAll(
  '.stMain [data-testid="stElementContainer"]')].some(
    e => e.offsetHeight && !e.querySelector('[data-testid$="Skeleton"]'))"""
# From the click until the first frame in which the other page is there and still: in the page, for
# a test's own way to the browser and back takes a tenth of a second that no visitor waits.
WATCH_JS = """path => {
  window.changed = null;
  const look = begin => {
    const there = location.pathname.startsWith('/' + path)
      && document.querySelector('.stMain h1') !== null && (STILL)();
    if (there) window.changed = (performance.now() - begin) / 1000;
    else requestAnimationFrame(() => look(begin));
  };
  document.addEventListener(
    'click', () => look(performance.now()), { capture: true, once: true });
}""".replace("STILL", STILL_JS)
PAGES = ("history", "graph", "complexity", "attribution", "latency", "compare")


def report(**numbers: float) -> None:
    print("\n" + "  ".join(f"{name}={value:.3f}" for name, value in numbers.items()))


def first_content(browser: Browser, address: str) -> float:
    """Seconds from asking for the page until something shows in its main area; a first visit."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(SHOWS_JS, polling=10)
    seconds = time.perf_counter() - begin
    settle(page)  # what comes after must not run into the next round
    context.close()
    return seconds


def test_first_content_of_the_front_page(browser: Browser, tmp_path: Path) -> None:
    script = tmp_path / "one_line.py"
    script.write_text(ONE_LINE)
    (tmp_path / "one").mkdir()
    (tmp_path / "all").mkdir()
    with running_app(tmp_path / "one", script) as one, running_app(tmp_path / "all") as whole:
        first_content(browser, one)  # the browser's own first time
        cold = first_content(browser, whole + "/")
        pairs = [
            (first_content(browser, one), first_content(browser, whole + "/"))
            for _ in range(ROUNDS)
        ]
    simple, front = (statistics.median(times) for times in zip(*pairs, strict=True))
    report(one_line=simple, front=front, ratio=front / simple, front_cold=cold)
    assert front / simple <= MAX_RATIO


@pytest.mark.parametrize("path", PAGES)
def test_warm_change_of_page(visit: Callable[[str], Page], path: str) -> None:
    page = visit("/")
    expect(page.get_by_text("The device is being looked up")).to_have_count(0, timeout=LONG)
    link = page.locator(f'a[href$="/{path}"], a[href*="/{path}?"]').first
    home = page.locator('a[data-testid="stSidebarNavLink"]').first
    if not home.is_visible():
        home = page.locator('a[data-testid="stTopNavLink"]').first
    times, outside = [], []
    for number in range(ROUNDS + 1):
        page.evaluate(WATCH_JS, path)
        begin = time.perf_counter()
        link.click()
        changed = page.wait_for_function("() => window.changed", polling=50)
        if number:
            outside.append(time.perf_counter() - begin)
            times.append(float(changed.json_value()))
        else:  # not warm: what the page asks a worker for is there from now on
            expect(page.locator(".stProgress")).to_have_count(0, timeout=LONG)
            settle(page, quiet=2)
        home.click()
        settle(page)
    report(**{path: statistics.median(times), "with_playwright": statistics.median(outside)})
    assert statistics.median(times) < MAX_CHANGE


def test_imports_of_the_server() -> None:
    """Seconds that the app adds to Streamlit's own import."""

    def seconds(code: str) -> float:
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    alone = seconds("import streamlit")
    with_app = seconds("import streamlit, explorer.ui.page, explorer.charts.bubble")
    report(streamlit=alone, with_app=with_app)
    assert with_app - alone < 1.0
