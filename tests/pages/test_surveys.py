"""How far surveys are, on the latency page beside the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.atlas.folder import open_folder
from explorer.atlas.register import register
from explorer.settings import get_settings
from explorer.ui.latency.surveys import COMMAND
from tests.atlas.test_folder import survey
from tests.pages.conftest import Open, texts

NONE_YET = "No survey was begun on this machine yet."


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    get_settings.cache_clear()


def test_a_survey_shows_how_far_it_is(open_page: Open, tmp_path: Path) -> None:
    app = open_page("latency", model="lenet5", view="paper")
    assert NONE_YET in texts(app)
    assert COMMAND in [code.value for code in app.code]
    plan = survey(8)
    with open_folder(tmp_path / "o_u_t", plan, resume=False) as folder:
        register(folder)
        for place in range(5):
            folder.append(plan.row(place, {}))
        folder.append(plan.failure(5, "No room."))
        app = open_page("latency", model="lenet5", view="paper")
    assert not app.exception
    assert "Costs of networks" in texts(app)
    assert "Running" in texts(app)
    assert "1 row has a reason in place of numbers." in texts(app)
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text) == (75, "6 / 8")
    chinese = open_page("latency", model="lenet5", view="paper", lang="zh")
    assert "网络的代价" in texts(chinese)


def test_nothing_of_it_in_public_mode(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_folder(tmp_path / "out", survey(8), resume=False) as folder:
        register(folder)
    monkeypatch.setenv("EXPLORER_PUBLIC", "true")
    get_settings.cache_clear()
    app = open_page("latency", model="lenet5", view="paper")
    assert COMMAND not in [code.value for code in app.code]
    assert str(tmp_path) not in texts(app)
