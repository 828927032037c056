"""Which outputs are maps over the image, read from their shapes; no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

_MOST_PREFIX_TOKENS = 8  # class, distillation and register tokens


@dataclass(frozen=True, slots=True)
class Grid:
    """How an output of batch 1 lies over the image.

    Attributes:
        layout: "nchw" (1, C, h, w), "nhwc" (1, h, w, C) or "tokens" (1, prefix + h·w, C).
        height: h.
        width: w.
        channels: C.
        prefix: Tokens in front of the grid.
    """

    layout: Literal["nchw", "nhwc", "tokens"]
    height: int
    width: int
    channels: int
    prefix: int = 0


def grid_of(shape: tuple[int, ...], image: tuple[int, int]) -> Grid | None:
    """The grid that a shape is; None when it is none.

    A grid has more than one place and the image's proportions within a row: 197 tokens of 16-pixel
    patches are one class token and 14 × 14; (1, 7, 7, 768) has its channels last.

    Args:
        shape: Of the output, batch first.
        image: (H, W) of the network's input.
    """
    if not shape or shape[0] != 1:
        return None
    if len(shape) == 4:
        if _fits(shape[2], shape[3], image):
            return Grid("nchw", shape[2], shape[3], shape[1])
        if _fits(shape[1], shape[2], image):
            return Grid("nhwc", shape[1], shape[2], shape[3])
    if len(shape) == 3:
        for prefix in range(min(_MOST_PREFIX_TOKENS, shape[1]) + 1):
            tokens = shape[1] - prefix
            height = math.isqrt(tokens * image[0] // image[1])
            width = tokens // height if height else 0
            if height * width == tokens and _fits(height, width, image):
                return Grid("tokens", height, width, shape[2], prefix)
    return None


def _fits(height: int, width: int, image: tuple[int, int]) -> bool:
    if height * width <= 1 or height > image[0] or width > image[1]:
        return False
    if image[0] == image[1]:
        return height == width
    return abs(height * image[1] - width * image[0]) <= max(image)
