"""How long a step of a talk takes in Chromium once the tour was seen: press a key, see the view.

A step is over when its address, its page's words and its picture are there and nothing runs.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from explorer.tour import SHIPPED, read_tour
from tests.browser.conftest import STILL_JS, settle

LIMIT = 1.0  # seconds
STEPS = read_tour(SHIPPED)
THERE_JS = "step => new URLSearchParams(location.search).get('step') === step"


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1920, 1080)])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_steps_of_a_warm_tour(
    visit: Callable[[str], Page], width: int, height: int, lang: str
) -> None:
    page = visit("/latency")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{page.url.split('/latency')[0]}/?talk=1&lang={lang}")
    settle(page)
    for number in range(2, len(STEPS) + 1):  # what is cold is made warm
        page.keyboard.press("PageDown")
        expect(page).to_have_url(re.compile(rf"step={number}(&|$)"), timeout=60_000)
        expect(page.locator(".stProgress")).to_have_count(0, timeout=120_000)
        settle(page)
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile(r"step=1(&|$)"))
    settle(page)
    page.wait_for_timeout(1500)
    times = []
    for number in range(2, len(STEPS) + 1):
        begin = time.perf_counter()
        page.keyboard.press("PageDown")
        page.wait_for_function(THERE_JS, arg=str(number), polling=20)
        page.wait_for_function(STILL_JS, polling=20)
        times.append(time.perf_counter() - begin)
        settle(page)
        page.wait_for_timeout(1200)
    said = " ".join(f"{number}:{seconds:.2f}" for number, seconds in enumerate(times, 2))
    print(f"\n{width}×{height} {lang}: median {statistics.median(times):.2f} s, {said}")
    assert max(times) < LIMIT
