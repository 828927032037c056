"""What is written on a box of the layer graph, and how much room the words take."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from explorer.graph import ModuleNode, Op, Tensor

TITLE_WIDTH = 7.1  # mean advance of a 12.5 px semibold sans-serif character, px
SUBTITLE_WIDTH = 5.9  # of a 10.5 px character
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")  # their class says nothing

_NAMES = {
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "avg_pool2d": "AvgPool2d",
    "batch_norm": "BatchNorm",
    "cat": "Concat",
    "conv2d": "Conv2d",
    "gelu": "GELU",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "hardtanh": "Hardtanh",
    "layer_norm": "LayerNorm",
    "max_pool2d": "MaxPool2d",
    "mul": "Multiply",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "scaled_dot_product_attention": "Attention",
    "silu": "SiLU",
    "sub": "Subtract",
}


def shape_text(tensor: Tensor | None) -> str:
    """The shape without a leading batch of 1: "64×112×112"; "scalar" for no axes, "" for None.

    Where the first axis is something else (tokens ahead of the batch, a larger batch) all are
    shown.
    """
    if tensor is None:
        return ""
    return _sizes_text(tensor.shape)


@lru_cache(maxsize=4096)
def _sizes_text(shape: tuple[int, ...]) -> str:
    sizes = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    return "×".join(str(size) for size in sizes) or "scalar"


def op_title(op: Op, module: ModuleNode | None) -> str:
    """Class or operation with what distinguishes it: "Conv2d 3×3 /2", "ReLU", "Add"."""
    name = class_title(module) if module is not None else _NAMES.get(op.target.rstrip("_"))
    if name is None:
        name = op.target.strip("_").replace("_", " ").capitalize()
    return " ".join(part for part in (name, _window(op)) if part)


def op_detail(op: Op) -> str:
    """Channels or features in and out of the ops that change them: "64 → 128, 32 groups"."""
    if op.kind not in {"convolution", "depthwise", "linear"} or not op.inputs or not op.outputs:
        return ""
    axis = 1 if op.kind != "linear" else -1
    before, after = op.inputs[0].shape, op.outputs[0].shape
    if len(before) < 2 or len(after) < 2:
        return ""
    text = f"{before[axis]} → {after[axis]}"
    groups = _number(op.attributes.get("groups"))
    return f"{text}, g{groups}" if groups and groups > 1 else text


def class_title(module: ModuleNode) -> str:
    """The class as it is read: without the underscore that keeps it private."""
    return module.class_name.lstrip("_") or module.class_name


def module_words(module: ModuleNode) -> tuple[str, str]:
    """Class and path; local name and class where the class is a mere list."""
    if module.class_name in CONTAINERS:
        return local_name(module.id), module.class_name
    return class_title(module), local_name(module.id)


def local_name(identifier: str) -> str:
    """The end of a path that still says something: "layer1.0.conv1" → "conv1", "layer1.0" → itself.

    Leading parts come back as long as the end is a bare number: "features.0.1" stays whole.
    """
    parts = identifier.split(".")
    start = len(parts) - 1
    while start > 0 and parts[start].split("@")[0].isdigit():
        start -= 1
    return ".".join(parts[start:])


def box_width(title: str, subtitle: str, extra: float) -> float:
    """Width in px that both lines need, in steps of 16 so that neighbours line up."""
    text = max(len(title) * TITLE_WIDTH, len(subtitle) * SUBTITLE_WIDTH)
    return float(min(320, max(96, 16 * math.ceil((text + 22 + extra) / 16))))


def _window(op: Op) -> str:
    """Kernel and stride: "3×3 /2"; "" where there is none."""
    kernel = op.attributes.get("kernel_size", op.attributes.get("kernel"))
    sizes = _sizes(kernel)
    if not sizes:
        return ""
    stride = _sizes(op.attributes.get("stride")) or (1,)
    dilation = _sizes(op.attributes.get("dilation")) or (1,)
    text = "×".join(str(size) for size in (sizes if len(sizes) > 1 else sizes * 2))
    if max(stride) > 1:
        text += f" /{max(stride)}"
    return f"{text} d{max(dilation)}" if max(dilation) > 1 else text


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(size, int) for size in value):
        return tuple(value)
    return ()


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
