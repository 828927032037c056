from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.engine.limits import Limits
from explorer.engine.local import EngineOptions, LocalEngine
from tests.engine.waiting import Clock

ROOT = Path(__file__).resolve().parents[2]
QUICK = EngineOptions(preload=False, python_path=(ROOT,), tick=0.02)

MakeEngine = Callable[..., LocalEngine]


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    """Makes engines of the test's own; ends them."""
    engines = []

    def make(
        clock: Clock | None = None, limits: Limits | None = None, **options: Any
    ) -> LocalEngine:
        chosen = replace(QUICK, **options)
        engines.append(LocalEngine(chosen, clock or time.monotonic, limits))
        return engines[-1]

    yield make
    for engine in engines:
        engine.shutdown()


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[LocalEngine]:
    """An engine for tests that leave its worker as they found it."""
    engine = LocalEngine(QUICK)
    yield engine
    engine.shutdown()
