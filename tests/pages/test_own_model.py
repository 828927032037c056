"""A network of the operator's own on every page, through an engine that knows the setting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer.engine import get_engine, set_engine
from tests.own.test_own_models import forget
from tests.pages.conftest import Open, texts


@pytest.fixture
def own_tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The id of the network; the worker starts with the setting, as after a start of the app."""
    monkeypatch.setenv("EXPLORER_MODELS", "tests.own.networks:good")
    forget()
    before = set_engine(None)
    yield "own/tiny"
    get_engine().shutdown()
    set_engine(before)
    monkeypatch.delenv("EXPLORER_MODELS")
    forget()


def test_every_page_opens_it(open_page: Open, own_tiny: str) -> None:
    for page in ("chart", "history", "graph", "complexity", "attribution", "latency", "compare"):
        app = open_page(page, model=own_tiny)
        assert not app.error, (page, [error.value for error in app.error])
        if page != "chart":
            assert app.selectbox(key="model").value == own_tiny, page
        if page in ("complexity", "attribution"):
            assert "tiny" in texts(app)
        if page == "attribution":
            assert any("Untrained network" in warning.value for warning in app.warning)
            drawn = "".join(str(chart.proto) for chart in app.get("plotly_chart"))
            assert "cicada" in drawn
