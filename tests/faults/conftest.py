"""Engines of the test's own, as in ``tests/engine``."""

from collections.abc import Iterator

import pytest

from tests.engine.conftest import MakeEngine, engines_of


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    """Makes engines of this machine; ends them."""
    with engines_of("local") as make:
        yield make
