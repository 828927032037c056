"""Receptive fields against published tables and against what gradients reach."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.catalog import find
from explorer.costs import ReceptiveField, receptive_fields
from explorer.graph import LayerGraph
from explorer.trace import trace, trace_spec
from tests.costs.random_networks import Layer


def last_in(graph: LayerGraph, module: str) -> ReceptiveField:
    fields = receptive_fields(graph)
    return [fields[op.id] for op in graph.ops if op.module == module][-1]


# Araujo, Norris & Sim 2019 (doi:10.23915/distill.00021): alexnet_v2 195, vgg_16 212; conv5_3 of
# VGG-16 is 196 (one pooling window less: 196 + (2 - 1)·16 = 212). ResNet-18: 435 by the recurrences
# of the paper, as summed below.
PUBLISHED = [
    ("alexnet", "features.12", 195, 32),
    ("alexnet_2012", "features.pool5", 195, 32),  # past its local response normalisations
    ("vgg16", "features.28", 196, 16),
    ("vgg16", "features.30", 212, 32),
    ("resnet18", "layer4.1.conv2", 435, 32),
]


@pytest.mark.parametrize(("model", "module", "size", "stride"), PUBLISHED)
def test_published(model: str, module: str, size: int, stride: int) -> None:
    field = last_in(trace_spec(find(model)), module)
    assert field.size == (size, size)
    assert field.stride == (stride, stride)


def test_resnet18_by_hand() -> None:
    # conv1 7×7; pool 3 at stride 2; then 3×3 ones: the first of a stage at the stride before it.
    steps = [(3, 2)] + [(3, 4)] * 4 + [(3, 4)] + [(3, 8)] * 3 + [(3, 8)] + [(3, 16)] * 3
    steps += [(3, 16)] + [(3, 32)] * 3
    assert 7 + sum((kernel - 1) * stride for kernel, stride in steps) == 435


def test_a_transformer_sees_its_patch_and_then_everything() -> None:
    graph = trace_spec(find("vit_b_32"))
    fields = receptive_fields(graph)
    assert fields["conv2d_1"] == ReceptiveField((32, 32), (32.0, 32.0), (15.5, 15.5))
    assert set(fields) == {"conv2d_1"}


def test_excitation_is_not_followed_and_grouped_channels_are() -> None:
    for model in ("mobilenet_v3_small", "shufflenet_v2_x0_5", "convnext_tiny"):
        graph = trace_spec(find(model))
        fields = receptive_fields(graph)
        spatial = [op for op in graph.ops if op.kind in ("convolution", "depthwise")]
        gates = {e.source for e in graph.edges if e.tensor.shape[2:] == (1, 1)}
        assert all(op.id in fields for op in spatial if op.id not in gates), model


def test_what_is_flattened_sees_everything() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 2))
    assert set(receptive_fields(trace(module, torch.empty(1, 3, 8, 8)))) == {"conv2d_1"}


def test_padding_moves_the_first_position() -> None:
    padded = nn.Sequential(nn.ZeroPad2d((1, 0, 2, 0)), nn.Conv2d(3, 4, 3, stride=2))
    field = receptive_fields(trace(padded, torch.empty(1, 3, 9, 9)))["conv2d_1"]
    # Rows −2…0 and columns −1…1.
    assert field == ReceptiveField((3, 3), (2.0, 2.0), (-1.0, 0.0))


class Stack(nn.Module):
    """Only layers whose gradients reach all that they see: no maximum, no rectifier."""

    def __init__(self, stack: list[Layer]) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for layer in stack:
            padding = layer.kernel // 2
            if layer.kind == "conv":
                part: nn.Module = nn.Conv2d(
                    1, 1, (layer.kernel, 3), layer.stride, (padding, 1), dilation=layer.dilation
                )
            elif layer.kind == "average":
                part = nn.AvgPool2d(layer.kernel, layer.stride, padding)
            else:
                part = Twice()
            parts.append(part)
        self.parts = nn.Sequential(*parts)
        for parameter in self.parameters():
            nn.init.ones_(parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.parts(x)


class Twice(nn.Module):
    """A shortcut around a 5×5 and a 3×3 branch."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Conv2d(1, 1, 5, padding=2)
        self.small = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.large(x) + self.small(x) + x


reach = st.lists(
    st.builds(
        Layer,
        kind=st.sampled_from(["conv", "average", "branches"]),
        width=st.just(1),
        kernel=st.sampled_from([1, 2, 3, 5]),
        stride=st.sampled_from([1, 2]),
        dilation=st.sampled_from([1, 2]),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(stack=reach)
def test_gradients_reach_exactly_that_far(stack: list[Layer]) -> None:
    module = Stack(stack)
    side = 161
    graph = trace(module, torch.empty(1, 1, side, side))
    field = receptive_fields(graph)[graph.ops[-1].id]
    image = torch.ones(1, 1, side, side, requires_grad=True)
    out = module(image)
    row, column = out.shape[2] // 2, out.shape[3] // 2
    centre = [
        field.offset[axis] + position * field.stride[axis]
        for axis, position in enumerate((row, column))
    ]
    low = [round(c - (s - 1) / 2) for c, s in zip(centre, field.size, strict=True)]
    high = [round(c + (s - 1) / 2) for c, s in zip(centre, field.size, strict=True)]
    assume(min(low) >= 0 and max(high) < side)
    out[0, 0, row, column].backward()
    assert image.grad is not None
    rows, columns = torch.nonzero(image.grad[0, 0], as_tuple=True)
    assert (int(rows.min()), int(columns.min())) == tuple(low)
    assert (int(rows.max()), int(columns.max())) == tuple(high)
