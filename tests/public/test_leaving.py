"""What a visitor brought is gone from the server soon after the visitor is: a real one, no browser.

Streamlit keeps a session for a reconnect (two minutes; two seconds here), and looks for what has
expired only when another session is put away. Nobody else comes here.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from explorer.engine.driver import EngineOptions
from explorer.ui.text import plain
from tests.browser.conftest import running_app
from tests.public.visitor import Visitor, request

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    kept = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "2"}
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder, EXPLORER_PUBLIC="1", **kept) as address:
        yield address, folder


def figure(address: str, path: str, name: str, **labels: str) -> float:
    """A number of a metrics page; 0 where it is not there."""
    _status, _headers, body = request(address, "GET", path)
    return sum(
        sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def uploads(address: str) -> float:
    """Bytes of uploads that Streamlit holds."""
    page, name = "/_stcore/metrics", "cache_memory_bytes"
    return figure(address, page, name, cache_type="UploadedFileManager")


def results(address: str) -> float:
    return figure(address, "/metrics", "explorer_cache_entries", cache="results")


def until_map(visitor: Visitor) -> None:
    deadline = time.monotonic() + LIMIT
    visitor.run()
    while visitor.fragments:
        assert time.monotonic() < deadline, visitor.text[-2000:]
        time.sleep(0.3)
        for fragment in tuple(visitor.fragments):  # the map's, and the device's until it is known
            if fragment in visitor.fragments:
                visitor.run_fragment(fragment)
    assert len(visitor.images) >= 2, visitor.text[-2000:]


def photo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 300), (12, 200, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def test_what_a_visitor_brought_goes_with_the_session(server: tuple[str, Path]) -> None:
    address, folder = server
    visitor = Visitor(address, "attribution", {"model": "lenet5", "methods": "saliency"})
    until_map(visitor)
    of_samples = results(address)
    data = photo()
    visitor.upload("Or your own photo", "mine.png", data)
    visitor.unfold("Own weights")
    visitor.run()
    weights = (ROOT / "assets/weights/lenet5/lenet5.safetensors").read_bytes()
    visitor.upload(f"A .safetensors file for {plain('LeNet-5')}", "mine.safetensors", weights)
    until_map(visitor)
    assert uploads(address) >= len(data)
    assert results(address) > of_samples
    files = folder / "explorer" / "own-weights"
    assert list(files.rglob("*.safetensors"))
    assert visitor.session
    visitor.close()
    deadline = time.monotonic() + LIMIT
    while uploads(address) or list(files.rglob("*.safetensors")) or results(address) > of_samples:
        assert time.monotonic() < deadline, (uploads(address), results(address), of_samples)
        time.sleep(0.5)
    assert results(address) == of_samples > 0  # what belongs to nobody is kept


def test_who_closes_the_tab_is_not_computed_for(server: tuple[str, Path]) -> None:
    address, _folder = server

    def jobs(outcome: str) -> float:
        return figure(address, "/metrics", "explorer_jobs_total", outcome=outcome)

    before = jobs("cancelled")
    visitor = Visitor(address, "history", {"view": "claims"})
    visitor.run()
    assert visitor.fragments, "the networks are measured again, which takes longer than a lease"
    visitor.close()
    closed = time.monotonic()
    other = Visitor(address, "complexity", {"model": "squeezenet1_1"})
    other.run()
    while jobs("cancelled") == before:
        assert time.monotonic() - closed < EngineOptions().lease - 2, "it ran for a whole lease"
        time.sleep(0.2)
    other.wait()
    assert time.monotonic() - closed < EngineOptions().lease + 5
    other.close()
