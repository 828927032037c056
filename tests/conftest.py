"""Every test runs in a place of its own: own caches, no settings from outside, no network.

The variables are set when this file is imported, before any test imports a library that reads them.
"""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOME = Path(tempfile.mkdtemp(prefix="explorer-tests-"))
TRACES = "CONVNET_TESTS_TRACES"  # where the processes of one run of pytest-xdist keep traces
# What takes longest begins first, so that at the end no process waits for another one's long file;
# with ``--no-loadscope-reorder``, for pytest-xdist would begin with what has the most tests.
LONGEST = (
    "public/test_isolation", "pages/test_public", "sweeps/test_sweeps", "engine/test_real_tasks",
    "own/test_own_models", "pages/test_compare", "attribution/test_channels", "pages/test_pages",
    "attribution/test_explain", "public/test_leaving", "engine/test_engines",
    "pages/test_complexity", "catalog/test_catalog_libraries", "pool/test_memory",
    "pages/test_latency", "atlas/test_crew", "pages/test_history", "faults/test_jobs",
    "trace/test_light", "attribution/test_quality", "serving/test_routes", "atlas/test_costs",
    "networks/test_from_papers", "engine/test_worker", "images/test_hostile", "pages/test_talk",
    "trace/test_catalog", "atlas/test_attribution", "zoo/test_downloads",
    "attribution/test_against_captum", "pages/test_own_model", "attribution/test_alone",
    "graph_exports/test_onnx", "structural_diff/test_structural_diff", "pages/test_chart",
    "engine/test_host", "setup/test_readme", "history/test_timeline", "measurements/test_store",
    "attribution/test_snippet", "trace/test_cache", "atlas/test_latency", "what_if/test_what_if",
)  # fmt: skip


def _isolate() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if sys.platform.startswith("linux"):  # Playwright keeps its own Chromium in the user's cache
        os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(cache / "ms-playwright"))
    for name in [name for name in os.environ if name.startswith(("EXPLORER_", "STREAMLIT_"))]:
        del os.environ[name]
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    os.environ.update(
        EXPLORER_CACHE_DIR=str(HOME / "explorer"),
        EXPLORER_DEVICE="cpu",  # tests of a GPU ask for it by name
        TORCH_HOME=str(HOME / "torch"),
        HF_HOME=str(HOME / "huggingface"),
        XDG_CACHE_HOME=str(HOME / "cache"),
        XDG_CONFIG_HOME=str(HOME / "config"),
        XDG_DATA_HOME=str(HOME / "data"),
        MPLCONFIGDIR=str(HOME / "matplotlib"),
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        # Ray reads these when it is imported: no words to its makers, workers that do not give way
        # to the tests, and the loopback address in place of this machine's own.
        RAY_USAGE_STATS_ENABLED="0",
        RAY_worker_niceness="0",
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
    )
    shared = Path(os.environ.setdefault(TRACES, str(HOME / "traces")))
    shared.mkdir(exist_ok=True)
    (HOME / "explorer").mkdir()
    (HOME / "explorer" / "traces").symlink_to(shared)
    # One thread: the workers of the tests share the cores with them, and sums in another order
    # would move maps by more than the 1e-4 to which they are compared.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", os.environ["OMP_NUM_THREADS"])


_isolate()


def pytest_unconfigure() -> None:
    """Ends the browser of the session and removes what it wrote."""
    if browser := sys.modules.get("tests.tools.shared_browser"):
        browser.stop()
    shutil.rmtree(HOME, ignore_errors=True)


# --- network ------------------------------------------------------------------------------------


class OutsideConnectionError(OSError):
    """A test tried to reach another machine."""


_attempts: list[str] = []
_real = {
    name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto", "sendmsg")
}
_real_getaddrinfo = socket.getaddrinfo
_NOWHERE = (".invalid", ".test", ".example")  # never exist: a test may ask for them on purpose


def _is_local(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in ("", "localhost") or name == socket.gethostname():
        return True
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded(name: str) -> Any:
    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[0] if name in ("connect", "connect_ex") else arguments[-1]
        inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if inet and isinstance(address, tuple) and not _is_local(address[0]):
            if self.type == socket.SOCK_DGRAM and name.startswith("connect"):
                # Sends nothing: a way of asking the system for this machine's own address.
                raise OutsideConnectionError("the tests have no network")
            _attempts.append(f"{address[0]}:{address[1]}")
            raise OutsideConnectionError(f"a test tried to reach {address[0]}")
        return _real[name](self, *arguments)

    return call


def _guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    if not _is_local(host):
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(_NOWHERE):
            _attempts.append(name)
        raise socket.gaierror(socket.EAI_NONAME, f"the tests have no network: {name}")
    return _real_getaddrinfo(host, *arguments, **options)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    for name in _real:
        patch.setattr(socket.socket, name, _guarded(name))
    patch.setattr(socket, "getaddrinfo", _guarded_getaddrinfo)
    yield
    patch.undo()


@pytest.fixture
def outside_attempts() -> list[str]:
    """What the running test tried to reach; a test that means it clears the list."""
    return _attempts


# --- each file ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _frozen_heap() -> None:
    """Leaves what is imported out of the collections of garbage, as the app's worker does.

    Torch, timm and what a session keeps are 650,000 objects: each full collection, and the code
    asks for one before it measures and after each map, went through them for 0.4 s.
    """
    gc.collect()
    gc.freeze()


# --- each test ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _fresh_state(_no_network: None) -> Iterator[None]:
    """Forgets settings and language after each test, and fails one that reached outside."""
    _attempts.clear()
    yield
    if settings := sys.modules.get("explorer.settings"):
        settings.get_settings.cache_clear()
    if i18n := sys.modules.get("explorer.i18n"):
        i18n.set_language("en")
    tried = list(_attempts)
    _attempts.clear()
    assert not tried, f"the test tried to reach {', '.join(tried)}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves what does not name a browser where only tests with one are asked for.

    To import 300 files, and torch with them, for 86 tests took longer than any of these.
    """
    path = collection_path
    if path.suffix != ".py" or not str(config.option.markexpr).startswith("browser"):
        return None
    named = "browser" in path.relative_to(Path(__file__).parent).as_posix()
    return None if named or "browser" in path.read_text(encoding="utf-8") else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first."""
    here = Path(__file__).parent
    rank = {name: place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).with_suffix("").as_posix()
        return rank.get(name, len(rank))

    items.sort(key=place)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips GPU tests where there is none, and says so."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.accelerator.is_available():
            pytest.skip("no GPU: torch.accelerator finds neither CUDA nor MPS on this machine")
