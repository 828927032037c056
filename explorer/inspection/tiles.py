"""Many small pictures as one, for kernels and feature maps; numpy and Pillow only."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from explorer.inspection.types import FloatArray

Pixels = npt.NDArray[np.uint8]
GAP = 2  # pixels between tiles
# Blue below zero, white, orange above: kept apart by all common forms of colour blindness.
_LOW, _MIDDLE, _HIGH = (5, 74, 145), (247, 247, 247), (179, 76, 0)
# Rises evenly in lightness from near black over violet and orange to pale yellow.
_SEQUENTIAL = ((8, 8, 24), (76, 18, 110), (165, 46, 96), (229, 96, 44), (252, 250, 170))


def symmetric(values: FloatArray) -> Pixels:
    """Weights as grey or RGB pixels: zero is middle grey, the largest magnitude of each is full.

    Args:
        values: (n, h, w) or (n, h, w, 3); each of the n pictures has its own scale.
    """
    flat = np.abs(values.reshape(len(values), -1)) if len(values) else np.zeros((0, 1))
    reach = flat.max(axis=1).reshape(-1, *[1] * (values.ndim - 1))
    scaled = np.divide(values, reach, out=np.zeros_like(values), where=reach > 0)
    found: Pixels = np.rint(127.5 + 127.5 * np.nan_to_num(scaled)).astype(np.uint8)
    return found


def diverging(values: FloatArray) -> Pixels:
    """A matrix of weights in blue (negative), white and orange (positive), (h, w, 3)."""
    reach = float(np.abs(values).max()) or 1.0
    return _ramp((np.nan_to_num(values) / reach + 1) / 2, (_LOW, _MIDDLE, _HIGH))


def activations(values: FloatArray) -> Pixels:
    """Feature maps in colours from their smallest to their largest value, (n, h, w, 3)."""
    clean = np.nan_to_num(values)
    low = clean.min(axis=(1, 2), keepdims=True)
    reach = clean.max(axis=(1, 2), keepdims=True) - low
    scaled = np.divide(clean - low, reach, out=np.zeros_like(clean), where=reach > 0)
    return _ramp(scaled, _SEQUENTIAL)


def _ramp(values: npt.NDArray[np.floating], anchors: tuple[tuple[int, int, int], ...]) -> Pixels:
    at = np.linspace(0, 1, len(anchors))
    parts = [np.interp(values, at, [colour[c] for colour in anchors]) for c in range(3)]
    found: Pixels = np.rint(np.stack(parts, axis=-1)).astype(np.uint8)
    return found


def mosaic(pictures: Pixels, columns: int, side: int) -> bytes:
    """Pictures in rows as one PNG with a transparent ground, so that it suits both themes.

    Args:
        pictures: (n, h, w) grey or (n, h, w, 3) RGB.
        columns: Pictures in a row.
        side: Pixels of the longer side of each; enlarged without smoothing.
    """
    height, width = pictures.shape[1:3]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    rows = max(1, math.ceil(len(pictures) / columns))
    step = size[0] + GAP, size[1] + GAP
    sheet = Image.new("RGBA", (columns * step[0] - GAP, rows * step[1] - GAP), (0, 0, 0, 0))
    how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    for number, picture in enumerate(pictures):
        tile = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB").resize(size, how)
        sheet.paste(tile, (number % columns * step[0], number // columns * step[1]))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def enlarge(plane: FloatArray, size: tuple[int, int]) -> FloatArray:
    """A plane at the image's size, between its values bilinear.

    Args:
        plane: (h, w).
        size: (H, W).
    """
    picture = Image.fromarray(np.asarray(plane, np.float32))
    found = picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(found, np.float32)
