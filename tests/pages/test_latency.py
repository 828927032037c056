"""The latency page: the number with its conditions, every view, what is kept, bad input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalog import find
from explorer.engine import NodeInfo, get_engine, set_engine
from explorer.findings import Finding
from explorer.latency_results import LatencyResult, LatencySeries, Machine
from explorer.measurements import MeasurementStore
from explorer.results import DeviceInfo
from explorer.settings import get_settings
from explorer.throughput import BatchTime
from explorer.ui.latency import kept
from explorer.ui.latency.batches import frames_text
from explorer.ui.latency.beside import grouped_times
from explorer.ui.latency.findings_text import CLAIMS, statistic_text
from explorer.ui.latency.headline import conditions_text, median_text, paper_sentence
from explorer.ui.latency.paper import SMALL
from tests.pages.conftest import Open, finish, texts


@contextmanager
def store_at(url: str) -> Iterator[None]:
    """Page and worker keep measurements there; a worker reads the settings when it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_DATABASE_URL", url)
        get_settings.cache_clear()
        restart_worker()
        yield
    get_settings.cache_clear()
    restart_worker()


def restart_worker() -> None:
    get_engine().shutdown()
    set_engine(None)


@pytest.fixture(scope="module", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with store_at(f"sqlite:///{tmp_path_factory.mktemp('kept')}/kept.sqlite"):
        yield


@pytest.fixture(autouse=True)
def _empty_store() -> None:
    store = MeasurementStore()
    store.delete({row.run_id for row in store.rows()})


def made(
    model: str = "lenet5", milliseconds: float = 2.0, batch: int = 1, day: int = 1, runs: int = 200
) -> LatencyResult:
    """A measurement whose median is ``milliseconds``."""
    times = milliseconds / 1e3 * np.linspace(0.99, 1.01, runs)
    series = LatencySeries(batch, times, np.cumsum(times), (0.003,) * 5, peak_bytes=2**20 * batch)
    return LatencyResult(
        model=model, weights=None, series=(series,), device="A processor", threads=2,
        dtype="float32", memory_format="contiguous", input_size=find(model).input_size,
        versions={"torch": "2.14.0"}, machine=Machine("A processor", "cpu", "A processor"),
        started_at=f"2026-01-{day:02}T10:00:00+00:00",
    )  # fmt: skip


@pytest.fixture
def unknown_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page takes the device measured on last for its own, as before a worker has looked."""
    monkeypatch.setattr("explorer.ui.latency.kept.own_devices", frozenset)
    monkeypatch.setattr("explorer.ui.latency.paper.own_devices", frozenset)


def test_on_a_cluster_the_devices_here_are_those_of_its_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = DeviceInfo("cpu", "A processor", None, 2)
    nodes = tuple(
        NodeInfo(name, known, "idle", 1) for name, known in [("lab", device), ("new", None)]
    )
    info = replace(get_engine().info(), device=device, nodes=nodes)
    monkeypatch.setattr(
        "explorer.ui.latency.kept.get_engine", lambda: SimpleNamespace(info=lambda: info)
    )
    assert kept.own_devices() == {"A processor (node lab)"}  # as its timings are kept
    info = replace(info, nodes=())
    assert kept.own_devices() == {"A processor"}


def html_of(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_a_measurement_shows_its_number_and_is_kept(open_page: Open) -> None:
    app = open_page("latency", model="lenet5", batch="2")
    assert any("Nothing is measured yet" in info.value for info in app.info)
    app.button(key="start").click()
    finish(finish(app.run()).run())
    shown = html_of(app)
    assert "ms per batch" in shown
    assert "images/s" in shown
    assert "LeNet-5 · batch 2 · 1×32×32 · float32 · contiguous · inference_mode" in shown
    assert "95 % interval" in shown
    (row,) = MeasurementStore().rows()
    assert (row.model, row.batch_size) == ("lenet5", 2)
    assert len(app.get("plotly_chart")) == 3
    again = open_page("latency", model="lenet5", batch="2")  # a visit by address, a new session
    assert f"{row.runs:,}" in html_of(again)
    assert "ms per batch" in html_of(again)


def test_every_view_opens_cold_by_its_address(open_page: Open) -> None:
    for view in ("live", "batches", "compare", "frames", "history", "loop", "paper"):
        app = open_page("latency", model="lenet5", view=view)
        assert not app.error
        assert app.get("button_group")[0].value == view or view == "live"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch", "0"), ("batch", "-1"), ("batch", "10000000"), ("dtype", "int3"),
        ("mode", "turbo"), ("layout", "spiral"), ("threads", "0"), ("threads", "1000"),
        ("seconds", "-3"), ("view", "nowhere"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_the_address_is_one_sentence(
    open_page: Open, key: str, value: str
) -> None:
    app = open_page("latency", model="lenet5", **{key: value})
    said = [warning.value for warning in app.warning if "is not possible" in warning.value]
    assert len(said) == 1
    assert key in said[0]
    assert app.button(key="start")


def test_a_million_images_are_refused_by_estimate(open_page: Open) -> None:
    app = open_page("latency", model="resnet18", batch="1000000")
    app.button(key="start").click()
    finish(finish(app.run()).run())
    assert any("needs about" in error.value for error in app.error)
    assert MeasurementStore().count() == 0


@pytest.mark.usefixtures("unknown_device")
def test_the_batch_curve_of_what_is_kept_has_its_knee(open_page: Open) -> None:
    store = MeasurementStore()
    for batch, milliseconds in ((1, 10.0), (2, 12.5), (4, 21.0), (8, 40.0)):
        store.add(made(batch=batch, milliseconds=milliseconds))
    # 100, 160, 190, 200 images/s: 90 % of 200 are first reached at batch 4.
    app = open_page("latency", model="lenet5", view="batches")
    assert "Knee: batch 4" in texts(app)
    assert list(app.dataframe[0].value["Batch"]) == [1, 2, 4, 8]
    assert list(app.dataframe[0].value["Images/s"]) == ["100.0", "160.0", "190.5", "200.0"]


@pytest.mark.usefixtures("unknown_device")
def test_thirty_frames_a_second_are_computed_from_the_median(open_page: Open) -> None:
    MeasurementStore().add(made(milliseconds=50.0))
    app = open_page("latency", model="lenet5", view="frames")
    # 50 ms against 33.3: 1.5 times as fast.
    assert "**No.**" in texts(app)
    assert "1.50 times as fast" in texts(app)
    app = open_page("latency", model="lenet5", view="frames", fps="10")
    assert "**Yes.**" in texts(app)
    assert "enough for 2 such" in texts(app)


def test_the_answer_names_the_operations_that_keep_up() -> None:
    said = frames_text("Net", 2_000_000_000, BatchTime(1, 0.050), 30)
    # 40 GMACs a second: a thirtieth of it is 1.33 GMACs.
    assert "1.33 GMACs" in said
    assert "2.00 GMACs" in said


@pytest.mark.usefixtures("unknown_device")
def test_the_history_flags_a_change(open_page: Open) -> None:
    store = MeasurementStore()
    store.add(made(milliseconds=2.0, day=1))
    store.add(made(milliseconds=2.01, day=2))
    store.add(made(milliseconds=3.0, day=3))
    app = open_page("latency", model="lenet5", view="history")
    assert any("1 measurement differs" in warning.value for warning in app.warning)
    table = app.dataframe[0].value
    assert list(table["Change"]) == ["⚠ +49.3 %", "+0.5 %", ""]
    assert len(app.get("download_button")) == 4


@pytest.mark.usefixtures("unknown_device")
def test_a_number_that_is_stopped_early_says_so(open_page: Open) -> None:
    from dataclasses import replace

    result = made()
    cut = replace(result, series=(replace(result.series[0], finished=False),))
    MeasurementStore().add(cut)
    app = open_page("latency", model="lenet5")
    assert any("Stopped before its end" in info.value for info in app.info)


@pytest.mark.usefixtures("unknown_device")
def test_the_paper_is_repeated_on_what_is_kept(open_page: Open) -> None:
    store = MeasurementStore()
    for name in SMALL:
        macs = find(name).macs or 0
        for batch in (1, 4):
            store.add(made(name, macs / 1e9 * 20 * batch**0.9, batch))
    app = open_page("latency", model="lenet5", view="paper")
    said = html_of(app)
    assert "A processor" in said
    # Times are proportional to operations here.
    assert "Pearson of log MACs with log time 1.000" in said
    assert "Pearson of log MACs with log time 0.978" in said
    assert "No power was measured." in said
    assert "12 networks · A processor · 2 threads" in texts(app)
    figure = open_page("latency", model="lenet5", view="paper", figure="power-batch")
    assert "does not tell its power" in figure.get("plotly_chart")[0].proto.spec


def test_without_measurements_the_paper_invites(open_page: Open) -> None:
    app = open_page("latency", model="lenet5", view="paper")
    assert any("Twelve small networks" in info.value for info in app.info)
    assert "python -m explorer bench" in app.code[0].value
    assert app.button(key="start-sweep")
    assert len(SMALL) == 12
    assert all(find(name).weights[0].top1 for name in SMALL)


@pytest.mark.slow
def test_side_by_side_measures_each_layout(open_page: Open) -> None:
    import time

    app = open_page("latency", model="lenet5", view="compare", vary="layout")
    app.button(key="start-side-layout").click()
    app.run()
    deadline = time.monotonic() + 120
    while not any(b.key == "start-side-layout" for b in app.button):
        assert time.monotonic() < deadline
        time.sleep(1)
        app.run()
    assert "is the fastest" in texts(app)
    assert {row.memory_format for row in MeasurementStore().rows()} == {
        "contiguous", "channels_last",
    }  # fmt: skip


def test_the_sentence_stands_for_itself() -> None:
    result = made(milliseconds=2.0, batch=4)
    said = paper_sentence(result, result.series[0])
    for part in ("LeNet-5", "batch size 4", "1 × 32 × 32", "float32", "inference_mode",
                 "2.0000 ms per batch", "200 runs after 5 warm-up runs", "2,000.0 images/s",
                 "A processor", "2 CPU threads", "PyTorch 2.14.0"):  # fmt: skip
        assert part in said, part
    assert "{" not in said
    assert "batch 4" in conditions_text(result, result.series[0])


@pytest.mark.parametrize(
    ("seconds", "text"),
    # The half width of the interval has two figures; without an interval the median has three.
    [([0.0123456] * 3, "12.3"), ([0.0000123] * 3, "0.0123"), ([], "–")],
)
def test_digits_are_those_that_the_sample_earns(seconds: list[float], text: str) -> None:
    times = np.array(seconds)
    assert median_text(LatencySeries(1, times, times)) == text


def test_parts_are_grouped_by_their_path() -> None:
    times = {
        "conv1": 1.0,
        "layer1.0.conv1": 2.0,
        "layer1.0.conv1@2": 3.0,
        "layer1.1.bn": 4.0,
        "": 5,
    }
    assert grouped_times(times, 1) == {"conv1": 1.0, "layer1": 9.0, "(top level)": 5.0}
    assert grouped_times(times, 2) == {
        "conv1": 1.0, "layer1.0": 5.0, "layer1.1": 4.0, "(top level)": 5.0,
    }  # fmt: skip
    assert sum(grouped_times(times, None).values()) == 15.0


def test_every_finding_has_words_for_its_statistic() -> None:
    statistics = {
        "power": {"mean": 10.0, "cv": 0.02, "spearman_batch": 0.1, "spearman_macs": -0.2},
        "hyperbola": {"r2": 0.7, "line_r2": 0.1, "limit": 83.6},
        "energy": {"gap": 4.2, "budget": 0.5, "spearman": 0.95},
        "operations": {
            "pearson": 0.97, "low": 0.9, "high": 0.99, "spearman": 0.96, "factor": 1.2,
        },
    }  # fmt: skip
    assert set(statistics) == set(CLAIMS)
    for id, found in statistics.items():
        said = statistic_text(Finding(id, "holds", 12, found))
        assert "n = 12" in said
        assert "{" not in said


# The last one, for it needs a worker of its own, and so does the file that comes next.
def test_a_store_that_cannot_be_used_is_one_sentence_and_the_number_is_shown(
    open_page: Open,
) -> None:
    with store_at("nonsense://here"):
        app = open_page("latency", model="lenet5")
        assert sum("nonsense" in warning.value for warning in app.warning) == 1
        app.button(key="start").click()
        finish(finish(app.run()).run())
        assert "ms per batch" in html_of(app)
        assert any("take it as a file" in warning.value for warning in app.warning)
        assert len(app.get("download_button")) == 4
