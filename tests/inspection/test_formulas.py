from __future__ import annotations

from math import prod

import pytest

from explorer.errors import LayerError
from explorer.graph import Op, Tensor
from explorer.inspection.choosing import choose
from explorer.inspection.formulas import NOTHING_BY_CONVENTION, UNKNOWN, formula
from tests.inspection.conftest import Graphs


@pytest.mark.parametrize(
    ("model", "selected", "product"),
    [
        ("vgg16", "features.7", "3×3×128×128×112×112 = 1,849,688,064"),
        ("vgg16", "features.5", "3×3×64×128×112×112 = 924,844,032"),
        # Depthwise: one input channel a group.
        ("tf_efficientnet_lite0", "blocks.1.0.conv_dw", "3×3×1×96×56×56 = 2,709,504"),
        ("lenet5", "fc1", "400×120 = 48,000"),
        ("lenet5", "conv2", "5×5×6×16×10×10 = 240,000"),
        ("vit_b_16", "scaled_dot_product_attention_1", "12×197×197×128 = 59,610,624"),
    ],
)
def test_the_numbers_are_put_in(graph_of: Graphs, model: str, selected: str, product: str) -> None:
    op = choose(graph_of(model), selected).only_op
    assert op is not None
    assert formula(op).product == product
    assert formula(op).names


@pytest.mark.parametrize(
    "model", ["lenet5", "resnet18", "tf_efficientnet_lite0", "vit_b_16", "swin_t", "googlenet"]
)
def test_every_product_multiplies_out_to_the_graphs_number(graph_of: Graphs, model: str) -> None:
    working = [op for op in graph_of(model).ops if op.macs]
    assert working
    for op in working:
        factors, _, result = formula(op).product.partition(" = ")
        assert prod(int(part) for part in factors.split("×")) == op.macs, op.id
        assert int(result.replace(",", "")) == op.macs


def test_groups_divide_the_input_channels() -> None:
    # 3·3·(64 / 4)·128·56·56
    op = Op(
        "conv2d_1", "conv2d", "convolution", "", (Tensor((1, 64, 56, 56)),),
        (Tensor((1, 128, 56, 56)),),
        {"kernel": (3, 3), "in_channels": 64, "out_channels": 128, "groups": 4}, (), 57_802_752,
    )  # fmt: skip
    assert formula(op).product == "3×3×16×128×56×56 = 57,802,752"
    assert "groups" in formula(op).names


def test_what_is_not_counted_says_why(graph_of: Graphs) -> None:
    found = formula(choose(graph_of("lenet5"), "pool1").ops[0])
    assert (found.product, found.why) == ("0", NOTHING_BY_CONVENTION)
    unknown = Op("odd_1", "odd", "other", "", (), (), {}, (), 0, counted=False)
    assert formula(unknown).why == UNKNOWN


def test_ops_are_named_after_the_module_that_hands_them_out(graph_of: Graphs) -> None:
    graph = graph_of("resnet18")
    assert choose(graph, "conv2d_1").layer == "conv1"
    assert choose(graph, "add_1").layer == "op:add_1"
    relu = next(op for op in graph.ops if op.module == "layer1.0.relu@2")
    assert choose(graph, relu.id).layer == "layer1.0.relu@2"


def test_a_module_holds_its_ops_and_the_network_all(graph_of: Graphs) -> None:
    graph = graph_of("resnet18")
    assert choose(graph, "").ops == graph.ops
    block = choose(graph, "layer1.0")
    # conv, norm, relu, conv, norm, add, relu
    assert len(block.ops) == 7
    assert sum(op.macs for op in block.ops) == graph.module_by_id["layer1.0"].macs


def test_a_selection_that_is_not_there_is_one_sentence(graph_of: Graphs) -> None:
    with pytest.raises(LayerError, match="resnet18 has no layer “layer9”"):
        choose(graph_of("resnet18"), "layer9")
