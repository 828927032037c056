"""The address restores the view; what is wrong in it is said, and something else is shown."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Open, finish, texts


def test_an_unknown_model_is_said_with_the_closest_names(open_page: Open) -> None:
    app = open_page("complexity", model="resnet5O")
    said = " ".join(warning.value for warning in app.warning)
    assert "resnet5O" in said
    assert "resnet50" in said
    assert app.selectbox(key="model").value == "tf_efficientnet_lite0"


def test_markup_in_the_address_is_shown_as_text(open_page: Open) -> None:
    app = open_page("complexity", model="<script>alert(1)</script>")
    said = " ".join(warning.value for warning in app.warning)
    assert "\\<script\\>" in said
    assert "<script>" not in said


def test_weights_of_another_model_are_said(open_page: Open) -> None:
    app = open_page("complexity", model="lenet5", weights="IMAGENET1K_V1")
    assert any("IMAGENET1K" in warning.value for warning in app.warning)
    assert app.selectbox(key="weights").value == "MNIST_DIGITS"


def test_an_unknown_language_is_said(open_page: Open) -> None:
    app = open_page("complexity", lang="fr")
    assert any("fr" in warning.value for warning in app.warning)
    assert app.title[0].value == "Complexity"


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("complexity", "by", "flips"),
        ("graph", "level", "99"),
        ("chart", "x", "nope"),
        ("chart", "data", "1999"),
        ("graph", "select", "layer9"),
        ("graph", "size", "31"),
        ("graph", "view", "nope"),
        ("history", "entry", "nope"),
        ("attribution", "method", "telepathy"),
        ("attribution", "target", "5000"),
        ("attribution", "opacity", "1000"),
        ("attribution", "image", "nope"),
        ("latency", "batch", "-1"),
        ("compare", "other", "nope"),
    ],
)
def test_a_wrong_parameter_is_said_and_the_page_stays(
    open_page: Open, page: str, name: str, value: str
) -> None:
    view = {"view": "outline"} if name == "level" else {}
    app = open_page(page, **view, **{name: value})
    assert any(value.strip("-") in warning.value for warning in app.warning), texts(app)
    assert app.title
    assert not app.error


def test_the_address_restores_a_choice(open_page: Open) -> None:
    app = open_page("complexity", by="params")
    assert app.session_state["_w_by"] == "params"


def test_a_choice_goes_into_the_address_and_the_default_leaves_it(open_page: Open) -> None:
    app = open_page("complexity")
    app.button_group(key="_w_by").set_value("params")
    finish(app.run())
    assert app.query_params["by"] == "params"
    app.button_group(key="_w_by").set_value("macs")
    finish(app.run())
    assert "by" not in app.query_params


def test_chinese_by_the_address(open_page: Open) -> None:
    app = open_page("complexity", lang="zh")
    assert app.title[0].value == "复杂度"


def test_a_step_back_leaves_the_choice_behind(open_page: Open) -> None:
    app = open_page("complexity")
    app.button_group(key="_w_by").set_value("params")
    finish(app.run())
    finish(app.run())
    del app.query_params["by"]
    finish(app.run())
    assert app.session_state["_w_by"] == "macs"


def test_a_run_of_the_apps_own_with_the_old_address_changes_nothing(open_page: Open) -> None:
    app = open_page("complexity", compare="lenet5,resnet18")
    app.button_group(key="_w_by").set_value("params")
    finish(app.run())
    for name in ("by", "compare"):
        del app.query_params[name]  # the browser had not applied what was written yet
    app.session_state["_own_rerun"] = True
    finish(app.run())
    assert app.session_state["_w_by"] == "params"
    assert app.query_params["by"] == "params"
    assert app.query_params["compare"] == "lenet5,resnet18"
