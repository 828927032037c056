"""Each page with the networks that a fresh installation can open, all offline."""

from __future__ import annotations

import pytest

from explorer.catalog import find
from tests.pages.conftest import Open, captions, texts

MODELS = ("tf_efficientnet_lite0", "lenet5", "resnet50", "vit_b_16", "timm/convnext_atto")
PAGES = ("chart", "history", "graph", "complexity", "attribution", "latency", "compare")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_the_default_model(open_page: Open, page: str) -> None:
    app = open_page(page)
    assert len(app.title) == 1
    assert not app.error
    assert app.selectbox(key="model").value == "tf_efficientnet_lite0"


@pytest.mark.parametrize("model", MODELS)
def test_the_graph_page_shows_the_catalogs_numbers(open_page: Open, model: str) -> None:
    app = open_page("graph", model=model, view="outline")
    said = texts(app)
    assert f"Parameters: {find(model).params:,}" in said
    assert len(app.dataframe) == 1


@pytest.mark.parametrize("model", MODELS)
def test_the_complexity_table_adds_up(open_page: Open, model: str) -> None:
    app = open_page("complexity", model=model, view="table")
    for table in (app.dataframe[0].value, app.dataframe[1].value):
        total = table.iloc[-1]
        for column in ("Parameters", "MACs", "Activation bytes"):
            assert table[column].iloc[:-1].sum() == total[column]
        assert total["Parameters"] == find(model).params


@pytest.mark.parametrize("model", ["resnet50", "vit_b_16", "timm/convnext_atto"])
def test_untrained_networks_carry_the_banner(open_page: Open, model: str) -> None:
    app = open_page("attribution", model=model, method="saliency")
    assert any("Untrained network" in warning.value for warning in app.warning)


def test_trained_networks_carry_no_banner(open_page: Open) -> None:
    app = open_page("attribution")
    assert not any("Untrained network" in warning.value for warning in app.warning)


def test_compare_shows_the_ratio(open_page: Open) -> None:
    app = open_page("compare", model="resnet50", other="resnet18")
    table = app.dataframe[0].value.set_index("Quantity")
    # 25,557,032 and 11,689,512 parameters (torchvision's num_params)
    assert (
        table.loc["Parameters (million)", "ResNet-18 / ResNet-50"]
        == f"{11_689_512 / 25_557_032:.2f}×"
    )
    assert table.loc["Parameters (million)", "ResNet-50"] == "25.56"
    assert table.loc["Parameters (million)", "ResNet-18"] == "11.69 ★"


def test_networks_of_different_data_are_not_compared_in_predictions(open_page: Open) -> None:
    app = open_page("compare", model="resnet18", other="lenet5", view="image")
    assert any("cannot be compared" in info.value for info in app.info)


def test_the_history_opens_a_step_by_its_address(open_page: Open) -> None:
    app = open_page("history", entry="vgg")
    assert any("VGG" in heading.value for heading in app.subheader)


def test_the_chart_of_today_has_every_torchvision_weight(open_page: Open) -> None:
    app = open_page("chart", data="today")
    table = app.dataframe[0].value
    weights = [w for w in table["Weights"] if w.startswith("IMAGENET1K")]
    # 115 sets of weights; VGG-16's IMAGENET1K_FEATURES is no classifier and has no accuracy.
    assert len(weights) == 115 - 1
    assert "IMAGENET1K_FEATURES" in texts(app)


@pytest.mark.parametrize("digit", range(10))
def test_lenet_reads_the_sample_digits(open_page: Open, digit: int) -> None:
    app = open_page("attribution", model="lenet5", image=f"digit_{digit}", method="saliency")
    assert any(f"for “{digit}”" in caption for caption in captions(app))


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("coffee", ("espresso",)),
        ("chelsea", ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")),
    ],
)
def test_the_default_network_knows_the_samples(
    open_page: Open, image: str, labels: tuple[str, ...]
) -> None:
    app = open_page("attribution", image=image)
    assert any(f"“{label}”" in caption for caption in captions(app) for label in labels)
