"""The history page: steps with their blocks, ideas with sliders, folklore with its links."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.claims import CHECKS, claims, counts
from explorer.explainers import EXPLAINERS
from tests.pages.conftest import Open, finish, texts


def cards(app: AppTest) -> list[str]:
    """The HTML of each list of statements, the chosen one first."""
    return [e.proto.body for e in app.get("html") if 'class="folklore"' in e.proto.body]


def test_a_step_shows_ideas_origins_block_and_networks(open_page: Open) -> None:
    app = open_page("history", entry="resnet")
    said = texts(app)
    assert "ResNet (2015)" in said
    assert "Kaiming He" in said
    assert "Batch normalisation" in said  # borrowed from
    assert "DenseNet" in said  # taken up by
    assert "`layer1.1` of **ResNet\\-34**" in said  # the block
    # 2·(64·64·9) weights and 2·2·64 of the normalisation
    assert "73.98 k parameters" in said
    table = app.dataframe[0].value
    assert table["Parameters"].tolist()[0] == "21.80 M"
    assert len(table) == 5
    assert any(button.label == "Choose ResNet-152" for button in app.button)


def test_a_step_leads_to_an_idea_and_back(open_page: Open) -> None:
    app = open_page("history", entry="squeezenet")
    finish(app.button(key="try-fire").click().run())
    assert app.query_params["view"] == "ideas"
    assert app.query_params["idea"] == "fire"
    assert "1,248,424" in texts(app)
    finish(app.button(key="to-entry").click().run())
    assert "view" not in app.query_params
    assert "SqueezeNet (2016)" in texts(app)


@pytest.mark.parametrize("idea", EXPLAINERS)
def test_every_idea_opens_by_its_address(open_page: Open, idea: str) -> None:
    app = open_page("history", view="ideas", idea=idea)
    assert app.get("plotly_chart")
    assert [slider.value for slider in app.slider] == [
        slider.default for slider in EXPLAINERS[idea].sliders
    ]


def test_a_value_in_the_address_is_taken_and_a_wrong_one_said(open_page: Open) -> None:
    app = open_page("history", view="ideas", idea="separable", separable_kernel="5")
    assert "1,638,400" in texts(app)  # 25·256²
    bad = open_page("history", view="ideas", idea="separable", separable_kernel="99")
    assert any("99" in warning.value for warning in bad.warning)


def test_folklore_shows_all_and_recomputes(open_page: Open) -> None:
    app = open_page("history", view="claims")
    (body,) = cards(app)
    assert body.count("<article") == len(claims()) == 47
    assert body.count("class='mark'") == len(CHECKS)
    assert "being recomputed" not in body
    assert "verdict would be" not in body
    assert "19,421,274" in body


@pytest.mark.parametrize("verdict", ["true", "imprecise", "false", "uncheckable"])
def test_the_filter_by_verdict(open_page: Open, verdict: str) -> None:
    app = open_page("history", view="claims", verdict=verdict)
    (body,) = cards(app)
    assert body.count("<article") == counts()[verdict]  # type: ignore[index]
    assert body.count(f'<article class="{verdict}"') == body.count("<article")


def test_an_empty_filter_says_so(open_page: Open) -> None:
    app = open_page("history", view="claims", verdict="uncheckable", about="vgg")
    assert any("No statement" in info.value for info in app.info)
    assert not cards(app)


def test_a_permanent_link_opens_its_claim_first(open_page: Open) -> None:
    app = open_page("history", claim="bneck_10x")
    chosen, everything = cards(app)
    assert 'data-claim="bneck_10x"' in chosen
    assert "8.47×" in chosen
    assert "<details open>" in chosen
    assert everything.count("<article") == 47
    assert app.query_params["claim"] == "bneck_10x"
    leave = next(button for button in app.button if button.label == "All statements")
    finish(leave.click().run())
    assert len(cards(app)) == 1
    assert "claim" not in app.query_params


def test_an_unknown_claim_is_said_and_the_list_stays(open_page: Open) -> None:
    app = open_page("history", claim="earth_is_flat")
    assert any("earth" in warning.value for warning in app.warning)
    assert len(cards(app)) == 1
    assert not app.error


def test_chinese(open_page: Open) -> None:
    app = open_page("history", lang="zh", entry="bottleneck")
    assert "瓶颈层" in texts(app)
    claim = open_page("history", lang="zh", claim="9_49")
    assert claims()["9_49"].claim["zh"] in cards(claim)[0]
    assert "不精确" in cards(claim)[1]
