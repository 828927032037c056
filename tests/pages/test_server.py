"""The page about the server: numbers, limits, caches, in both languages, and no folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import explorer
from explorer.caches import caches
from explorer.engine import get_engine
from explorer.settings import get_settings
from tests.pages.conftest import Open, texts

ROOT = Path(__file__).resolve().parents[2]


def test_it_says_what_is_there(open_page: Open) -> None:
    app = open_page("server")
    assert [title.value for title in app.title] == ["About this server"]
    named = {metric.label: metric.value for metric in app.metric}
    assert named["Jobs that wait"] == "0"
    assert named["Memory of the server"].endswith(" MiB")
    assert "Mode: open" in texts(app)
    table, limits, versions = (frame.value for frame in app.dataframe)
    assert list(table["Cache"]) == [cache.title for cache in caches()]
    assert "EXPLORER_MAX_IMAGE_MB" in list(limits["Setting"])
    assert explorer.__version__ in list(versions["Version"])


def test_the_pool_is_known_after_a_job(open_page: Open) -> None:
    open_page("attribution", model="lenet5", image="digit_7", method="saliency")
    assert get_engine().info().pool_models >= 1
    table = open_page("server").dataframe[0].value.set_index("Cache")
    assert int(table.loc["Loaded networks", "Entries"]) >= 1
    assert table.loc["Loaded networks", "Largest size"] != "–"
    assert 0 < table.loc["Loaded networks", "Fill"] <= 100


def test_public_limits_are_listed(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_PUBLIC", "1")
    monkeypatch.setenv("EXPLORER_MAX_JOB_SECONDS", "7.5")
    get_settings.cache_clear()
    app = open_page("server")
    limits = app.dataframe[1].value.set_index("Setting")
    assert limits.loc["EXPLORER_MAX_JOB_SECONDS", "Value"] == "7.5"
    assert "Mode: public" in texts(app)


def test_no_folder_is_shown(open_page: Open) -> None:
    app = open_page("server")
    shown = texts(app) + "".join(frame.value.to_string() for frame in app.dataframe)
    assert str(get_settings().cache_dir) not in shown
    assert str(ROOT) not in shown


def test_chinese(open_page: Open) -> None:
    app = open_page("server", lang="zh")
    assert [title.value for title in app.title] == ["关于本服务器"]
    assert "EXPLORER_MAX_IMAGE_MB" in app.dataframe[1].value.to_string()
