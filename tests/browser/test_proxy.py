"""Behind a real nginx with the configuration that ships: sub-path, websockets, uploads, headers."""

from __future__ import annotations

import io
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Seen, free_port, running_app, settle
from tests.browser.server_process import ask
from tests.browser.test_latency import RUNS_JS
from tests.tools.nginx import running_nginx

CONFIG = ROOT / "deploy" / "nginx.conf"
SEVEN = ROOT / "assets" / "images" / "digits" / "7.png"
LONG = 120_000
HEADERS = (
    "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy",
    "permissions-policy", "strict-transport-security",
)  # fmt: skip


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app behind nginx, with the sub-path."""
    folder = tmp_path_factory.mktemp("proxy")
    with running_app(folder, STREAMLIT_SERVER_BASE_URL_PATH="convnets") as app:
        upstream = {r"server 127\.0\.0\.1:8501;": (f"server {app.removeprefix('http://')};", 1)}
        with running_nginx(CONFIG, folder, free_port(), upstream) as address:
            yield address


def test_front_page_and_change_of_page(page: Page, proxy: str) -> None:
    page.goto(proxy + "/", wait_until="commit")
    settle(page)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="History").click()
    settle(page)
    expect(page).to_have_url(re.compile(r"/convnets/history"))
    page.get_by_role("link", name="About this server").click()
    settle(page)
    expect(page).to_have_url(re.compile(r"/convnets/server"))
    expect(page.get_by_role("heading", name="About this server")).to_be_visible()


def test_the_address_without_a_path_leads_to_the_app(page: Page, proxy: str) -> None:
    page.goto(proxy.removesuffix("/convnets") + "/", wait_until="commit")
    settle(page)
    expect(page).to_have_url(re.compile(r"/convnets/"))


def test_deep_link_cold_and_an_upload(page: Page, proxy: str) -> None:
    page.goto(proxy + "/attribution?model=lenet5&methods=saliency", wait_until="commit")
    settle(page)
    data = io.BytesIO()
    Image.open(SEVEN).convert("RGB").resize((640, 640)).save(data, "BMP")  # 1.2 MB
    page.locator('input[type="file"]').first.set_input_files(
        {"name": "seven.bmp", "mimeType": "image/bmp", "buffer": data.getvalue()}
    )
    expect(page.get_by_text("Saliency for “7”")).to_be_visible(timeout=LONG)
    settle(page)
    expect(page).to_have_url(re.compile(r"model=lenet5"))


@pytest.mark.parametrize(
    "path",
    [
        "/graph?model=lenet5",
        *(
            pytest.param(path, marks=pytest.mark.slow)
            for path in ["/complexity?model=lenet5", "/compare"]
        ),
    ],
)
def test_no_page_asks_for_what_the_policy_forbids(page: Page, proxy: str, path: str) -> None:
    page.goto(proxy + path, wait_until="commit")
    settle(page)  # the fixture fails on an error in the console, and a refusal is one


def test_the_policy_is_in_force(page: Page, seen: Seen, proxy: str) -> None:
    page.goto(proxy + "/history", wait_until="commit")
    settle(page)
    refused = page.evaluate(
        """() => new Promise(done => {
          document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));
          const script = document.createElement('script');
          script.src = 'http://localhost:9/evil.js';
          document.body.append(script);
        })"""
    )
    assert refused.startswith("script-src")
    seen.console.clear()
    seen.outside.clear()


def headers(address: str) -> tuple[int, Any]:
    try:
        with ask(address, timeout=30) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_a_running_measurement_is_watched_below_the_sub_path(page: Page, proxy: str) -> None:
    page.goto(proxy + "/latency?model=lenet5&seconds=60", wait_until="commit")
    settle(page)
    page.get_by_role("button", name="Start", exact=True).click()
    seen = 0
    for _update in range(3):
        page.wait_for_function(f"seen => ({RUNS_JS})() > seen", arg=seen, timeout=LONG)
        seen = int(page.evaluate(RUNS_JS))
    page.locator(".stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    settle(page)


def test_security_headers_on_every_answer(proxy: str) -> None:
    for path in ("/", "/history", "/static/none.js", "/metrics"):
        _status, found = headers(proxy + path)
        assert {name for name in HEADERS if name not in found} == set(), path


def test_the_operators_addresses_are_closed(proxy: str) -> None:
    root = proxy.removesuffix("/convnets")
    for path in ("/metrics", "/health", "/health/ready", "/convnets/metrics", "/convnets/health"):
        assert headers(root + path)[0] == 404, path


def test_too_large_a_body_stops_at_the_proxy(proxy: str) -> None:
    request = urllib.request.Request(
        proxy + "/_stcore/upload_file/a/b", data=bytes(26 * 2**20), method="PUT"
    )
    try:
        status = headers(request)[0]  # type: ignore[arg-type]
    except OSError:  # ended in the middle of the body
        status = 413
    assert status == 413


def test_the_access_log_has_no_address(
    proxy: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    headers(proxy + "/history")
    (log,) = tmp_path_factory.getbasetemp().glob("proxy[0-9]*/access.log")
    text = log.read_text()
    assert "/convnets/history" in text
    assert "127.0.0.1" not in text


def test_all_proxies_send_the_same_policy() -> None:
    policies = [
        re.findall(r"""Content-Security-Policy "([^"]+)\"""", (ROOT / "deploy" / name).read_text())
        for name in ("nginx.conf", "nginx-cluster.conf", "Caddyfile")
    ]
    assert policies[0] == policies[1] == policies[2]
    assert len(policies[0]) == 1
