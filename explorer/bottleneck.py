"""What a convolution costs when it is taken apart: plain, bottleneck, separable, factorised.

Costs per output position at stride 1 and "same" padding, so that every layer of a design works at
the same positions; biases and normalisation are left out on both sides.

    plain(256, 256).macs_per_position               # 3·3·256·256 = 589,824
    bottleneck(256, 64, 256).macs_per_position      # 69,632: 8.47 times less
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from explorer.errors import DesignError
from explorer.i18n import N_


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution.

    Attributes:
        in_channels: Of its input.
        out_channels: Of its output.
        kernel: (height, width).
        groups: Each output channel sees ``in_channels / groups`` input channels.
    """

    in_channels: int
    out_channels: int
    kernel: tuple[int, int] = (3, 3)
    groups: int = 1

    def __post_init__(self) -> None:
        if min(self.in_channels, self.out_channels, self.groups, *self.kernel) < 1:
            raise DesignError(
                N_("A convolution of {inputs} to {outputs} channels has nothing in it; use 1 up."),
                inputs=self.in_channels, outputs=self.out_channels,
            )  # fmt: skip
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise DesignError(
                N_(
                    "{groups} groups do not divide {inputs} and {outputs} channels; choose a "
                    "number of groups that divides both."
                ),
                groups=self.groups, inputs=self.in_channels, outputs=self.out_channels,
            )  # fmt: skip

    @property
    def weights(self) -> int:
        """Weights; also the multiply–accumulates of one output position."""
        return prod(self.kernel) * (self.in_channels // self.groups) * self.out_channels

    @property
    def text(self) -> str:
        """For display: "3×3, 64→64", with the groups where there are several."""
        size = "×".join(str(side) for side in self.kernel)
        groups = f", g={self.groups}" if self.groups > 1 else ""
        return f"{size}, {self.in_channels}→{self.out_channels}{groups}"


@dataclass(frozen=True, slots=True)
class Design:
    """Convolutions one after the other, at one resolution.

    Attributes:
        name: Msgid for display.
        layers: First to last.
    """

    name: str
    layers: tuple[Convolution, ...]

    @property
    def macs_per_position(self) -> int:
        """Multiply–accumulates of one output position."""
        return sum(layer.weights for layer in self.layers)

    @property
    def params(self) -> int:
        """Weights, without biases."""
        return sum(layer.weights for layer in self.layers)

    def macs(self, side: int) -> int:
        """Multiply–accumulates on a map of ``side`` × ``side`` positions."""
        return self.macs_per_position * side * side

    @property
    def receptive_field(self) -> tuple[int, int]:
        """Pixels (height, width) of the design's input that an output position sees: 1 + Σ(k−1)."""
        high, wide = (1 + sum(layer.kernel[axis] - 1 for layer in self.layers) for axis in (0, 1))
        return high, wide


@dataclass(frozen=True, slots=True)
class Choice:
    """What the calculator is set to.

    Attributes:
        in_channels: Of the block.
        mid_channels: Inside a bottleneck.
        out_channels: Of the block.
        kernel: Side of the spatial kernel.
        groups: Of the grouped convolution, and of a bottleneck's middle layer.
    """

    in_channels: int = 256
    mid_channels: int = 64
    out_channels: int = 256
    kernel: int = 3
    groups: int = 1


def plain(in_channels: int, out_channels: int, kernel: int = 3) -> Design:
    """One k×k convolution."""
    return Design(N_("plain"), (Convolution(in_channels, out_channels, (kernel, kernel)),))


def bottleneck(
    in_channels: int, mid_channels: int, out_channels: int, kernel: int = 3, groups: int = 1
) -> Design:
    """1×1 down, k×k, 1×1 up (He et al. 2016; with groups: ResNeXt, Xie et al. 2017)."""
    return Design(
        N_("bottleneck"),
        (
            Convolution(in_channels, mid_channels, (1, 1)),
            Convolution(mid_channels, mid_channels, (kernel, kernel), groups),
            Convolution(mid_channels, out_channels, (1, 1)),
        ),
    )


def depthwise_separable(in_channels: int, out_channels: int, kernel: int = 3) -> Design:
    """k×k for each channel alone, then 1×1 (MobileNet, Howard et al. 2017)."""
    return Design(
        N_("depthwise separable"),
        (
            Convolution(in_channels, in_channels, (kernel, kernel), in_channels),
            Convolution(in_channels, out_channels, (1, 1)),
        ),
    )


def stacked(in_channels: int, out_channels: int, kernel: int = 5) -> Design:
    """3×3 convolutions that see as much as one k×k (VGG, Simonyan & Zisserman 2015).

    Raises:
        DesignError: The kernel is even or below 5, which no pile of 3×3 replaces.
    """
    if kernel < 5 or kernel % 2 == 0:
        raise DesignError(
            N_("A {kernel}×{kernel} kernel is no pile of 3×3 kernels; use 5, 7, 9 or 11."),
            kernel=kernel,
        )
    layers = [Convolution(in_channels, out_channels)]
    layers += [Convolution(out_channels, out_channels)] * ((kernel - 1) // 2 - 1)
    return Design(N_("stacked 3×3"), tuple(layers))


def factorised(in_channels: int, out_channels: int, kernel: int = 7) -> Design:
    """1×k, then k×1 (Inception-v3, Szegedy et al. 2016)."""
    return Design(
        N_("1×n and n×1"),
        (
            Convolution(in_channels, out_channels, (1, kernel)),
            Convolution(out_channels, out_channels, (kernel, 1)),
        ),
    )


def grouped(in_channels: int, out_channels: int, kernel: int = 3, groups: int = 2) -> Design:
    """k×k within groups of channels (AlexNet, Krizhevsky et al. 2012)."""
    return Design(
        N_("grouped"), (Convolution(in_channels, out_channels, (kernel, kernel), groups),)
    )


# What a k×k convolution can be replaced with: the msgid of the pattern, and how to build it.
PATTERNS: Mapping[str, tuple[str, Callable[[Choice], Design]]] = {
    "bottleneck": (
        N_("1×1, n×n, 1×1 bottleneck"),
        lambda c: bottleneck(c.in_channels, c.mid_channels, c.out_channels, c.kernel, c.groups),
    ),
    "separable": (
        N_("depthwise separable"),
        lambda c: depthwise_separable(c.in_channels, c.out_channels, c.kernel),
    ),
    "stacked": (
        N_("stacked 3×3"),
        lambda c: stacked(c.in_channels, c.out_channels, c.kernel),
    ),
    "factorised": (
        N_("1×n and n×1"),
        lambda c: factorised(c.in_channels, c.out_channels, c.kernel),
    ),
    "grouped": (
        N_("grouped"),
        lambda c: grouped(c.in_channels, c.out_channels, c.kernel, c.groups),
    ),
}
# The values at which each pattern is best known.
EXAMPLES: Mapping[str, Choice] = {
    "bottleneck": Choice(),
    "separable": Choice(in_channels=256),
    "stacked": Choice(kernel=5),
    "factorised": Choice(kernel=7),
    "grouped": Choice(groups=2),
}


def compare(choice: Choice, pattern: str) -> tuple[Design, Design]:
    """The plain convolution and what takes its place.

    Raises:
        DesignError: The pattern cannot be built with these values.
        KeyError: There is no such pattern.
    """
    return (
        plain(choice.in_channels, choice.out_channels, choice.kernel),
        PATTERNS[pattern][1](choice),
    )
