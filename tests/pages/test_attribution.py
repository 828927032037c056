"""The attribution page: several maps, classes by click, checks, region, what its address says."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attribution import METHODS
from explorer.attribution.quality_plan import map_passes
from explorer.ui.attribution import maps, region
from explorer.ui.attribution.controls import tour
from tests.pages.conftest import Open, captions, finish, texts

DIGIT = {"model": "lenet5", "image": "digit_3"}
PHOTO = {"model": "tf_efficientnet_lite0", "image": "coffee"}


def shown(app: AppTest) -> list[str]:
    """Names of the methods whose maps are on the page, in order."""
    return [caption.split(" for “")[0] for caption in captions(app)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Grad-CAM"]),
        ({"method": "saliency"}, ["Saliency"]),
        ({"methods": "saliency"}, ["Saliency"]),
        ({"methods": "grad_cam,saliency"}, ["Grad-CAM", "Saliency"]),
        ({"methods": "saliency", "method": "grad_cam"}, ["Saliency"]),
    ],
)
def test_the_address_names_the_methods(
    open_page: Open, query: dict[str, str], expected: list[str]
) -> None:
    app = open_page("attribution", **DIGIT, **query)
    assert shown(app) == expected
    assert "method" not in app.query_params
    assert not app.error


def test_a_wrong_method_among_several_is_said(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="saliency,telepathy")
    assert any("telepathy" in warning.value for warning in app.warning)
    assert shown(app) == ["Grad-CAM"]


def test_the_tour_shows_the_five_cheapest_methods(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT)
    app.button(key="tour").click()
    finish(app.run())
    assert len(tour()) == 5
    dearest = max(map_passes(name) for name in tour())
    others = [name for name in METHODS if name not in tour() and name != "attention_rollout"]
    assert all(map_passes(name) >= dearest for name in others)
    assert len(captions(app)) == 5
    assert app.query_params["methods"] == ",".join(tour())


def test_a_class_is_explained_by_its_number(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, target="8")
    assert any("for “8”" in caption for caption in captions(app))


def test_a_dear_map_tells_its_price_and_waits(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "AUTO_SECONDS", 0.0)
    # Not a digit of another test: a map that is kept needs no price.
    app = open_page("attribution", model="lenet5", image="digit_6", methods="occlusion")
    assert any("Occlusion: about" in caption.value for caption in app.caption)
    assert not captions(app)
    app.button(key="compute-occlusion").click()
    finish(app.run())
    assert shown(app) == ["Occlusion"]


def test_the_region_tells_its_share(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, region="1", left="0", right="100", top="0")
    # Three quarters: from the upper edge down to the default lower edge at 75 %.
    assert "on 75% of the area" in texts(app)
    app = open_page("attribution", **DIGIT, region="1", left="60", right="40")
    assert "The box is empty" in texts(app)


def test_one_scale_and_the_difference(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="saliency,grad_cam", shared="1")
    assert "All maps share one scale." in texts(app)
    assert "Orange: Saliency is stronger; blue: Grad-CAM is." in texts(app)
    app = open_page("attribution", **DIGIT, methods="saliency,grad_cam")
    assert "Each map has its own scale." in texts(app)


def test_values_are_read_from_a_chart(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, method="saliency", values="1")
    assert not captions(app)
    assert len(app.get("plotly_chart")) == 2  # the map and the bars


def test_the_checks_end_in_a_verdict(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="saliency", **{"trust.saliency": "1"})
    assert any("Nothing speaks against the map" in found.value for found in app.success)
    said = texts(app)
    assert "lower than 5 of 5 random orders" in said
    assert "Shuffled weights: rank correlation" in said


def test_the_checks_of_an_untrained_network_say_noise(open_page: Open) -> None:
    app = open_page(
        "attribution", model="lenet5", weights="untrained", image="digit_3", methods="saliency",
        **{"trust.saliency": "1", "checks": "randomisation"},
    )  # fmt: skip
    assert any("the map explains noise" in warning.value for warning in app.warning)


def test_no_method_is_said(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT)
    app.multiselect(key="_w_methods").set_value([])
    finish(app.run())
    assert "Choose a method to see a map." in texts(app)


def test_a_refused_method_says_why_instead_of_running(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="attention_rollout")
    assert any("Attention rollout needs attention" in info.value for info in app.info)
    assert not captions(app)
    assert not app.error
    options = app.multiselect(key="_w_methods").options
    assert options[-1] == "Attention rollout (not for this network)"


def test_a_repaired_method_says_what_was_repaired(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="deep_lift")
    assert "repaired: Some ReLUs are followed by max pooling at once" in texts(app)


def test_the_address_asks_for_one_class_rather_than_another(open_page: Open) -> None:
    app = open_page(
        "attribution", **DIGIT, methods="saliency", target="3", against="8", output="probability"
    )
    assert any("for “3” rather than “8”" in caption for caption in captions(app))
    app = open_page("attribution", **DIGIT, methods="saliency", target="3", also="5,8")
    assert any("for “3 + 5 + 8”" in caption for caption in captions(app))
    app = open_page("attribution", **DIGIT, methods="saliency", target="3", against="3")
    assert any("name one twice" in error.value for error in app.error)


def test_the_address_names_the_layer(open_page: Open) -> None:
    app = open_page("attribution", **DIGIT, methods="grad_cam", layer="conv1")
    assert "layer `conv1`" in texts(app)
    assert "conv1 · Conv2d · 6×28×28" in app.selectbox(key="_w_layer").options
    app = open_page("attribution", **DIGIT, methods="grad_cam", layer="nowhere")
    assert any("nowhere" in warning.value for warning in app.warning)
    assert "layer `relu2`" in texts(app)


def test_the_address_asks_for_the_colours_apart(open_page: Open) -> None:
    app = open_page("attribution", **PHOTO, methods="saliency", channels="1")
    found = [caption for caption in captions(app) if caption.startswith(("red: ", "green: "))]
    assert len(found) == 2
    app = open_page("attribution", **PHOTO, methods="grad_cam", channels="1")
    assert any("for all colour channels together" in warning.value for warning in app.warning)


def test_a_box_that_is_drawn_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(region.st, "session_state", state)
    region.take_box((24, 8, 8, 24), (32, 32))  # drawn from right to left
    assert state == {
        "_w_left": 25, "_w_right": 75, "_w_top": 25, "_w_bottom": 75, "_w_region": True,
    }  # fmt: skip
