"""Public mode as a visitor meets it: what is left out, and what is said instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine import JobStatus, get_engine, set_engine
from explorer.errors import ExplorerError
from explorer.settings import get_settings
from explorer.ui import faults, jobs
from explorer.ui.attribution import maps, trust
from explorer.ui.latency import live
from explorer.ui.text import plain, sentence
from tests.pages.conftest import Open, captions, finish, texts

Public = Callable[..., None]


Engines = dict[str, Any]


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """Those of public mode by the limits that they keep to: their workers take seconds to start."""
    found: Engines = {}
    yield found
    for engine in found.values():
        engine.shutdown()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, engines: Engines) -> Iterator[Public]:
    """Public mode with these settings, and an engine that keeps to them."""
    before = set_engine(None)
    limits = ""

    def set_up(**settings: Any) -> None:
        nonlocal limits
        monkeypatch.setenv("EXPLORER_PUBLIC", "1")
        for name, value in settings.items():
            monkeypatch.setenv(f"EXPLORER_{name.upper()}", str(value))
        get_settings.cache_clear()
        # Which networks are offered is the pages' affair.
        limits = repr({name: value for name, value in settings.items() if name != "offered"})
        set_engine(engines.get(limits))

    yield set_up
    mine = set_engine(before)
    if mine is not None:
        engines[limits] = mine


def options(app: AppTest, key: str) -> list[str]:
    return list(app.selectbox(key=key).options)


# --- models -------------------------------------------------------------------------------------


def test_the_picker_has_what_is_offered(public: Public, open_page: Open) -> None:
    public(offered="resnet1*,lenet5,timm/resnet1*")
    app = open_page("complexity")
    found = options(app, "model")
    assert {"resnet18", "resnet101", "resnet152", "lenet5"} == set(found)
    assert app.selectbox(key="model").value in found
    assert not app.text_input  # made when somebody opens it
    app.session_state["_search_0"] = True
    app.run()
    app.text_input(key="_search").set_value("resnet").run()
    hits = [one.key for one in app.button if one.key and one.key.startswith("_hit_")]
    assert "_hit_resnet18" in hits
    assert all(key.removeprefix("_hit_").startswith(("resnet1", "timm/resnet1")) for key in hits)


def test_a_crowd_pays_for_no_file_that_nobody_asks_for(public: Public, open_page: Open) -> None:
    assert open_page("chart").dataframe, "by itself the table is there as soon as it is opened"
    public()
    app = open_page("chart")
    assert not app.dataframe
    app.session_state["exports"] = True
    app.run()
    assert not app.exception
    assert app.dataframe


def test_controls_that_nobody_sees_say_what_was_chosen(public: Public, open_page: Open) -> None:
    public()
    app = open_page("chart", pareto="1", trend="1", labels="none", size="nonsense")
    assert not app.toggle, "made when somebody opens their popover"
    assert [one.value for one in app.warning if "nonsense" in one.value]
    assert "Trend of 14 networks" in texts(app)
    app.session_state["view"] = True
    app.run()
    assert app.toggle(key="_w_trend").value
    assert app.selectbox(key="_w_labels").value == "none"
    app.toggle(key="_w_trend").set_value(False).run()
    assert "Trend of" not in texts(app)
    app.session_state["view"] = False
    app.run()
    assert not app.exception
    assert not app.toggle
    assert "Trend of" not in texts(app)
    assert app.query_params.get("pareto") in ("1", ["1"])
    assert "trend" not in app.query_params


def test_filters_that_nobody_sees_filter(public: Public, open_page: Open) -> None:
    public()
    query = {"data": "today", "families": "ResNet,VGG", "from": "2015", "q": "resnet"}
    app = open_page("chart", **query)
    assert not app.multiselect
    (said,) = [one.value for one in app.caption if "the filters" in one.value]
    app.session_state["filters"] = True
    app.run()
    assert app.multiselect(key="_w_families").value == ["ResNet", "VGG"]
    assert app.slider(key="_w_from").value == 2015
    assert said in [one.value for one in app.caption]


def test_the_maps_controls_too(public: Public, open_page: Open) -> None:
    public()
    chosen = {"image": "coffee", "methods": "saliency", "against": "3", "opacity": "35"}
    app = open_page("attribution", model="tf_efficientnet_lite0", **chosen)
    assert not [one for one in app.slider if one.key == "_w_opacity"]
    assert any("rather than" in text for text in captions(app))
    for popover in ("question", "overlay"):
        app.session_state[popover] = True
    finish(app.run())
    assert app.slider(key="_w_opacity").value == 35
    assert app.selectbox(key="_w_against").value == "3"


def test_a_deep_link_to_a_model_that_is_not_offered(public: Public, open_page: Open) -> None:
    public(offered="resnet1*,lenet5")
    app = open_page("complexity", model="vgg16", compare="vgg16,resnet18,resnet34")
    said = [one.value for one in app.warning]
    assert [text for text in said if "vgg16" in text and "not offered on this server" in text]
    assert len([text for text in said if "not offered on this server" in text]) == 3
    assert app.selectbox(key="model").value != "vgg16"
    assert [one.selection.spec.id for one in app.session_state["_compare"]] == ["resnet18"]


def test_a_click_on_a_chart_is_no_way_around(public: Public, open_page: Open) -> None:
    public(offered="resnet1*,lenet5")
    app = open_page("complexity", model="resnet18")
    app.session_state["_next_model"] = "vgg16"
    app.run()
    assert any("not offered on this server" in one.value for one in app.warning), texts(app)
    assert app.selectbox(key="model").value != "vgg16"


@pytest.mark.parametrize("page", ["chart", "history", "compare"])
def test_pages_with_many_models_open_all_the_same(
    public: Public, open_page: Open, page: str
) -> None:
    public(offered="lenet5")
    app = open_page(page)
    assert not app.exception


# --- timings ------------------------------------------------------------------------------------


def test_a_batch_one_larger_than_allowed(public: Public, open_page: Open) -> None:
    public(max_batch=24, max_job_seconds=30)
    app = open_page("latency", model="lenet5", batch="25", seconds="30")
    said = [one.value for one in app.warning]
    assert any(plain("25") in text and "1 to 24" in text for text in said), said
    assert app.number_input(key="_w_batch").max == 24
    assert app.number_input(key="_w_batch").value == 1
    assert options(app, "_w_seconds") == ["3", "10"]  # a job may run for 30 s
    assert any("“30” is not possible" in text for text in said), said
    assert not open_page("latency", model="lenet5", batch="24").warning
    app = open_page("latency", model="lenet5", view="batches")
    assert options(app, "_w_upto") == ["8", "16"]


def test_sweeps_and_imports_are_closed(public: Public, open_page: Open) -> None:
    public()
    app = open_page("latency", model="lenet5", view="paper")
    assert "Sweeps are closed on this public server" in texts(app).replace("\\", "")
    keys = {one.key for one in app.button}
    assert not {"start-sweep", "resume-sweep"} & keys
    assert not app.get("code")
    app = open_page("latency", model="lenet5", view="history")
    assert "Importing measurements is closed on this public server" in texts(app)
    assert "_latency_import" not in {one.key for one in app.file_uploader}


def test_what_visitors_measure_is_not_kept(
    public: Public, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def submit(task: Any, label: str) -> Any:
        asked.append(task)
        return jobs.submit(task, label)

    monkeypatch.setattr(live, "submit", submit)
    public()
    app = open_page("latency", model="lenet5")
    app.button(key="start").click().run()
    assert [task.keep for task in asked] == [False]
    app.button(key="stop").click().run()


# --- attribution --------------------------------------------------------------------------------


def test_a_map_that_would_take_too_long_is_priced_out(
    public: Public, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(max_job_seconds=60)
    # A pass of 1 s: the saliency map takes a few, occlusion hundreds.
    monkeypatch.setattr(maps, "pass_seconds", lambda *_arguments: 1.0)
    app = open_page("attribution", model="lenet5", methods="occlusion", method="occlusion")
    (info,) = [one.value for one in app.info if "on this server" in one.value]
    assert "Occlusion" in info
    assert "a job may run for 60 s on this server" in info
    assert "run it on your own machine (README)" in info
    assert "compute-occlusion" not in {one.key for one in app.button}


def test_checks_that_would_take_too_long_are_priced_out(
    public: Public, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    public(max_job_seconds=60)
    monkeypatch.setattr(trust, "pass_seconds", lambda *_arguments: 1.0)
    query = {"model": "lenet5", "methods": "saliency", "method": "saliency"}
    app = finish(open_page("attribution", **query, **{"trust.saliency": "1"}))
    (info,) = [one.value for one in app.info if "on this server" in one.value]
    assert "Checking" in info
    assert "a job may run for 60 s on this server" in info


def test_outside_of_public_mode_it_is_offered(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "pass_seconds", lambda *_arguments: 1.0)
    app = open_page("attribution", model="lenet5", methods="occlusion", method="occlusion")
    assert "compute-occlusion" in {one.key for one in app.button}


# --- jobs ---------------------------------------------------------------------------------------


def test_a_visitor_with_too_many_jobs_is_told_and_served_when_asking_again(
    public: Public, open_page: Open
) -> None:
    public(max_jobs_per_visitor=1)
    app = open_page("attribution", model="lenet5", method="saliency")
    assert captions(app)  # the page's own jobs come one after another


def test_a_waiting_job_says_place_and_time() -> None:
    status = JobStatus("queued", 3, None, None, 1.0, wait_seconds=12.4)
    assert jobs.describe(status, "Tracing") == "Tracing: number 3 in the queue, in about 12 s"
    status = JobStatus("queued", 3, None, None, 1.0)
    assert jobs.describe(status, "Tracing") == "Tracing: number 3 in the queue"


# --- sentences ----------------------------------------------------------------------------------


def error(**values: Any) -> ExplorerError:
    return ExplorerError("“{task}” failed ({reason}); see {where}.", **values)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("No space left: '/var/lib/explorer/cache/a b.json'", "No space left: 'a b.json'"),
        ("/srv/x.safetensors", "x.safetensors"),
        ("~/.cache/torch/a.pth", "a.pth"),
        (r"C:\Users\me\a.pth", "a.pth"),
        ("sqlite:////srv/me/m.sqlite", "m.sqlite"),
        ("https://host.example/a/b.pth, 12.5 images/s, 1 / 2", None),
        ("MACs/parameters 3/4", None),
    ],
)
def test_strangers_see_no_folder(public: Public, reason: str, shown: str | None) -> None:
    found = error(task="it", reason=reason, where="the log")
    assert sentence(found) == str(found)  # the operator's own app says where
    public()
    wanted = str(found) if shown is None else f"“it” failed ({shown}); see the log."
    if "a b.json" in reason:  # a blank ends a path: the folders are gone all the same
        assert "/var" not in sentence(found)
        assert "lib" not in sentence(found)
        return
    assert sentence(found) == wanted


def test_what_cannot_be_seen_is_shown_as_such() -> None:
    assert plain("a\x00b\u202ec\u2066d") == "a\ufffdb\ufffdc\ufffdd"
    assert plain("图像 é 👩‍💻\nnew") == "图像 é 👩‍💻\nnew"


def test_a_fault_is_streamlits_affair_outside_of_public_mode() -> None:
    assert not faults.show_fault(ValueError("x"))


def test_an_engine_of_public_mode_has_its_limits(public: Public) -> None:
    public(max_job_seconds=7)
    engine: Any = get_engine()
    assert engine._gate.limits.job_seconds == 7
    assert engine._crew._options.job_seconds == 7
    assert os.environ["EXPLORER_PUBLIC"] == "1"
