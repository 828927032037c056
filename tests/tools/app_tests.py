"""What ``AppTest`` does anew for every run of a page, done once for a process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def _scanned_once() -> Iterator[None]:
    """Reads the metadata of all installed packages, which no test changes, once.

    A server looks through them for components when it starts; ``AppTest`` is a new server for
    each run, of whose 0.44 s of CPU it took 0.32.
    """
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield
