"""The tests' own guard: nothing reaches another machine or the developer's own files."""

from __future__ import annotations

import os
import socket
import tempfile
import urllib.request
from pathlib import Path
from threading import Thread

import pytest

from explorer.settings import get_settings


def test_caches_are_temporary() -> None:
    temporary = Path(tempfile.gettempdir()).resolve()
    for name in ("EXPLORER_CACHE_DIR", "TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        assert Path(os.environ[name]).resolve().is_relative_to(temporary), name
    assert get_settings().cache_dir == Path(os.environ["EXPLORER_CACHE_DIR"])


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])  # reserved for documentation
def test_other_machines_are_refused_and_the_test_would_fail(
    address: str, outside_attempts: list[str]
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(1)
        with pytest.raises(OSError, match="a test tried to reach"):
            client.connect((address, 80))
        with pytest.raises(OSError, match="a test tried to reach"):
            client.connect_ex((address, 80))
    assert outside_attempts == [f"{address}:80"] * 2
    outside_attempts.clear()  # this test means it


def test_names_are_not_looked_up(outside_attempts: list[str]) -> None:
    with pytest.raises(OSError, match="no network"):
        urllib.request.urlopen("http://pytorch.org/", timeout=1)
    assert outside_attempts == ["pytorch.org"]
    outside_attempts.clear()
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("weights.invalid", 443)  # never exists: a test may ask for it
    assert outside_attempts == []


def test_this_machine_can_be_reached(outside_attempts: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = Thread(target=server.accept, daemon=True)
        answer.start()
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()
        answer.join(5)
    assert outside_attempts == []


def test_asking_for_ones_own_address_sends_nothing(outside_attempts: list[str]) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        pytest.raises(OSError, match="the tests have no network"),
    ):
        probe.connect(("192.0.2.1", 1))
    assert outside_attempts == []
