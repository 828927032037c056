"""Ops, edges, module calls and parameters of small networks, checked one by one."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from explorer.graph import KINDS, LayerGraph, Tensor
from explorer.trace import trace
from tests.trace.networks import Heads, Residual, Shared, Splits, WritesIntoViews


def edges(graph: LayerGraph) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in graph.edges]


def test_a_residual_block() -> None:
    graph = trace(Residual(), torch.empty(2, 4, 8, 8))
    assert graph.method == "export"
    assert graph.missing == ()
    assert [(op.id, op.target, op.module) for op in graph.ops] == [
        ("conv2d_1", "conv2d", "conv1"),
        ("batch_norm_1", "batch_norm", "bn1"),
        ("relu_1", "relu_", "relu"),
        ("conv2d_2", "conv2d", "conv2"),
        ("add_1", "add", ""),
        ("relu_2", "relu_", "relu@2"),
    ]
    assert edges(graph) == [
        ("input", "conv2d_1"), ("conv2d_1", "batch_norm_1"), ("batch_norm_1", "relu_1"),
        ("relu_1", "conv2d_2"), ("conv2d_2", "add_1"), ("input", "add_1"),
        ("add_1", "relu_2"), ("relu_2", "output"),
    ]  # fmt: skip
    conv = graph.op_by_id["conv2d_1"]
    assert conv.macs == 2 * 4 * 4 * 3 * 3 * 8 * 8
    assert conv.inputs == conv.outputs == (Tensor((2, 4, 8, 8)),)
    assert conv.params == ("conv1.weight",)
    assert conv.attributes == {
        "kernel": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1,
        "in_channels": 4, "out_channels": 4, "bias": False,
    }  # fmt: skip
    norm = graph.op_by_id["batch_norm_1"]
    assert norm.kind == "normalisation"
    assert norm.macs == 0
    assert norm.params == ("bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var")
    assert graph.total_params == 2 * 4 * 4 * 3 * 3 + 2 * 4
    assert graph.buffers == 2 * 4 + 1  # running mean and variance, and the counter of batches
    assert graph.activation_bytes == 6 * 2 * 4 * 8 * 8 * 4


def test_module_calls() -> None:
    graph = trace(Residual(), torch.empty(1, 4, 8, 8))
    nodes = graph.module_by_id
    assert [node.id for node in graph.modules] == ["", "conv1", "bn1", "relu", "conv2", "relu@2"]
    assert nodes["relu@2"].path == nodes["relu"].path == "relu"
    assert nodes["conv1"].parent == ""
    assert nodes[""].parent is None
    assert nodes[""].class_name == "Residual"
    assert nodes["bn1"].source == "torch.nn.modules.batchnorm.BatchNorm2d"
    assert (nodes["bn1"].own_params, nodes["bn1"].buffers) == (8, 9)
    assert nodes[""].own_params == 0
    assert nodes[""].total_params == graph.total_params
    assert nodes[""].macs == graph.total_macs == sum(node.macs for node in graph.children[""])
    for node in graph.modules:
        assert node.inputs == node.outputs == (Tensor((1, 4, 8, 8)),)


def test_one_module_called_twice_is_two_places_and_one_set_of_weights() -> None:
    graph = trace(Shared(), torch.empty(1, 3, 6, 6))
    assert [node.id for node in graph.modules if node.class_name == "Conv2d"] == [
        "block.0", "block.0@2", "again.0"
    ]  # fmt: skip
    assert [node.parent for node in graph.modules if node.class_name == "Conv2d"] == [
        "block", "block@2", "again"
    ]  # fmt: skip
    assert {op.params for op in graph.ops if op.kind == "convolution"} == {
        ("block.0.weight", "block.0.bias")
    }
    assert graph.total_params == 3 * 3 * 3 * 3 + 3
    assert graph.total_macs == 3 * (3 * 3 * 3 * 3 * 6 * 6)


def test_what_inference_never_reads_is_auxiliary() -> None:
    module = Heads().train()
    graph = trace(module, torch.empty(1, 3, 6, 6))
    assert module.training
    assert module.aux.training
    assert {p.name for p in graph.parameters if p.aux} == {
        "aux.0.weight", "aux.0.bias", "aux.1.weight", "aux.1.bias",
        "aux.1.running_mean", "aux.1.running_var", "aux.1.num_batches_tracked",
    }  # fmt: skip
    assert graph.aux_params == 8 * 2 + 2 + 2 + 2
    assert graph.total_params == (3 * 3 * 3 * 8 + 8) + (8 * 5 + 5)
    assert graph.buffers == 8
    assert [edge.source for edge in graph.edges if edge.target == "output"] == [
        "linear_1", "mul_1"
    ]  # fmt: skip
    assert graph.modules[0].outputs == (Tensor((1, 5)), Tensor((1, 8, 4, 4)))


def test_several_outputs_are_one_op() -> None:
    graph = trace(Splits(), torch.empty(1, 3, 8, 8))
    targets = [op.target for op in graph.ops]
    assert "getitem" not in targets
    chunk = graph.op_by_id["chunk_1"]
    assert chunk.view
    assert chunk.output_bytes == 0
    assert chunk.outputs == (Tensor((1, 4, 8, 8)), Tensor((1, 4, 8, 8)))
    leaving = [(e.target, e.index) for e in graph.edges if e.source == "chunk_1"]
    assert leaving == [("max_pool2d_with_indices_1", 0), ("add_2", 1)]
    pool = graph.op_by_id["max_pool2d_with_indices_1"]
    assert pool.outputs[1] == Tensor((1, 4, 4, 4), "int64")
    assert pool.attributes["kernel"] == pool.attributes["stride"] == (2, 2)
    # The constant that is added is no edge and no parameter.
    assert len(graph.op_by_id["add_2"].inputs) == 1
    assert graph.op_by_id["add_2"].params == ()
    assert graph.op_by_id["flatten_1"].view


def test_writing_into_a_view_is_an_edge_to_whoever_reads_it_later() -> None:
    graph = trace(WritesIntoViews(), torch.empty(1, 2, 4, 4))
    found = edges(graph)
    last_write = next(op.id for op in graph.ops if op.target == "add_")
    first_write = next(op.id for op in graph.ops if op.target == "copy_")
    assert (last_write, "mul_1") in found
    second_view = next(source for source, target in found if target == last_write)
    assert (first_write, second_view) in found
    # zeros_like takes its size from x, not its data.
    assert not [e for e in found if e[1] == "zeros_like_1"]


@pytest.mark.parametrize("module", [Residual(), Shared(), Heads(), Splits(), WritesIntoViews()])
def test_every_graph_holds_together(module: nn.Module) -> None:
    channels = {"Residual": 4, "WritesIntoViews": 2}.get(type(module).__name__, 3)
    graph = trace(module, torch.empty(1, channels, 8, 8))
    check(graph)
    assert pickle.loads(pickle.dumps(graph)) == graph


def check(graph: LayerGraph) -> None:
    """What holds for every graph."""
    order = {op.id: position for position, op in enumerate(graph.ops)}
    assert len(order) == len(graph.ops)
    arriving: dict[str, list[Tensor]] = {}
    for edge in graph.edges:
        arriving.setdefault(edge.target, []).append(edge.tensor)
        assert edge.target in order or edge.target == "output"
        assert edge.source in order or edge.source.startswith("input")
        if edge.source in order:
            assert order[edge.source] < order.get(edge.target, len(order))
            assert graph.op_by_id[edge.source].outputs[edge.index] == edge.tensor
    for op in graph.ops:
        assert op.kind in KINDS
        assert op.module in graph.module_by_id
        assert op.inputs == tuple(arriving.get(op.id, ()))
    names = [p.name for p in graph.parameters]
    assert len(names) == len(set(names))
    assert {name for op in graph.ops for name in op.params} <= set(names)
    own: dict[str, int] = {}
    for op in graph.ops:
        own[op.module] = own.get(op.module, 0) + op.macs
    for node in graph.modules[1:]:
        assert node.parent in graph.module_by_id
        children = sum(child.macs for child in graph.children.get(node.id, ()))
        assert node.macs == children + own.get(node.id, 0)


def test_weights_are_not_read_and_memory_is_not_taken() -> None:
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(100_000, 100_000), nn.ReLU())  # 40 GB if it existed
    graph = trace(module, torch.empty(1, 100_000, device="meta"))
    assert graph.total_macs == 100_000**2
