"""GoogLeNet as published in 2014, with 5×5 convolutions in its modules: 6,998,552 parameters.

C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke,
A. Rabinovich: Going Deeper with Convolutions. CVPR 2015. https://arxiv.org/abs/1409.4842

Widths from Table 1, positions of the response normalisation from Figure 3. The paper gives no
constants for that normalisation; these are the ones of the Caffe copy (n = 5, α = 1e-4, β = 0.75).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from explorer.networks.layers import ConvReLU, he_init


class Inception(nn.Module):
    """Four branches side by side: 1×1, 3×3, 5×5 and pooling, with 1×1 reductions before them.

    Args:
        inputs: Channels that come in.
        one: Width of the 1×1 branch.
        three: Width of the reduction before the 3×3 convolution, and of that convolution.
        five: Likewise for 5×5.
        pool: Width of the 1×1 projection after the pooling.
    """

    def __init__(
        self, inputs: int, one: int, three: tuple[int, int], five: tuple[int, int], pool: int
    ) -> None:
        super().__init__()
        self.branch1 = ConvReLU(inputs, one, 1)
        self.branch3 = nn.Sequential(
            ConvReLU(inputs, three[0], 1), ConvReLU(three[0], three[1], 3, padding=1)
        )
        self.branch5 = nn.Sequential(
            ConvReLU(inputs, five[0], 1), ConvReLU(five[0], five[1], 5, padding=2)
        )
        self.branch_pool = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ConvReLU(inputs, pool, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, one + three[1] + five[1] + pool, H, W)."""
        branches = (self.branch1, self.branch3, self.branch5, self.branch_pool)
        return torch.cat([branch(x) for branch in branches], dim=1)


class AuxiliaryHead(nn.Sequential):
    """A small classifier on maps of 14×14, which only training runs."""

    def __init__(self, inputs: int, num_classes: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, stride=3)  # (B, inputs, 4, 4)
        self.conv = ConvReLU(inputs, 128, 1)
        self.flatten = nn.Flatten()  # (B, 2048)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)


class GoogLeNet2014(nn.Module):
    """The network; logits for a (B, 3, 224, 224) image, three sets of them in training mode.

    Multiply-accumulates of one image without the auxiliary heads: 1,582,671,872.

    Args:
        num_classes: Width of the outputs.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(OrderedDict([
            ("conv1", ConvReLU(3, 64, 7, stride=2, padding=3)),  # (B, 64, 112, 112)
            ("pool1", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 64, 56, 56)
            ("norm1", nn.LocalResponseNorm(size=5)),  # torch's defaults are Caffe's constants
            ("conv2_reduce", ConvReLU(64, 64, 1)),
            ("conv2", ConvReLU(64, 192, 3, padding=1)),  # (B, 192, 56, 56)
            ("norm2", nn.LocalResponseNorm(size=5)),
            ("pool2", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 192, 28, 28)
        ]))  # fmt: skip
        self.inception3a = Inception(192, 64, (96, 128), (16, 32), 32)  # (B, 256, 28, 28)
        self.inception3b = Inception(256, 128, (128, 192), (32, 96), 64)  # (B, 480, 28, 28)
        self.pool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # (B, 480, 14, 14)
        self.inception4a = Inception(480, 192, (96, 208), (16, 48), 64)  # (B, 512, 14, 14)
        self.inception4b = Inception(512, 160, (112, 224), (24, 64), 64)
        self.inception4c = Inception(512, 128, (128, 256), (24, 64), 64)
        self.inception4d = Inception(512, 112, (144, 288), (32, 64), 64)  # (B, 528, 14, 14)
        self.inception4e = Inception(528, 256, (160, 320), (32, 128), 128)  # (B, 832, 14, 14)
        self.pool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # (B, 832, 7, 7)
        self.inception5a = Inception(832, 256, (160, 320), (32, 128), 128)  # (B, 832, 7, 7)
        self.inception5b = Inception(832, 384, (192, 384), (48, 128), 128)  # (B, 1024, 7, 7)
        self.pool5 = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(1024, num_classes)
        self.aux1 = AuxiliaryHead(512, num_classes)  # after 4a: 3,188,840 parameters
        self.aux2 = AuxiliaryHead(528, num_classes)  # after 4d: 3,190,888
        he_init(self)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Logits (B, num_classes); in training mode also those of the two auxiliary heads."""
        x = self.inception3b(self.inception3a(self.stem(x)))
        first = self.inception4a(self.pool3(x))
        second = self.inception4d(self.inception4c(self.inception4b(first)))
        x = self.pool4(self.inception4e(second))
        x = self.flatten(self.pool5(self.inception5b(self.inception5a(x))))  # (B, 1024)
        logits: Tensor = self.fc(self.dropout(x))
        if self.training:
            return logits, self.aux1(first), self.aux2(second)
        return logits
