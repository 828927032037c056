"""The numbers behind the ideas that can be tried out: costs, and two experiments in numpy.

Costs are per output position where a map's size would only multiply both sides. The experiments
run piles of random layers with a fixed seed; they show what initialisation does, not training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.bottleneck import Convolution
from explorer.i18n import N_

_UNITS, _SAMPLES, _SEED = 64, 128, 7


@dataclass(frozen=True, slots=True)
class Slider:
    """One value that the reader sets.

    Attributes:
        name: Key in the values and in the address.
        label: Msgid.
        low: Smallest value.
        high: Largest value.
        default: The value to begin with, the one of the paper where there is one.
        step: Distance between values.
    """

    name: str
    label: str
    low: float
    high: float
    default: float
    step: float = 1


@dataclass(frozen=True, slots=True)
class Explainer:
    """One idea.

    Attributes:
        title: Msgid.
        entry: Where on the timeline it came up.
        sliders: One or two.
    """

    title: str
    entry: str
    sliders: tuple[Slider, ...]


EXPLAINERS: Mapping[str, Explainer] = {
    "conv1x1": Explainer(
        N_("1×1 convolution"), "nin",
        (Slider("cin", N_("Channels in"), 16, 1024, 256, 16),
         Slider("cout", N_("Channels out"), 16, 1024, 64, 16)),
    ),
    "inception": Explainer(
        N_("Inception module"), "googlenet",
        (Slider("module", N_("Module of GoogLeNet, 3a to 5b"), 1, 9, 1),
         Slider("kernel", N_("Side of the large kernel"), 3, 9, 5, 2)),
    ),
    "bottleneck": Explainer(
        N_("Bottleneck"), "bottleneck",
        (Slider("channels", N_("Channels of the block"), 64, 1024, 256, 64),
         Slider("reduction", N_("Reduction"), 1, 16, 4)),
    ),
    "batch_norm": Explainer(
        N_("Batch normalisation"), "bn_inception",
        (Slider("depth", N_("Layers"), 2, 60, 30),
         Slider("gain", N_("Gain of the weights"), 0.6, 2.4, 1.0, 0.05)),
    ),
    "factorised": Explainer(
        N_("Factorised convolution"), "inception_v3",
        (Slider("kernel", N_("Kernel side n"), 3, 11, 7, 2),
         Slider("channels", N_("Channels"), 16, 1024, 192, 16)),
    ),
    "residual": Explainer(
        N_("Residual connection"), "resnet",
        (Slider("depth", N_("Layers"), 2, 100, 34),
         Slider("gain", N_("Gain of the weights"), 0.1, 1.6, 0.3, 0.05)),
    ),
    "fire": Explainer(
        N_("Fire module"), "squeezenet",
        (Slider("squeeze", N_("Squeeze ratio (%)"), 5, 100, 12.5, 2.5),
         Slider("three", N_("Share of 3×3 in the expand layer (%)"), 0, 100, 50, 12.5)),
    ),
    "separable": Explainer(
        N_("Depthwise separable convolution"), "xception",
        (Slider("channels", N_("Channels"), 8, 1024, 256, 8),
         Slider("kernel", N_("Kernel side n"), 3, 11, 3, 2)),
    ),
}  # fmt: skip

# Szegedy et al. 2015, Table 1: channels in, 1×1, 3×3 with its reduction, 5×5 with its, projection.
GOOGLENET_MODULES: Mapping[str, tuple[int, int, tuple[int, int], tuple[int, int], int]] = {
    "3a": (192, 64, (96, 128), (16, 32), 32),
    "3b": (256, 128, (128, 192), (32, 96), 64),
    "4a": (480, 192, (96, 208), (16, 48), 64),
    "4b": (512, 160, (112, 224), (24, 64), 64),
    "4c": (512, 128, (128, 256), (24, 64), 64),
    "4d": (512, 112, (144, 288), (32, 64), 64),
    "4e": (528, 256, (160, 320), (32, 128), 128),
    "5a": (832, 256, (160, 320), (32, 128), 128),
    "5b": (832, 384, (192, 384), (48, 128), 128),
}


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of an inception module, MACs per output position.

    Attributes:
        name: "3×3".
        reduced: With the 1×1 convolution before it.
        direct: Without.
    """

    name: str
    reduced: int
    direct: int


def inception_branches(module: str, kernel: int = 5) -> tuple[Branch, ...]:
    """The four branches of one of GoogLeNet's modules.

    The pooling branch has its 1×1 after the pooling, which stays in both.

    Args:
        module: "3a" … "5b".
        kernel: Side of the large kernel; 5 in the paper, 3 in torchvision.
    """
    inputs, one, three, large, pool = GOOGLENET_MODULES[module]

    def pair(widths: tuple[int, int], side: int) -> tuple[int, int]:
        narrow, out = widths
        reduce = Convolution(inputs, narrow, (1, 1)).weights
        return (
            reduce + Convolution(narrow, out, (side, side)).weights,
            Convolution(inputs, out, (side, side)).weights,
        )

    single = Convolution(inputs, one, (1, 1)).weights
    project = Convolution(inputs, pool, (1, 1)).weights
    return (
        Branch("1×1", single, single),
        Branch("3×3", *pair(three, 3)),
        Branch(f"{kernel}×{kernel}", *pair(large, kernel)),
        Branch(N_("pooling"), project, project),
    )


@dataclass(frozen=True, slots=True)
class FireModule:
    """Weights and biases of one fire module.

    Attributes:
        squeeze: Of the squeeze layer.
        one: Of the 1×1 filters of the expand layer.
        three: Of the 3×3 filters.
    """

    squeeze: int
    one: int
    three: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.squeeze + self.one + self.three


def fire_modules(squeeze_ratio: float, share_three: float) -> tuple[FireModule, ...]:
    """The eight fire modules of SqueezeNet 1.0 with other ratios.

    The expand layers have 128, 128, 256, 256, … 512 filters, the squeeze layer ``squeeze_ratio`` of
    that (Iandola et al. 2016, section 5.1).

    Args:
        squeeze_ratio: 0…1; 0.125 in the paper.
        share_three: Share of 3×3 filters in the expand layer, 0…1; 0.5 in the paper.
    """
    found = []
    inputs = 96
    for number in range(8):
        expand = 128 + 128 * (number // 2)
        squeeze = max(1, round(squeeze_ratio * expand))
        three = round(share_three * expand)
        one = expand - three
        found.append(
            FireModule(squeeze * (inputs + 1), one * (squeeze + 1), three * (9 * squeeze + 1))
        )
        inputs = expand
    return tuple(found)


def squeezenet_params(modules: tuple[FireModule, ...]) -> int:
    """Parameters of the whole network around these modules."""
    stem = 96 * (3 * 7 * 7 + 1)
    classifier = 1000 * (512 + 1)
    return stem + sum(module.total for module in modules) + classifier


def spread(depth: int, gain: float, *, normalised: bool) -> np.ndarray:
    """Root mean square of the activations after each layer of a random ReLU network, (depth,).

    Weights have the standard deviation gain / √width; a gain of √2 keeps the scale (He et al. 2015,
    arXiv:1502.01852).

    Args:
        depth: Layers.
        gain: Of the weights.
        normalised: Whether each unit is normalised over the batch before the ReLU.
    """
    random = np.random.default_rng(_SEED)
    x = random.standard_normal((_SAMPLES, _UNITS))
    found = np.empty(depth)
    for layer in range(depth):
        x = x @ (random.standard_normal((_UNITS, _UNITS)) * gain / np.sqrt(_UNITS))
        if normalised:
            x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
        x = np.maximum(x, 0)
        found[layer] = np.sqrt(np.mean(x**2))
    return found


def gradient_flow(depth: int, gain: float, *, shortcut: bool) -> np.ndarray:
    """Norm of the gradient at the input of each layer over that at the output, (depth,).

    A layer is relu(x W), with ``shortcut`` x + relu(x W); weights as in ``spread``. The gradient
    that enters at the output is random.
    """
    random = np.random.default_rng(_SEED)
    x = random.standard_normal((_SAMPLES, _UNITS))
    weights, active = [], []
    for _layer in range(depth):
        weight = random.standard_normal((_UNITS, _UNITS)) * gain / np.sqrt(_UNITS)
        z = x @ weight
        weights.append(weight)
        active.append(z > 0)
        x = np.maximum(z, 0) + (x if shortcut else 0)
    gradient = random.standard_normal((_SAMPLES, _UNITS))
    at_output = np.linalg.norm(gradient)
    found = np.empty(depth)
    for layer in reversed(range(depth)):
        through = (gradient * active[layer]) @ weights[layer].T
        gradient = through + gradient if shortcut else through
        found[layer] = np.linalg.norm(gradient) / at_output
    return found
