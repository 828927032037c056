"""How often the latency page shows new numbers, what that costs, how soon a map is cancelled."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from explorer.measurements import MeasurementStore
from tests.benchmarks.ratios import difference
from tests.browser.conftest import running_app, settle
from tests.browser.server_process import server_of
from tests.browser.test_latency import RUNS_JS

LONG = 120_000  # milliseconds: the worker may still be importing torch
UPDATES = 2.0  # a second, at least
CANCEL_LIMIT = 1.0  # seconds from the click to the word that it is cancelled
SECONDS = 6
ROUNDS = 3
WATCHING = 0.02  # of the measured median, at most
MEASUREMENTS = 2
SLICES = 16  # of each measurement, with somebody watching and without, in turn
SLICE = 3.0  # seconds
MARGIN = 0.7  # seconds at a slice's begin that count for neither: the shown number is that old
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


@pytest.fixture
def store_and_address(tmp_path: Path) -> Iterator[tuple[MeasurementStore, str]]:
    database = f"sqlite:///{tmp_path / 'measurements.sqlite'}"
    with running_app(tmp_path, EXPLORER_DATABASE_URL=database) as address:
        yield MeasurementStore(database), address


@pytest.mark.parametrize("place", ["cores of their own", "where the system puts them"])
def test_what_watching_costs(
    store_and_address: tuple[MeasurementStore, str], page: Page, place: str
) -> None:
    """The page redraws beside the measurement, in a browser on the same machine.

    One thread, so that a core is left for server and browser, and given to them in the first case.
    Within one measurement the browser is stopped and let go in turn, so that what else the machine
    does meets both alike; the cost is the median over neighbouring slices, each with the one before
    and after it (what drifts, drifts for both), of the ratio of their medians.
    """
    store, address = store_and_address
    logs: list[float] = []
    medians: dict[bool, list[float]] = {True: [], False: []}
    for _measurement in range(MEASUREMENTS):
        page.goto(f"{address}/latency?model=tf_efficientnet_lite0&seconds=60&threads=1")
        settle(page)
        page.get_by_role("button", name="Start", exact=True).click()
        page.wait_for_function(f"() => ({RUNS_JS})() > 0", timeout=LONG)
        if place == "cores of their own":
            give_cores(address)
        page.wait_for_timeout(2000)
        known, seen_at = int(page.evaluate(RUNS_JS)), time.monotonic()
        slices = []
        for turn in range(SLICES):
            watched = turn % 2 == 0
            begun = time.monotonic()
            tell_browsers(signal.SIGCONT if watched else signal.SIGSTOP)
            time.sleep(SLICE)
            slices.append((watched, begun + MARGIN, time.monotonic()))
        tell_browsers(signal.SIGCONT)
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible(timeout=LONG)
        series = store.result(store.rows()[0].run_id).series[0]
        starts = series.starts + (seen_at - series.starts[known - 1])
        found = []
        for watched, begun, ended in slices:
            within = (starts >= begun) & (starts < ended)
            found.append((watched, float(np.median(series.seconds[within]))))
            medians[watched].append(found[-1][1])
        for (first, one), (_second, other) in itertools.pairwise(found):
            logs.append(math.log(one / other if first else other / one))
    cost = difference(logs)
    report(
        watched_ms=1e3 * statistics.median(medians[True]),
        alone_ms=1e3 * statistics.median(medians[False]),
        pairs=len(logs),
    )
    print(f"watching costs {cost}, {place}")
    assert cost.value < WATCHING


def browsers() -> list[psutil.Process]:
    """All processes of the browser that draw."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if any(part.startswith("--type=") for part in process.cmdline())
    ]


def tell_browsers(what: signal.Signals) -> None:
    """Stops them, or lets them go."""
    for process in browsers():
        process.send_signal(what)


def give_cores(address: str) -> None:
    """The first core to the worker that measures, the others to who watches."""
    first, *others = sorted(os.sched_getaffinity(0))
    server = server_of(address)
    for worker in server.children(recursive=True):
        bind(worker, {first})
    for watcher in (server, *browsers()):
        bind(watcher, set(others))


def bind(process: psutil.Process, cores: set[int]) -> None:
    """All threads that it has."""
    for thread in process.threads():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(thread.id, cores)


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
