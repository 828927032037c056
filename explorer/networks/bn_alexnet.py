"""AlexNet with batch normalisation in two towers, as in the 2016 chart: 60,541,992 parameters.

S. Zagoruyko: imagenet-validation.torch, 2016. https://github.com/szagoruyko/imagenet-validation.torch
(weights: https://gist.github.com/szagoruyko/dd032c529048492630fc)

Both towers see the whole image and meet only before the fully connected layers. That these have
batch normalisation too is inferred from the 60.54 million parameters of the chart
(arXiv:1605.07678): without it they would be 60.53. Where the dropout stands is assumed.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from explorer.networks.layers import ConvBNReLU, he_init


class Tower(nn.Sequential):
    """Half of AlexNet's convolutions: (B, 3, 224, 224) → (B, 128, 6, 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBNReLU(3, 48, 11, bias=True, stride=4, padding=2)  # (B, 48, 55, 55)
        self.pool1 = nn.MaxPool2d(3, stride=2)  # (B, 48, 27, 27)
        self.conv2 = ConvBNReLU(48, 128, 5, bias=True, padding=2)
        self.pool2 = nn.MaxPool2d(3, stride=2)  # (B, 128, 13, 13)
        self.conv3 = ConvBNReLU(128, 192, 3, bias=True, padding=1)
        self.conv4 = ConvBNReLU(192, 192, 3, bias=True, padding=1)
        self.conv5 = ConvBNReLU(192, 128, 3, bias=True, padding=1)  # (B, 128, 13, 13)
        self.pool5 = nn.MaxPool2d(3, stride=2)  # (B, 128, 6, 6)


class BNAlexNet(nn.Module):
    """The network; logits for a (B, 3, 224, 224) image.

    Multiply-accumulates of one image: 649,646,624.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.tower_a = Tower()
        self.tower_b = Tower()
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(OrderedDict([
            ("fc6", nn.Linear(256 * 6 * 6, 4096)),  # (B, 9216) → (B, 4096)
            ("bn6", nn.BatchNorm1d(4096)),
            ("relu6", nn.ReLU()),
            ("drop6", nn.Dropout(0.5)),
            ("fc7", nn.Linear(4096, 4096)),
            ("bn7", nn.BatchNorm1d(4096)),
            ("relu7", nn.ReLU()),
            ("drop7", nn.Dropout(0.5)),
            ("fc8", nn.Linear(4096, num_classes)),
        ]))  # fmt: skip
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 3, 224, 224)."""
        maps = torch.cat([self.tower_a(x), self.tower_b(x)], dim=1)  # (B, 256, 6, 6)
        logits: Tensor = self.classifier(self.flatten(maps))
        return logits
