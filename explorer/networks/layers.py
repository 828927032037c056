"""What several of these networks are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class ConvReLU(nn.Sequential):
    """Convolution with bias, then ReLU; further arguments are those of ``nn.Conv2d``."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, **options)
        self.relu = nn.ReLU()


class ConvBNReLU(nn.Sequential):
    """Convolution, batch normalisation, ReLU.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel_size: Of the convolution.
        bias: Whether the convolution keeps the bias that batch normalisation makes superfluous.
        options: Further arguments of ``nn.Conv2d``.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel_size: int, *, bias: bool, **options: Any
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, bias=bias, **options)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()


class ScaledTanh(nn.Module):
    """A·tanh(S·x) with A = 1.7159 and S = 2/3, which keeps 1 and -1 nearly where they are."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as ``x``."""
        return 1.7159 * torch.tanh(x * (2 / 3))


def he_init(network: nn.Module) -> None:
    """Random weights of variance 2 / fan-in (He et al. 2015), biases 0.

    For the untrained networks of this folder that use ReLU: with torch's own defaults the signal of
    a deep network without batch normalisation dies out before it reaches the output.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
