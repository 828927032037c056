"""ENet's classifier for ImageNet ("V12"), the most compact network of the 2016 chart: 5,861,508.

A. Paszke, A. Chaurasia, S. Kim, E. Culurciello: ENet: A Deep Neural Network Architecture for
Real-Time Semantic Segmentation. 2016. https://arxiv.org/abs/1606.02147

The paper is about segmentation; its authors describe the classifier with the same blocks in
``_posts/2016-06-20-training-enet.markdown`` of https://github.com/culurciello/culurciello.github.io.
The inner width of the very first block is not given there: it is inferred, since only this one
reproduces the 5.86 million parameters and 1.57 G-Ops of the chart (arXiv:1605.07678).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.networks.layers import he_init


class InitialBlock(nn.Module):
    """3×3 convolution with stride 2 beside max pooling of the image: (B, 3, H, W) → (B, 16, …)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 13, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.bn = nn.BatchNorm2d(16)
        self.prelu = nn.PReLU(16)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 16, H/2, W/2)."""
        both = torch.cat([self.conv(x), self.pool(x)], dim=1)
        result: Tensor = self.prelu(self.bn(both))
        return result


class ENetBottleneck(nn.Module):
    """Narrow, convolve 3×3, widen; added to the input, which is pooled and filled up with zeros.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        scale: The inner width is ``outputs / scale``.
        halve: Whether the maps are halved.
        dilation: Of the 3×3 convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, *, scale: int = 4, halve: bool = False, dilation: int = 1
    ) -> None:
        super().__init__()
        inner = outputs // scale
        size = 2 if halve else 1
        self.branch = nn.Sequential(OrderedDict([
            ("narrow", nn.Conv2d(inputs, inner, size, stride=size, bias=False)),
            ("bn1", nn.BatchNorm2d(inner)),
            ("prelu1", nn.PReLU(inner)),
            ("conv", nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation)),
            ("bn2", nn.BatchNorm2d(inner)),
            ("prelu2", nn.PReLU(inner)),
            ("widen", nn.Conv2d(inner, outputs, 1, bias=False)),
            ("bn3", nn.BatchNorm2d(outputs)),
            ("drop", nn.Dropout2d(0.1)),
        ]))  # fmt: skip
        self.pool = nn.MaxPool2d(2) if halve else nn.Identity()
        self.missing = outputs - inputs
        self.prelu = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H, W), or half the size."""
        shortcut = self.pool(x)
        if self.missing:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.missing))
        result: Tensor = self.prelu(self.branch(x) + shortcut)
        return result


class ENet(nn.Module):
    """The network; logits for a (B, 3, 224, 224) image.

    Multiply-accumulates of one image: 779,341,568.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.initial = InitialBlock()  # (B, 16, 112, 112)
        self.stage1 = nn.Sequential(  # (B, 128, 56, 56)
            ENetBottleneck(16, 64, scale=1, halve=True),
            ENetBottleneck(64, 128),
            ENetBottleneck(128, 128),
        )
        self.stage2 = _stage(128, dilation=2)  # (B, 256, 28, 28)
        self.stage3 = _stage(256, dilation=4)  # (B, 512, 14, 14)
        self.stage4 = _stage(512, dilation=8)  # (B, 1024, 7, 7)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(1024, num_classes)
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 3, 224, 224)."""
        x = self.stage4(self.stage3(self.stage2(self.stage1(self.initial(x)))))
        logits: Tensor = self.fc(self.flatten(self.pool(x)))
        return logits


def _stage(inputs: int, dilation: int) -> nn.Sequential:
    """Halves the maps and doubles the channels; the third block is dilated."""
    outputs = 2 * inputs
    return nn.Sequential(
        ENetBottleneck(inputs, outputs, halve=True),
        ENetBottleneck(outputs, outputs),
        ENetBottleneck(outputs, outputs, dilation=dilation),
    )
