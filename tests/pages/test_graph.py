"""The layer graph's page: selection and size by the address, exports, the torchinfo table."""

from __future__ import annotations

import re

import pytest

from explorer.catalog import find
from explorer.layout import arrange
from explorer.trace import trace_spec
from explorer.ui.graph_page import _layer
from tests.pages.conftest import Open, captions, texts


def test_a_layer_in_the_address_is_selected_and_explained(open_page: Open) -> None:
    app = open_page("graph", model="resnet18", select="layer1.0.conv1")
    # 3×3 kernel, 64 → 64 channels, 56×56 positions
    assert any("3×3×64×64×56×56" in code.value for code in app.code), texts(app)
    assert app.query_params["select"] == "layer1.0.conv1"


def test_a_block_points_to_the_layers_inside(open_page: Open) -> None:
    said = texts(open_page("graph", model="resnet18", select="layer1.0"))
    assert "inside" in said
    assert "0 multiply" not in said


def test_the_first_kernels_of_a_trained_network_are_shown(open_page: Open) -> None:
    app = open_page("graph", select="conv_stem", panel="weights")
    assert any("32 of 32 kernels" in caption for caption in captions(app))


def test_feature_maps_of_the_sample(open_page: Open) -> None:
    app = open_page("graph", model="lenet5", select="conv1", panel="maps")
    assert any("6 of 6 channels" in caption for caption in captions(app)), captions(app)


def test_a_size_that_the_network_does_not_take_is_one_sentence(open_page: Open) -> None:
    app = open_page("graph", model="vit_b_16", size="299")
    assert len(app.error) == 1
    assert "299" in app.error[0].value
    assert app.title


def test_another_size_changes_the_counts(open_page: Open) -> None:
    own = texts(open_page("graph", model="resnet18", view="outline"))
    smaller = texts(open_page("graph", model="resnet18", view="outline", size="128"))
    assert "1.81 GMACs" in own
    # Convolutions scale with the area, 1.8137 G × (128 / 224)²; the linear layer does not.
    assert "592.95 MMACs" in smaller or "592." in smaller


def test_torchinfos_table(open_page: Open) -> None:
    app = open_page("graph", model="lenet5", view="torchinfo")
    assert any("61,706" in code.value for code in app.code)


@pytest.mark.parametrize(
    ("selected", "layer"),
    [
        (None, ""),
        ("layer3", "layer3"),
        ("layer3.1..layer3.35", "layer3.1"),
        ("layer3.1..layer3.99", ""),
        ("input", ""),
    ],
)
def test_a_fold_stands_for_its_first_layer(selected: str | None, layer: str) -> None:
    graph = trace_spec(find("resnet152"))
    arrangement = arrange(graph, frozenset({"layer3"}))
    assert _layer(graph, arrangement, selected) == layer


def test_layers_can_be_coloured_by_measured_time(open_page: Open) -> None:
    app = open_page("graph", model="lenet5", timed="1", colour="time")
    assert not app.error
    data = app.get("bidi_component")[-1].proto.json
    assert re.search(r'"id":\s*"time"', data)
