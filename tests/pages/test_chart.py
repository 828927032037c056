"""The front page: data sets, axes, filters, what the address restores, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalog import paper2016
from explorer.catalog.paper2016 import POINTS_FILE
from explorer.latency_results import LatencyResult, LatencySeries, Machine
from explorer.measurements import MeasurementStore
from tests.pages.conftest import Open, finish, texts


def figure(app: AppTest, number: int = 0) -> dict[str, Any]:
    """A chart's figure as the browser gets it."""
    return json.loads(app.get("plotly_chart")[number].proto.spec)


def drawn(app: AppTest) -> list[str]:
    return [c[2] for t in figure(app)["data"] for c in t.get("customdata", ())]


def test_the_front_page_shows_the_14_points_and_its_notes(open_page: Open) -> None:
    app = open_page("chart")
    assert len(drawn(app)) == 14
    said = texts(app)
    for part in ("31.57 and 18.44", "42.68 million", "24.51 G-Ops", "ignores groups"):
        assert part in said
    assert not figure(app).get("frames")


@pytest.mark.parametrize(
    "x",
    ["macs", "flops", "params", "activation_bytes", "canziani_ops", "year", "top5",
     "top1_per_mparam", "top1_per_gmac"],
)  # fmt: skip
def test_every_axis_of_todays_networks_has_values(open_page: Open, x: str) -> None:
    app = open_page("chart", data="today", x=x)
    assert len(drawn(app)) >= 110
    assert not app.exception


def test_all_of_timm_on_request(open_page: Open) -> None:
    app = open_page("chart", data="today", timm="1")
    assert len(drawn(app)) > 1500
    assert any(t["type"] == "contour" for t in figure(app)["data"])


def test_filters_narrow_and_are_counted(open_page: Open) -> None:
    app = open_page(
        "chart", data="today", timm="1", q="convnext", train="in1k", licences="mit,apache-2.0",
        **{"from": "2022"},
    )  # fmt: skip
    names = drawn(app)
    assert 0 < len(names) < 200
    assert all("convnext" in name for name in names)
    assert not any("in22k" in name or "in12k" in name for name in names)
    assert any("of 1556 networks pass the filters" in c.value for c in app.caption), texts(app)


def test_an_empty_result_is_said(open_page: Open) -> None:
    app = open_page("chart", data="today", q="nosuchnet")
    assert "no network matches" in figure(app)["layout"]["annotations"][0]["text"]
    assert not app.exception


def test_ghosts_arrows_trend_and_play_by_the_address(open_page: Open) -> None:
    app = open_page("chart", ghosts="1", trend="1")
    assert len(drawn(app)) > 14
    said = texts(app)
    assert "Hollow: today's weights" in said
    assert "R² = " in said
    played = open_page("chart", data="today", play="1", until="2016")
    spec = figure(played)
    assert len(spec["frames"]) == 15
    assert spec["layout"]["sliders"][0]["active"] == 4


def test_the_papers_look_is_one_click_away(open_page: Open) -> None:
    app = open_page("chart", x="params", log="1", pareto="1", colour="year")
    assert figure(app)["layout"]["xaxis"]["type"] == "log"
    app.button(key="paper-look").click()
    finish(app.run())
    layout = figure(app)["layout"]
    assert layout["xaxis"]["range"] == [-1.6, 43.5]
    assert layout["yaxis"]["range"] == [50.0, 83.0]
    assert "x" not in app.query_params


@pytest.mark.parametrize(
    ("name", "value"),
    [("y", "nope"), ("size", "mass"), ("colour", "mood"), ("until", "1066"), ("train", "moon"),
     ("data", "tomorrow"), ("labels", "loud"), ("families", "Nope")],
)  # fmt: skip
def test_wrong_values_are_said(open_page: Open, name: str, value: str) -> None:
    app = open_page("chart", **{"data": "today", name: value})
    assert any(value in warning.value for warning in app.warning), texts(app)
    assert app.get("plotly_chart")


def test_a_broken_row_of_the_papers_table_is_named_and_the_rest_drawn(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = POINTS_FILE.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace("62.62", "much")
    broken = tmp_path / "points.csv"
    broken.write_text("\n".join(lines), encoding="utf-8")
    whole = paper2016.load_points
    monkeypatch.setattr("explorer.ui.bubble.sources.load_points", lambda: whole(broken))
    app = open_page("chart")
    assert len(drawn(app)) == 13
    (said,) = [error.value for error in app.error]
    assert "Row 4" in said
    assert "much" in said


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MeasurementStore:
    kept = MeasurementStore(f"sqlite:///{tmp_path / 'kept.db'}")
    monkeypatch.setattr("explorer.measurements.MeasurementStore", lambda: kept)
    return kept


def test_nothing_measured_is_an_invitation(open_page: Open, store: MeasurementStore) -> None:
    app = open_page("chart", data="measured")
    assert store.count() == 0
    assert any("Nothing has been measured" in info.value for info in app.info)
    assert not app.get("plotly_chart")


def test_measurements_are_drawn(open_page: Open, store: MeasurementStore) -> None:
    import numpy as np

    for model, seconds in (("resnet18", 0.01), ("resnet50", 0.03)):
        series = LatencySeries(1, np.full(30, seconds), np.arange(30) * seconds, (0.1,), True)
        store.add(
            LatencyResult(
                model, None, (series,), "cpu", 2, "float32", "contiguous", (3, 224, 224), {},
                machine=Machine("cpu", "cpu", "A processor", 2, 4, 2**33, "Linux", "3.11", "2.14",
                                ""),
            )
        )  # fmt: skip
    app = open_page("chart", data="measured")
    spec = figure(app)
    shown = {c[0]: x for t in spec["data"] for c, x in zip(t.get("customdata", ()), t["x"],
             strict=False)}  # fmt: skip
    assert shown == {"resnet18": pytest.approx(10.0), "resnet50": pytest.approx(30.0)}
    assert "Diamonds" in texts(app)


def test_chinese(open_page: Open) -> None:
    app = open_page("chart", lang="zh", data="today")
    assert app.title[0].value != "Accuracy vs operations"
