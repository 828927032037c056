"""Network in Network with batch normalisation, as in the 2016 chart: 8,655,336 parameters.

S. Zagoruyko: imagenet-validation.torch, 2016. https://github.com/szagoruyko/imagenet-validation.torch
(weights: https://gist.github.com/szagoruyko/0f5b4c5e2d2b18472854; layers: ``models/ninbn.lua`` of
https://github.com/soumith/imagenet-multiGPU.torch)

Other than in the network of 2013, the maps are averaged before a linear layer, and every
convolution is followed by batch normalisation, though it keeps its bias.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from explorer.networks.layers import ConvBNReLU, he_init


class BNMLPConv(nn.Sequential):
    """A convolution, then two 1×1 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, **options: Any) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, outputs, kernel_size, bias=True, **options)
        self.cccp1 = ConvBNReLU(outputs, outputs, 1, bias=True)
        self.cccp2 = ConvBNReLU(outputs, outputs, 1, bias=True)


class BNNIN(nn.Module):
    """The network; logits for a (B, 3, 224, 224) image.

    Multiply-accumulates of one image: 1,259,939,840.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict([
            ("block1", BNMLPConv(3, 96, 11, stride=4, padding=5)),  # (B, 96, 56, 56)
            ("pool1", nn.MaxPool2d(3, stride=2, padding=1)),  # (B, 96, 28, 28)
            ("block2", BNMLPConv(96, 256, 5, padding=2)),
            ("pool2", nn.MaxPool2d(3, stride=2, padding=1)),  # (B, 256, 14, 14)
            ("block3", BNMLPConv(256, 384, 3, padding=1)),
            ("pool3", nn.MaxPool2d(3, stride=2, padding=1)),  # (B, 384, 7, 7)
            ("block4", BNMLPConv(384, 1024, 3, padding=1)),  # (B, 1024, 7, 7)
        ]))  # fmt: skip
        self.pool4 = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(1024, num_classes)
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 3, 224, 224)."""
        logits: Tensor = self.fc(self.flatten(self.pool4(self.features(x))))
        return logits
