"""``counted.json`` is what a trace counts; training data are what the names say."""

from __future__ import annotations

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.counted import _table, counted
from explorer.catalog.pretraining import LABELS, training_data
from explorer.costs import Convention, count
from explorer.trace import trace_light


def test_every_published_network_is_counted() -> None:
    wanted = {
        (model, weights.preprocessing.input_size[1])
        for model in CATALOG if not model.startswith("timm/")
        for weights in CATALOG[model].weights
        if weights.top1 is not None and weights.dataset == "imagenet"
    }  # fmt: skip
    assert set(_table()) == wanted


@pytest.mark.parametrize(
    ("model", "side"), [("resnet18", 224), ("mobilenet_v2", 224), ("regnet_y_16gf", 384)]
)
def test_the_counts_are_those_of_a_trace(model: str, side: int) -> None:
    graph = trace_light(find(model), (3, side, side))
    kept = counted(model, side)
    assert kept is not None
    assert kept.canziani_ops == count(graph, Convention.CANZIANI)
    assert kept.activation_bytes == graph.activation_bytes


def test_what_was_not_counted_is_none() -> None:
    assert counted("resnet18", 225) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("IMAGENET1K_V2", "in1k"), ("IMAGENET1K_SWAG_E2E_V1", "web"), ("a1_in1k", "in1k"),
        ("augreg_in21k_ft_in1k", "in21k"), ("fb_in22k_ft_in1k_384", "in21k"),
        ("sw_in12k_ft_in1k", "in21k"), ("ns_jft_in1k", "web"), ("fb_swsl_ig1b_ft_in1k", "web"),
        ("laion2b_ft_in12k_in1k", "web"), ("mim_m38m_ft_in22k_in1k", "web"), ("", "in1k"),
    ],
)  # fmt: skip
def test_training_data_by_name(name: str, data: str) -> None:
    assert training_data(name) == data
    assert data in LABELS
