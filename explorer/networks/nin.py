"""Network in Network: 1×1 convolutions after each convolution, no fully connected layer.

M. Lin, Q. Chen, S. Yan: Network In Network. ICLR 2014. https://arxiv.org/abs/1312.4400

The paper's network for CIFAR-10, and the author's for ImageNet, which the paper does not report: it
was published as a Caffe model (https://gist.github.com/mavenlin/d802a5849de39225bcc6).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from explorer.networks.layers import ConvReLU, he_init


class MLPConv(nn.Sequential):
    """The paper's block: a convolution, then two 1×1 convolutions, each with a ReLU.

    Args:
        inputs: Channels that come in.
        widths: Channels after each of the three convolutions.
        kernel_size: Of the first one.
        options: Stride and padding of the first one.
    """

    def __init__(
        self, inputs: int, widths: tuple[int, int, int], kernel_size: int, **options: Any
    ) -> None:
        super().__init__()
        self.conv = ConvReLU(inputs, widths[0], kernel_size, **options)
        self.cccp1 = ConvReLU(widths[0], widths[1], 1)  # "cascaded cross-channel pooling"
        self.cccp2 = ConvReLU(widths[1], widths[2], 1)


class NIN(nn.Module):
    """Blocks, then the mean of each of the last block's maps: one map a class.

    Args:
        features: Everything before the mean.
    """

    def __init__(self, features: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, 3, H, W)."""
        logits: Tensor = self.flatten(self.pool(self.features(x)))
        return logits


def nin_imagenet() -> NIN:
    """For (B, 3, 224, 224): 7,595,176 parameters, 1,100,188,800 multiply-accumulates."""
    return NIN(nn.Sequential(OrderedDict([
        ("block1", MLPConv(3, (96, 96, 96), 11, stride=4)),  # (B, 96, 54, 54)
        ("pool1", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 96, 27, 27)
        ("block2", MLPConv(96, (256, 256, 256), 5, padding=2)),
        ("pool2", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 256, 13, 13)
        ("block3", MLPConv(256, (384, 384, 384), 3, padding=1)),
        ("pool3", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 384, 6, 6)
        ("drop", nn.Dropout(0.5)),
        ("block4", MLPConv(384, (1024, 1024, 1000), 3, padding=1)),  # (B, 1000, 6, 6)
    ])))  # fmt: skip


def nin_cifar10() -> NIN:
    """For (B, 3, 32, 32): 966,986 parameters, 222,486,528 multiply-accumulates."""
    return NIN(nn.Sequential(OrderedDict([
        ("block1", MLPConv(3, (192, 160, 96), 5, padding=2)),  # (B, 96, 32, 32)
        ("pool1", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 96, 16, 16)
        ("drop1", nn.Dropout(0.5)),
        ("block2", MLPConv(96, (192, 192, 192), 5, padding=2)),
        ("pool2", nn.AvgPool2d(3, stride=2, ceil_mode=True)),  # (B, 192, 8, 8)
        ("drop2", nn.Dropout(0.5)),
        ("block3", MLPConv(192, (192, 192, 10), 3, padding=1)),  # (B, 10, 8, 8)
    ])))  # fmt: skip
