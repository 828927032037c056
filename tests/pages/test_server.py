"""The page about the server: numbers, limits, caches, in both languages, and no folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import explorer
from explorer.caches import caches
from explorer.engine import Engine, EngineInfo, NodeInfo, get_engine, set_engine
from explorer.results import DeviceInfo
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


class Cluster:
    """The engine of the tests, told to stand for a cluster."""

    def __init__(self, engine: Engine, nodes: tuple[NodeInfo, ...]) -> None:
        self._engine = engine
        self._nodes = nodes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def info(self) -> EngineInfo:
        return self._engine.info().with_nodes(self._nodes)


@pytest.fixture
def cluster() -> Iterator[None]:
    device = DeviceInfo("cpu", "AMD EPYC", 2**34, 2)
    nodes = (
        NodeInfo("lab-1", device, "busy", 41, 300 * 2**20, networks=3, starts=2),
        NodeInfo("lab-2", None, "broken", None, reason="torch 2.0.0, 2.14.1 here"),
    )
    before = get_engine()
    set_engine(Cluster(before, nodes))  # type: ignore[arg-type] - all else is the engine's
    yield
    set_engine(before)


@pytest.mark.usefixtures("cluster")
def test_the_nodes_of_a_cluster(open_page: Open) -> None:
    app = open_page("server")
    nodes = app.dataframe[0].value.set_index("Node")
    assert list(nodes.index) == ["lab-1", "lab-2"]
    assert list(nodes["Worker"]) == ["runs a job", "torch 2.0.0, 2.14.1 here"]
    assert list(nodes["Memory of the worker"]) == ["300.0 MiB", "–"]
    assert list(nodes["Networks loaded"]) == [3, 0]
    assert list(nodes["Worker started again"]) == [1, 0]
    assert "Cluster: 1 of 2 devices ready" in texts(app)


@pytest.mark.usefixtures("cluster")
def test_strangers_read_no_names_of_nodes(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_PUBLIC", "1")
    get_settings.cache_clear()
    nodes = open_page("server").dataframe[0].value.set_index("Node")
    assert list(nodes.index) == ["1", "2"]
    assert "torch" not in nodes.to_string()


def test_chinese(open_page: Open) -> None:
    app = open_page("server", lang="zh")
    assert [title.value for title in app.title] == ["关于本服务器"]
    assert "EXPLORER_MAX_IMAGE_MB" in app.dataframe[1].value.to_string()
