"""The counter of the 2016 chart, rule by rule and against what the chart plots."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.catalog import find
from explorer.costs import Convention, count
from explorer.trace import trace, trace_spec

# Figure 2 of Canziani, Paszke & Culurciello 2016, decoded from the authors' vector figure, in
# G-Ops; and the same recomputed by the rules of their counter, to three decimals.
PLOTTED = [
    ("vgg16", 30.97, 30.968), ("vgg19", 39.29, 39.294), ("resnet18", 3.63, 3.634),
    ("resnet34", 7.34, 7.338), ("resnet50", 8.21, 8.210), ("inception_v3", 11.45, 11.444),
]  # fmt: skip


@pytest.mark.parametrize(("model", "plotted", "recomputed"), PLOTTED)
def test_the_charts_numbers(model: str, plotted: float, recomputed: float) -> None:
    graph = trace_spec(find(model))
    giga = count(graph, Convention.CANZIANI) / 1e9
    assert abs(giga / plotted - 1) < 0.01
    assert round(giga, 3) == recomputed
    assert abs(count(graph, Convention.FLOPS) / 1e9 / plotted - 1) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("model", "recomputed"), [("resnet101", 15.652), ("resnet152", 23.097)])
def test_the_deeper_ones(model: str, recomputed: float) -> None:
    assert round(count(trace_spec(find(model)), Convention.CANZIANI) / 1e9, 3) == recomputed


class Calls(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)  # type: ignore[operator]


RULES = {
    # outputs × (2·kH·kW·Cin + 1), bias or not
    "convolution": (nn.Conv2d(4, 6, 3, bias=False), (2, 4, 9, 9), 2 * 6 * 7 * 7 * (2 * 9 * 4 + 1)),
    "groups are ignored": (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 9, 9), 6 * 7 * 7 * (2 * 9 * 4 + 1)),
    # 2·weights + biases, per image
    "linear": (nn.Linear(5, 7), (3, 5), 3 * (2 * 5 * 7 + 7)),
    "linear without bias": (nn.Linear(5, 7, bias=False), (3, 5), 3 * 2 * 5 * 7),
    "ReLU": (nn.ReLU(), (2, 3, 4, 4), 2 * 3 * 4 * 4),
    "ReLU in place": (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(inplace=True)), (1, 3, 4, 4), 48),
    # k² per output position, channels not multiplied
    "max pooling": (nn.MaxPool2d(3, 2), (2, 8, 9, 9), 2 * 4 * 4 * 9),
    "average pooling": (nn.AvgPool2d(2), (1, 8, 8, 8), 4 * 4 * 4),
    "adaptive pooling": (nn.AdaptiveAvgPool2d(1), (1, 8, 7, 7), 49),
    "a mean over the map": (Calls(lambda x: x.mean((2, 3))), (1, 8, 7, 7), 49),
    "a mean over channels": (Calls(lambda x: x.mean(1)), (1, 8, 7, 7), 0),
    "a shortcut": (Calls(lambda x: x.exp() + x), (1, 3, 4, 4), 2 * 3 * 4 * 4),
    "a constant added": (Calls(lambda x: x + 1), (1, 3, 4, 4), 0),
    "log-softmax": (nn.LogSoftmax(1), (2, 10), 2 * 3 * 10),
    "batch norm": (nn.BatchNorm2d(3), (1, 3, 4, 4), 0),
    "dropout": (nn.Dropout(), (1, 3, 4, 4), 0),
    "another activation": (nn.GELU(), (1, 3, 4, 4), 0),
    "a product of activations": (Calls(lambda x: x @ x.mT), (1, 3, 4), 2 * 3 * 3 * 4),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    module, shape, expected = RULES[rule]
    assert count(trace(module, torch.empty(shape)), Convention.CANZIANI) == expected


def test_flops_are_two_per_mac() -> None:
    graph = trace(nn.Linear(5, 7), torch.empty(3, 5))
    assert count(graph) == 3 * 5 * 7
    assert count(graph, Convention.FLOPS) == 2 * 3 * 5 * 7
    assert Convention("canziani") is Convention.CANZIANI
    with pytest.raises(ValueError, match="thop"):
        Convention("thop")
