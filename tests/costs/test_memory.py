"""Memory: parameters at a precision, live tensors by hand, batches."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.catalog import find
from explorer.costs import (
    arithmetic_intensity,
    batch_scaled,
    breakdown,
    bytes_moved,
    count,
    memory_profile,
    parameter_memory,
)  # fmt: skip
from explorer.errors import InputSizeError
from explorer.trace import trace, trace_spec
from explorer.tracing.building import module_for


def test_parameters_at_a_precision() -> None:
    graph = trace_spec(find("googlenet"))
    full, half, byte = (parameter_memory(graph, d) for d in ("float32", "float16", "int8"))
    assert full.trainable == 4 * 6_624_904
    assert half.trainable == 2 * 6_624_904
    assert byte.trainable == 6_624_904
    # Batch counters are whole numbers of 8 bytes at any precision: one for each batch norm.
    norms = sum(op.target == "batch_norm" for op in graph.ops)
    running = full.buffers - 8 * norms
    assert half.buffers == running // 2 + 8 * norms
    assert full.inference == full.trainable + full.buffers
    assert full.aux > 4 * graph.aux_params
    with pytest.raises(ValueError, match="float8"):
        parameter_memory(graph, "float8")


class Chain(nn.Module):
    """x → a → b (in place) → view → c, while x is needed at the end."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = x.exp()
        b = a.relu_().view(1, 2, 50)
        return b.sum(1) + x.view(1, 2, 50).sum(1)


def test_live_tensors_by_hand() -> None:
    profile = memory_profile(trace(Chain(), torch.empty(1, 100)), held_arguments=False)
    x, whole, half = 400, 400, 200
    assert profile.live == (
        ("exp_1", x + whole),  # x and a
        ("relu_1", x + whole),  # in place
        ("view_1", x + whole),  # the same memory
        ("sum_1", x + whole + half),  # b ends here
        ("view_2", x + half),
        ("sum_2", x + half + half),  # x ends here
        ("add_1", half + half + half),
    )
    assert (profile.peak_bytes, profile.peak_op) == (1000, "sum_1")
    assert profile.training_bytes == x + whole + half + half + half


class Caller(nn.Module):
    """Its child holds what it was called with until it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(nn.Sigmoid(), nn.Tanh(), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.steps(x.exp())


def test_arguments_are_held_by_the_call() -> None:
    graph = trace(Caller(), torch.empty(1, 100))
    # exp is held by `steps` through its second and third step; the input by the root throughout.
    assert memory_profile(graph).peak_bytes == 4 * 400
    assert memory_profile(graph, held_arguments=False).peak_bytes == 2 * 400


class Names(nn.Module):
    """A block whose own code names what it joins, and hands it to two layers in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Sigmoid(), nn.Tanh()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([x, x], 1)
        return self.second(self.first(joined))


def test_what_a_block_names_is_held_until_it_returns() -> None:
    graph = trace(nn.Sequential(Names(), nn.Flatten()), torch.empty(1, 100))
    live = dict(memory_profile(graph).live)
    # While tanh runs: the input, what was joined, what sigmoid wrote, what tanh writes.
    assert live["tanh_1"] == 400 + 800 + 800 + 800
    # Nothing of the block but its result is left: the input is held by the root.
    assert live["flatten_1"] == 400 + 800
    assert dict(memory_profile(graph, held_arguments=False).live)["tanh_1"] == 800 + 800


def test_vgg16_peaks_where_two_maps_of_224_stand() -> None:
    graph = trace_spec(find("vgg16"))
    image, first_map = 3 * 224 * 224 * 4, 64 * 224 * 224 * 4
    profile = memory_profile(graph)
    assert profile.peak_bytes == image + 2 * first_map
    assert memory_profile(graph, held_arguments=False).peak_bytes == 2 * first_map


def test_convolutions_on_the_cpu_copy_into_their_own_layout() -> None:
    graph = trace_spec(find("vgg16"))
    image, first_map = 3 * 224 * 224 * 4, 64 * 224 * 224 * 4
    weights = (3 * 3 * 64 * 64 + 64) * 4
    profile = memory_profile(graph, cpu_workspace=True)
    assert profile.peak_bytes == image + 3 * first_map + weights
    assert profile.peak_op == "conv2d_2"


def measured_peak(model: str) -> int:
    """Bytes that torch's allocator held at once during one forward pass, the image included."""
    from torch.profiler import ProfilerActivity, profile

    spec = find(model)
    module = module_for(spec, spec.input_size)
    for parameter in module.parameters():
        parameter.data.zero_()
    image = torch.zeros(1, *spec.input_size)
    with torch.no_grad():
        module(image)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            module(image)
    held = peak = 0
    for event in recorded.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak + image.nbytes


@pytest.mark.slow
@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
@pytest.mark.parametrize("model", ["vgg16", "resnet50", "densenet121", "mobilenet_v2", "vit_b_16"])
def test_the_peak_is_what_the_allocator_sees(model: str) -> None:
    expected = memory_profile(trace_spec(find(model)), cpu_workspace=True).peak_bytes
    assert expected == pytest.approx(measured_peak(model), rel=0.1)


def test_batches() -> None:
    graph = trace_spec(find("resnet18"))
    eight = batch_scaled(graph, 8)
    assert eight.input_shape == (8, 3, 224, 224)
    assert count(eight) == 8 * count(graph)
    assert eight.activation_bytes == 8 * graph.activation_bytes
    assert memory_profile(eight).peak_bytes == 8 * memory_profile(graph).peak_bytes
    assert eight.total_params == graph.total_params
    assert breakdown(eight, "stage").total.amount == 8 * graph.total_macs
    assert eight.modules[0].macs == 8 * graph.total_macs
    assert batch_scaled(graph, 1) == graph
    # The same as tracing at that batch.
    block = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 2)
    )
    one, five = (trace(block, torch.empty(n, 3, 8, 8)) for n in (1, 5))
    assert batch_scaled(one, 5) == five
    for batch in (0, -1):
        with pytest.raises(InputSizeError, match=f"{batch} images"):
            batch_scaled(graph, batch)


def test_tables_of_parameters_do_not_grow_with_the_batch() -> None:
    # Swin's table of relative positions is gathered once, whatever the batch.
    one = trace_spec(find("swin_t"))
    many = batch_scaled(one, 10)
    gathered = [op.id for op in one.ops if op.target == "index"]
    assert gathered
    for name in gathered:
        assert many.op_by_id[name] == one.op_by_id[name]


def test_arithmetic_intensity() -> None:
    graph = trace(nn.Sequential(nn.Linear(100, 50), nn.ReLU()), torch.empty(1, 100))
    moved = 4 * (100 + 100 * 50 + 50 + 50)
    assert bytes_moved(graph)["linear_1"] == moved
    assert arithmetic_intensity(graph) == {
        "linear_1": pytest.approx(2 * 100 * 50 / moved), "relu_1": 0.0
    }  # fmt: skip
    flat = trace(nn.Flatten(), torch.empty(1, 3, 8, 8))
    assert arithmetic_intensity(flat) == {"flatten_1": 0.0}
