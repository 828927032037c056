"""What the browser fetches of a running measurement."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from explorer.ui.latency import feed
from tests.pages.conftest import Open, finish

LIMIT = 120  # seconds: the worker may still be importing torch


def component(app: AppTest) -> dict[str, Any]:
    """What the page hands to the element that watches."""
    (found,) = [
        one.proto.json for one in app.get("bidi_component") if "latency-live/" in one.proto.json
    ]
    return dict(json.loads(found))


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=feed.feed_routes()))


def until(client: TestClient, address: str, part: str) -> str:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        answer = client.get(address)
        assert answer.headers["cache-control"] == "no-store"
        found = answer.json()
        assert found["over"] is False
        if part in found["html"]:
            return str(found["html"])
        time.sleep(0.1)
    raise AssertionError(f"{part} did not appear")


def test_a_measurement_is_watched_at_an_address_of_its_own(
    open_page: Open, client: TestClient
) -> None:
    app = open_page("latency", model="lenet5", seconds="60", lang="zh")
    app.button(key="start").click()
    app.run()
    first = component(app)
    address = "/" + first["address"]
    shown = until(client, address, "live-charts")
    assert "毫秒/批" in shown  # in the visitor's language, asked for without a session
    assert 'role="progressbar"' in shown
    assert "<script" not in shown
    assert client.get("/below/a/path" + address).json()["over"] is False
    app.run()
    assert component(app)["address"] == first["address"]  # a run of the page keeps it
    app.button(key="stop").click()
    finish(app.run())
    deadline = time.monotonic() + LIMIT
    while not client.get(address).json()["over"]:
        assert time.monotonic() < deadline
    assert address.rpartition("/")[2] not in feed._feeds


def test_an_unknown_address_says_that_it_is_over(client: TestClient) -> None:
    assert client.get(f"/{feed.FOLDER}/nobody").json() == {"over": True}
    assert client.get(f"/{feed.FOLDER}/").status_code == 404


def job(*, finished: bool = False) -> Any:
    return SimpleNamespace(status=lambda owner=None: SimpleNamespace(finished=finished))


def test_the_oldest_of_too_many_and_what_has_ended_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_feeds", type(feed._feeds)())
    monkeypatch.setattr(feed, "MOST", 2)
    tokens = [feed.open_feed(None, job(), "me", "Timing")[0] for _ in range(2)]
    assert feed.open_feed(tokens[0], job(), "me", "Timing")[0] == tokens[0]
    third = feed.open_feed(None, job(finished=True), "me", "Timing")[0]
    assert list(feed._feeds) == [tokens[0], third]
    fourth = feed.open_feed(None, job(), "me", "Timing")[0]
    assert list(feed._feeds) == [tokens[0], fourth]
