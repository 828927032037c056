"""A cache folder of its own for each test that keeps traces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.settings import get_settings


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path / "traces"
    get_settings.cache_clear()
