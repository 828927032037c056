"""The attribution page: several maps, classes by click, checks, region, what its address says."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attribution import METHODS
from explorer.attribution.quality_plan import map_passes
from explorer.ui.attribution import maps
from explorer.ui.attribution.controls import tour
from tests.pages.conftest import Open, captions, finish, texts

DIGIT = {"model": "lenet5", "image": "digit_3"}


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
