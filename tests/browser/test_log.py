"""A visitor uploads photos; the server's log in JSON does not know their names nor the address."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, running_app, settle

SEVEN = ROOT / "assets" / "images" / "digits" / "7.png"
LONG = 120_000


@pytest.mark.slow
def test_an_upload_leaves_no_trace_in_the_log(page: Page, tmp_path: Path) -> None:
    good = io.BytesIO()
    Image.open(SEVEN).convert("RGB").resize((64, 64)).save(good, "PNG")
    broken = good.getvalue()[:300]
    variables = {
        "EXPLORER_LOG": "json",
        "STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE": "true",
        "STREAMLIT_LOGGER_LEVEL": "info",
    }
    with running_app(tmp_path, **variables) as address:
        page.goto(address + "/attribution?model=lenet5&methods=saliency", wait_until="commit")
        settle(page)
        chooser = page.locator('input[type="file"]').first
        chooser.set_input_files(
            {"name": "Zebulon on holiday.png", "mimeType": "image/png", "buffer": good.getvalue()}
        )
        expect(page.get_by_text("Saliency for “")).to_be_visible(timeout=LONG)
        settle(page)
        chooser.set_input_files(
            {"name": "Zebulon broken.png", "mimeType": "image/png", "buffer": broken}
        )
        expect(page.get_by_test_id("stAlert").first).to_be_visible(timeout=LONG)
        settle(page)
    text = (tmp_path / "server.log").read_text("utf-8")
    assert "shown to the visitor" in text  # the log was on, and the broken file was refused
    assert "zebulon" not in text.lower()
    for data in (good.getvalue(), broken):
        assert base64.b64encode(data).decode()[:64] not in text
        assert repr(data[:16])[2:-1] not in text
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("{"))
    # Before the app is there, uvicorn says two words of its own.
    assert begin <= 4, lines[:begin]
    found = [json.loads(line) for line in lines[begin:]]
    assert {"time", "level", "logger", "message"} <= set(found[0])
    rest = "\n".join(lines[begin:])
    assert not re.search(r"\b127\.0\.0\.1\b|::1\b", rest)
    assert os.environ.get("HOME", "/nowhere") not in "".join(
        one["message"] for one in found if one["logger"] == "explorer.ui.banners"
    )


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health", "/metrics"])
def test_the_operators_addresses_answer_beside_the_app(app_url: str, page: Page, path: str) -> None:
    answer = page.request.get(app_url + path)
    assert answer.status == 200, answer.text()
    if path == "/metrics":
        assert "explorer_visitors" in answer.text()
