"""The calculator: every design's count equals that of the module it stands for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.bottleneck import (
    EXAMPLES,
    PATTERNS,
    Choice,
    Convolution,
    Design,
    bottleneck,
    compare,
    depthwise_separable,
    factorised,
    plain,
    stacked,
)
from explorer.errors import DesignError
from explorer.trace import trace


def test_the_seeds_lesson() -> None:
    whole, parts = compare(Choice(), "bottleneck")
    assert whole.macs_per_position == 3 * 3 * 256 * 256 == 589_824
    assert [layer.weights for layer in parts.layers] == [
        256 * 64,  # 16,384
        3 * 3 * 64 * 64,  # 36,864
        64 * 256,  # 16,384
    ]
    assert parts.macs_per_position == 69_632
    assert whole.macs_per_position / parts.macs_per_position == pytest.approx(8.47, abs=0.005)


def test_the_other_patterns() -> None:
    # MobileNet's saving is 1/(1/Cout + 1/k²): 1/(1/256 + 1/9) = 8.69
    ratio = plain(256, 256).macs_per_position / depthwise_separable(256, 256).macs_per_position
    assert ratio == pytest.approx(1 / (1 / 256 + 1 / 9))
    assert stacked(64, 64, 5).params / plain(64, 64, 5).params == pytest.approx(18 / 25)
    assert factorised(64, 64, 7).params / plain(64, 64, 7).params == pytest.approx(14 / 49)
    two = compare(EXAMPLES["grouped"], "grouped")
    assert two[0].params == 2 * two[1].params


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_every_pattern_sees_as_much_as_the_plain_kernel(pattern: str) -> None:
    whole, parts = compare(EXAMPLES[pattern], pattern)
    assert parts.receptive_field == whole.receptive_field
    assert parts.macs(14) == 14 * 14 * parts.macs_per_position


def module_of(design: Design) -> nn.Sequential:
    return nn.Sequential(
        *(
            nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel,
                padding=(layer.kernel[0] // 2, layer.kernel[1] // 2),
                groups=layer.groups,
                bias=False,
            )
            for layer in design.layers
        )
    )


@settings(max_examples=12, deadline=None)
@given(
    pattern=st.sampled_from(list(PATTERNS)),
    channels=st.sampled_from([4, 8, 12]),
    mid=st.sampled_from([2, 4]),
    kernel=st.sampled_from([3, 5, 7]),
    side=st.integers(1, 9),
)
def test_a_design_costs_what_its_traced_module_costs(
    pattern: str, channels: int, mid: int, kernel: int, side: int
) -> None:
    choice = Choice(channels, mid, 2 * channels, max(5, kernel), groups=2)
    for design in compare(choice, pattern):
        graph = trace(module_of(design), torch.empty(1, channels, side, side))
        assert graph.total_macs == design.macs(side)
        assert graph.total_params == design.params


def test_impossible_numbers_are_said_with_the_remedy() -> None:
    with pytest.raises(DesignError, match="5 groups do not divide 64 and 64 channels"):
        bottleneck(256, 64, 256, 3, groups=5)
    with pytest.raises(DesignError, match="3×3 kernel is no pile"):
        stacked(64, 64, 3)
    with pytest.raises(DesignError, match="use 1 up"):
        Convolution(0, 64)


def test_a_layer_names_itself() -> None:
    assert Convolution(64, 64, (1, 7), 32).text == "1×7, 64→64, g=32"
    assert Convolution(64, 256, (1, 1)).text == "1×1, 64→256"
