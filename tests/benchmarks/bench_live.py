"""How often the latency page shows new numbers, and how soon a long map is cancelled."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.test_latency import RUNS_JS

LONG = 120_000  # milliseconds: the worker may still be importing torch
UPDATES = 2.0  # a second, at least
CANCEL_LIMIT = 1.0  # seconds from the click to the word that it is cancelled
SECONDS = 6
ROUNDS = 3
UPDATES_JS = f"""async () => {{
  const runs = {RUNS_JS};
  const begin = performance.now();
  let [last, changes] = [runs(), 0];
  while (performance.now() - begin < {1000 * SECONDS}) {{
    await new Promise(requestAnimationFrame);
    if (runs() !== last) [last, changes] = [runs(), changes + 1];
  }}
  return changes;
}}"""
# Seconds from the click, as the page sees it, until it offers to try again.
CANCELLED_JS = """() => {
  window.__cancelled = new Promise((done) => addEventListener('click', () => {
    const begin = performance.now();
    const look = () => [...document.querySelectorAll('.stMain button')].some(
      (one) => one.textContent.includes('Try again'))
      ? done((performance.now() - begin) / 1000) : requestAnimationFrame(look);
    look();
  }, { once: true, capture: true }));
}"""


def report(**numbers: float) -> None:
    print("\n" + "  ".join(f"{name}={value:.3f}" for name, value in numbers.items()))


def test_updates_a_second(visit: Callable[[str], Page]) -> None:
    page = visit("/latency?model=tf_efficientnet_lite0&seconds=60")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(f"() => ({RUNS_JS})() > 0", timeout=LONG)
    rate = page.evaluate(UPDATES_JS) / SECONDS
    report(updates_a_second=rate)
    page.locator(".stMain").get_by_role("button", name="Stop").click()
    settle(page)
    assert rate >= UPDATES


def test_cancelling_a_long_map(visit: Callable[[str], Page]) -> None:
    page = visit("/attribution?methods=kernel_shap&kernel_shap.samples=2000")
    times = []
    for number in range(ROUNDS):
        name = "Try again" if number else re.compile("Compute")
        button = page.get_by_role("button", name=name)
        expect(button).to_be_visible(timeout=LONG)
        settle(page)
        button.click()
        expect(page.get_by_text(re.compile("Computing the map"))).to_be_visible(timeout=LONG)
        page.wait_for_timeout(1500)  # in the midst of it
        page.evaluate(CANCELLED_JS)
        page.get_by_role("button", name="Cancel").first.click()
        times.append(page.evaluate("() => window.__cancelled"))
    report(cancel=statistics.median(times), longest=max(times))
    assert max(times) < CANCEL_LIMIT
