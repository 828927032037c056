"""Checks that need no network: counts of single layers, ratios of published figures."""

from __future__ import annotations

from explorer.bottleneck import Convolution, bottleneck, plain, stacked
from explorer.catalog import find
from explorer.claims.evidence import millions
from explorer.claims.statements import Verdict

Outcome = tuple[Verdict, dict[str, str]]


def nin_reduce() -> Outcome:
    """A 1×1 layer costs weights; true if it saved them, false if the network were not smaller."""
    before = Convolution(256, 256).weights
    added = Convolution(256, 256, (1, 1)).weights
    nin, alexnet = find("nin_imagenet").params, find("alexnet_2012").params
    values = {
        "added": f"{added:,}", "percent": f"{100 * added / before:.1f}", "nin": millions(nin),
        "alexnet": millions(alexnet), "ratio": f"{alexnet / nin:.1f}",
    }  # fmt: skip
    return ("imprecise" if nin < alexnet and added > 0 else "false"), values


def nine_and_49() -> Outcome:
    """Weights of one pair of channels."""
    three, seven = (Convolution(1, 1, (side, side)).weights for side in (3, 7))
    ratio = plain(64, 64, 7).params / stacked(64, 64, 7).params
    values = {"three": str(three), "seven": str(seven), "ratio": f"{ratio:.2f}"}
    return ("true" if (three, seven) == (9, 49) else "false"), values


def plain_589k() -> Outcome:
    """Within one per cent of what is said."""
    weights = plain(256, 256).macs_per_position
    return ("true" if abs(weights / 589_000 - 1) < 0.01 else "false"), {"weights": f"{weights:,}"}


def bneck_parts() -> Outcome:
    """True if all three round to the thousands that are said."""
    said = (16, 36, 16)
    parts = [layer.weights for layer in bottleneck(256, 64, 256).layers]
    right = [round(part / 1000) == thousands for part, thousands in zip(parts, said, strict=True)]
    values = dict(zip(("first", "second", "third"), (f"{p:,}" for p in parts), strict=True))
    values["rounded"] = f"{round(parts[1], -3):,}"
    return ("true" if all(right) else "imprecise" if any(right) else "false"), values


def bneck_70k() -> Outcome:
    """Within one per cent of what is said."""
    total = bottleneck(256, 64, 256).macs_per_position
    return ("true" if abs(total / 70_000 - 1) < 0.01 else "false"), {"total": f"{total:,}"}


def bneck_10x() -> Outcome:
    """Almost ten is from 9.5 on; half of that would be false."""
    whole = plain(256, 256).macs_per_position
    parts = bottleneck(256, 64, 256).macs_per_position
    ratio = whole / parts
    values = {"plain": f"{whole:,}", "parts": f"{parts:,}", "ratio": f"{ratio:.2f}"}
    return ("true" if ratio >= 9.5 else "imprecise" if ratio >= 5 else "false"), values


def resnet_1000() -> Outcome:
    """He et al. 2016, section 4.2: 6n+2 layers in three stages of 16, 32 and 64 maps.

    Shortcuts have no parameters there (option A); each convolution is followed by batch
    normalisation.
    """
    n = 200
    params = Convolution(3, 16).weights + 2 * 16
    inputs = 16
    for width in (16, 32, 64):
        for layer in range(2 * n):
            params += Convolution(inputs if layer == 0 else width, width).weights + 2 * width
        inputs = width
    params += 64 * 10 + 10
    layers = 6 * n + 2
    values = {"n": str(n), "layers": f"{layers:,}", "params": f"{params:,}"}
    return ("true" if layers > 1000 else "false"), values


def px2() -> Outcome:
    """NVIDIA's figures at CES 2016: true if all ratios round to 7, imprecise if any is over 1."""
    ratios = {"images": 2800 / 450, "tops": 24 / 7, "tflops": 8 / 7}
    values = {name: f"{ratio:.1f}" for name, ratio in ratios.items()}
    if all(round(ratio) == 7 for ratio in ratios.values()):
        return "true", values
    return ("imprecise" if max(ratios.values()) > 1 else "false"), values
