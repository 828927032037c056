"""The same networks in Netron, on the ONNX files that the app exports; run by ``make bench``.

Netron (https://netron.app; here the PyPI package of that name, an optional tool) is the peer of
``bench_graph_view.py``. It is timed from the click that lets it open the file to its last node, on
a server that runs; no limit is asserted, the figures stand side by side in one run.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from explorer.catalog import find
from explorer.onnx_export import export_onnx
from explorer.zoo import load
from tests.browser.conftest import free_port

WAIT = 180_000  # ms
STILL = 0.5  # seconds without a new node that count as drawn
SERVE = (
    "import sys, netron; netron.start(sys.argv[1], address=('127.0.0.1', int(sys.argv[2])), "
    "browse=False); netron.wait()"
)


def drawn(page: Page, least: int) -> tuple[float, int]:
    """Seconds until the last node is there, and the number of nodes.

    Asked through a locator: Netron takes ``eval`` away from its page, so nothing can be run in it.
    """
    begin = since = time.perf_counter()
    count = 0
    while time.perf_counter() - begin < WAIT / 1000:
        now = page.locator("g.node").count()
        if now != count:
            count, since = now, time.perf_counter()
        if count >= least and time.perf_counter() - since > STILL:
            return since - begin, count
        page.wait_for_timeout(50)
    raise AssertionError(f"Netron drew {count} nodes in {WAIT / 1000:.0f} s")


@pytest.mark.timeout(900)
@pytest.mark.skipif(
    importlib.util.find_spec("netron") is None,
    reason="the peer is not installed: pip install netron",
)
@pytest.mark.parametrize(("name", "least"), [("resnet152", 300), ("densenet201", 500)])
def test_netron_draws(browser: Browser, tmp_path: Path, name: str, least: int) -> None:
    file = tmp_path / f"{name}.onnx"
    file.write_bytes(export_onnx(load(find(name), None)).data)
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(file), str(port)])
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT)
        time.sleep(3)  # the server of Netron says nowhere that it is ready
        page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
        page.get_by_text("Accept").click()
        seconds, nodes = drawn(page, least)
        print(f"\nnetron {name}: {seconds:.2f} s from the click to {nodes} nodes")
    finally:
        context.close()
        server.terminate()
        server.wait(10)
    assert nodes >= least
