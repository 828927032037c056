"""BN-Inception, the network of the batch normalisation paper: 11,285,224 parameters.

S. Ioffe, C. Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift. ICML 2015. https://arxiv.org/abs/1502.03167

Widths from the table in Figure 5 of the preprint. Where that table contradicts itself (4c and 4d
print 576 outputs, 4e 1,024), the branches count: they sum to 608, 608 and 1,056. The text says 13.6
million parameters, the table gives 11.29. The first layer is an ordinary 7×7 convolution, as in the
copies of this network; the paper made it separable.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.networks.layers import ConvBNReLU, he_init


def conv(inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> ConvBNReLU:
    """Convolution that keeps the size (or halves it), batch normalisation, ReLU; no bias."""
    padding = kernel_size // 2
    return ConvBNReLU(inputs, outputs, kernel_size, bias=False, stride=stride, padding=padding)


class InceptionModule(nn.Module):
    """Four branches: 1×1, 3×3, two 3×3 in place of GoogLeNet's 5×5, and pooling.

    Args:
        inputs: Channels that come in.
        one: Width of the 1×1 branch.
        three: Width of the reduction, and of the 3×3 convolution after it.
        double: Width of the reduction, and of each of the two 3×3 convolutions after it.
        pool: What the pooling takes, and the width of the 1×1 projection after it.
    """

    def __init__(
        self,
        inputs: int,
        one: int,
        three: tuple[int, int],
        double: tuple[int, int],
        pool: tuple[Literal["average", "max"], int],
    ) -> None:
        super().__init__()
        self.branch1 = conv(inputs, one, 1)
        self.branch3 = nn.Sequential(conv(inputs, three[0], 1), conv(three[0], three[1], 3))
        self.branch_double3 = nn.Sequential(
            conv(inputs, double[0], 1), conv(double[0], double[1], 3), conv(double[1], double[1], 3)
        )
        pooling = nn.AvgPool2d if pool[0] == "average" else nn.MaxPool2d
        self.branch_pool = nn.Sequential(pooling(3, stride=1, padding=1), conv(inputs, pool[1], 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, one + three[1] + double[1] + pool[1], H, W)."""
        branches = (self.branch1, self.branch3, self.branch_double3, self.branch_pool)
        return torch.cat([branch(x) for branch in branches], dim=1)


class ReductionModule(nn.Module):
    """Halves the maps: 3×3 and two 3×3 with stride 2, beside a pooling that passes all channels."""

    def __init__(self, inputs: int, three: tuple[int, int], double: tuple[int, int]) -> None:
        super().__init__()
        self.branch3 = nn.Sequential(
            conv(inputs, three[0], 1), conv(three[0], three[1], 3, stride=2)
        )
        self.branch_double3 = nn.Sequential(
            conv(inputs, double[0], 1),
            conv(double[0], double[1], 3),
            conv(double[1], double[1], 3, stride=2),
        )
        self.branch_pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, three[1] + double[1] + inputs, H/2, W/2)."""
        branches = (self.branch3, self.branch_double3, self.branch_pool)
        return torch.cat([branch(x) for branch in branches], dim=1)


class BNInception(nn.Module):
    """The network; logits for a (B, 3, 224, 224) image.

    Multiply-accumulates of one image: 2,032,600,064.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(OrderedDict([
            ("conv1", conv(3, 64, 7, stride=2)),  # (B, 64, 112, 112)
            ("pool1", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 64, 56, 56)
            ("conv2_reduce", conv(64, 64, 1)),
            ("conv2", conv(64, 192, 3)),  # (B, 192, 56, 56)
            ("pool2", nn.MaxPool2d(3, stride=2, ceil_mode=True)),  # (B, 192, 28, 28)
        ]))  # fmt: skip
        self.inception = nn.Sequential(OrderedDict([
            ("3a", InceptionModule(192, 64, (64, 64), (64, 96), ("average", 32))),  # 256 maps
            ("3b", InceptionModule(256, 64, (64, 96), (64, 96), ("average", 64))),  # 320 maps
            ("3c", ReductionModule(320, (128, 160), (64, 96))),  # 576 maps of 14×14
            ("4a", InceptionModule(576, 224, (64, 96), (96, 128), ("average", 128))),
            ("4b", InceptionModule(576, 192, (96, 128), (96, 128), ("average", 128))),
            ("4c", InceptionModule(576, 160, (128, 160), (128, 160), ("average", 128))),  # 608 maps
            ("4d", InceptionModule(608, 96, (128, 192), (160, 192), ("average", 128))),
            ("4e", ReductionModule(608, (128, 192), (192, 256))),  # 1,056 maps of 7×7
            ("5a", InceptionModule(1056, 352, (192, 320), (160, 224), ("average", 128))),
            ("5b", InceptionModule(1024, 352, (192, 320), (192, 224), ("max", 128))),
        ]))  # fmt: skip
        self.pool5 = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(1024, num_classes)
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 3, 224, 224)."""
        x = self.inception(self.stem(x))  # (B, 1024, 7, 7)
        logits: Tensor = self.fc(self.flatten(self.pool5(x)))
        return logits
