"""Real networks, traced and drawn: everything open, by levels, both ways."""

from __future__ import annotations

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.spec import ModelSpec
from explorer.layout import Arrangement, arrange
from explorer.trace import trace_spec
from tests.layout.checks import faults

QUICK = ("lenet5", "resnet18", "squeezenet1_0", "googlenet", "vit_b_16")
ALL = sorted(spec.id for spec in CATALOG.values() if spec.source == "torchvision")


def drawings(spec: ModelSpec) -> list[Arrangement]:
    graph = trace_spec(spec)
    levels = range(arrange(graph).levels)
    return [
        arrange(graph, "all", "down"),
        arrange(graph, "all", "right"),
        *(arrange(graph, arrange(graph).to_depth(level)) for level in levels),
    ]


@pytest.mark.parametrize("name", QUICK)
def test_drawn_without_faults(name: str) -> None:
    for drawing in drawings(find(name)):
        assert faults(drawing) == {}
        assert all(box.title for box in drawing.boxes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_torchvision_network_is_drawn_without_faults(name: str) -> None:
    for drawing in drawings(find(name)):
        assert faults(drawing) == {}


def test_resnet_blocks_fold_with_their_count() -> None:
    graph = trace_spec(find("resnet34"))
    # ResNet-34 has 3, 4, 6 and 3 blocks; the first of layer2, 3 and 4 has a projection (arXiv
    # 1512.03385, table 1): runs of 3, 3, 5 and 2 equal ones, and two do not fold.
    folds = {entry.id for entry in arrange(graph).openable if ".." in entry.id}
    assert folds == {"layer1.0..layer1.2", "layer2.1..layer2.3", "layer3.1..layer3.5"}


def test_encoder_blocks_of_a_transformer_fold() -> None:
    graph = trace_spec(find("vit_b_16"))
    folded = arrange(graph, arrange(graph).to_depth(2))
    assert [box.count for box in folded.boxes if box.role == "fold"] == [12]  # ViT-B has 12 layers
