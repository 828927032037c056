"""Small random CNNs for property tests, drawn by hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import nn


@dataclass(frozen=True)
class Layer:
    """One layer of a drawn network; ``kind`` is a key of ``Drawn.make``."""

    kind: str
    width: int
    kernel: int
    stride: int
    dilation: int


layers = st.builds(
    Layer,
    kind=st.sampled_from(
        [
            "conv",
            "grouped",
            "depthwise",
            "max",
            "average",
            "norm",
            "relu",
            "residual",
            "gate",
            "cat",
        ]
    ),
    width=st.sampled_from([4, 8, 12]),
    kernel=st.sampled_from([1, 2, 3, 5]),
    stride=st.sampled_from([1, 1, 2]),
    dilation=st.sampled_from([1, 1, 2]),
)
stacks = st.lists(layers, min_size=1, max_size=6)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv(x) + x)


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Conv2d(width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.fc(self.pool(x)))


class Branches(nn.Module):
    """Two branches of one size, side by side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.small = nn.Conv2d(width, 4, 1)
        self.large = nn.Conv2d(width, 4, 5, padding=2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.small(x), self.large(x)], 1)


class Drawn(nn.Module):
    """The layers one after another, and a linear classifier at the end."""

    def __init__(self, stack: list[Layer]) -> None:
        super().__init__()
        width = 4
        parts: list[nn.Module] = []
        for layer in stack:
            part, width = self.make(layer, width)
            parts.append(part)
        self.features = nn.Sequential(nn.Conv2d(3, 4, 1), *parts)
        self.head = nn.Linear(width, 3)

    @staticmethod
    def make(layer: Layer, width: int) -> tuple[nn.Module, int]:
        spread = {"stride": layer.stride, "padding": layer.kernel // 2 * layer.dilation}
        if layer.kind == "conv":
            dilated = spread | {"dilation": layer.dilation}
            return nn.Conv2d(width, layer.width, layer.kernel, **dilated), layer.width
        if layer.kind in ("grouped", "depthwise"):
            groups = 2 if layer.kind == "grouped" else width
            dilated = spread | {"dilation": layer.dilation, "groups": groups}
            return nn.Conv2d(width, width, layer.kernel, **dilated), width
        if layer.kind == "max":
            return nn.MaxPool2d(layer.kernel, layer.stride, layer.kernel // 2), width
        if layer.kind == "average":
            return nn.AvgPool2d(layer.kernel, layer.stride, layer.kernel // 2), width
        if layer.kind == "norm":
            return nn.BatchNorm2d(width), width
        if layer.kind == "relu":
            return nn.ReLU(inplace=True), width
        if layer.kind == "residual":
            return Residual(width), width
        if layer.kind == "gate":
            return Gate(width), width
        return Branches(width), 8

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3)))
