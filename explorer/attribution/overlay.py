"""A map over the image that it explains, as pixels; numpy and Pillow only."""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from explorer.results import FloatArray

Mode = Literal["positive", "absolute", "signed"]
Pixels = npt.NDArray[np.uint8]

# Anchor colours (RGB) from low to high, joined by straight lines. The sequential scale rises evenly
# in lightness from dark violet to pale yellow; the diverging one runs from blue over white to
# orange. Both keep their order for readers with any of the common colour-vision deficiencies.
_SEQUENTIAL = (
    (13, 8, 60),
    (84, 15, 109),
    (163, 44, 96),
    (226, 92, 46),
    (251, 165, 20),
    (252, 250, 170),
)
_DIVERGING = ((5, 74, 145), (92, 155, 204), (245, 245, 245), (240, 157, 74), (179, 76, 0))


def _table(anchors: tuple[tuple[int, int, int], ...]) -> Pixels:
    """(256, 3) colours on the straight lines between the anchors."""
    at = np.linspace(0, 255, len(anchors))
    channels = [np.interp(np.arange(256), at, [colour[c] for colour in anchors]) for c in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


SEQUENTIAL = _table(_SEQUENTIAL)
DIVERGING = _table(_DIVERGING)


def scale_of(map: FloatArray, percentile: float = 99.0) -> float:
    """The magnitude that is drawn at full strength: a percentile of |map|; 0 for a map of zeros.

    Args:
        map: (H, W).
        percentile: 0…100; what lies above it is drawn as if it lay on it.
    """
    magnitude = np.abs(np.nan_to_num(np.asarray(map, np.float64), posinf=0.0, neginf=0.0))
    found = float(np.percentile(magnitude, percentile))
    # A map with few points away from zero has a percentile of zero; its maximum still shows them.
    return found if found > 0 else float(magnitude.max())


def levels(
    map: FloatArray,
    *,
    percentile: float = 99.0,
    mode: Mode = "positive",
    scale: float | None = None,
) -> FloatArray:
    """The map on the scale that is drawn: 0…1, or -1…1 for "signed"."""
    values = np.nan_to_num(np.asarray(map, np.float64), posinf=0.0, neginf=0.0)
    scale = scale_of(map, percentile) if scale is None else scale
    values = values / scale if scale > 0 else np.zeros_like(values)
    if mode == "positive":
        return np.clip(values, 0, 1).astype(np.float32)
    if mode == "absolute":
        return np.clip(np.abs(values), 0, 1).astype(np.float32)
    return np.clip(values, -1, 1).astype(np.float32)


def colours(
    map: FloatArray,
    *,
    percentile: float = 99.0,
    mode: Mode = "positive",
    scale: float | None = None,
) -> Pixels:
    """The map alone in colours, (H, W, 3) uint8."""
    drawn = levels(map, percentile=percentile, mode=mode, scale=scale)
    signed = mode == "signed"
    index = np.rint((drawn + 1) * 127.5 if signed else drawn * 255).astype(np.intp)
    found: Pixels = (DIVERGING if signed else SEQUENTIAL)[index]
    return found


def overlay(
    crop: Pixels,
    map: FloatArray,
    *,
    opacity: float = 0.6,
    percentile: float = 99.0,
    mode: Mode = "positive",
) -> Pixels:
    """The image in grey under the coloured map.

    Args:
        crop: (H, W, 3) uint8 RGB, what the network saw.
        map: (H, W), positive speaks for the class.
        opacity: Of the map: 0 shows the image in its own colours, 1 the map alone.
        percentile: Of |map|, drawn at full strength.
        mode: "positive" leaves out what speaks against the class, "absolute" shows magnitudes,
            "signed" shows both signs in two colours.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: Crop and map differ in height or width.
    """
    return blend(crop, colours(map, percentile=percentile, mode=mode), opacity)


def blend(crop: Pixels, shown: Pixels, opacity: float) -> Pixels:
    """The image in grey under coloured pixels, all (H, W, 3) uint8.

    Args:
        crop: What the network saw.
        shown: A map in colours (``colours``).
        opacity: Of the map, 0…1.

    Raises:
        ValueError: Crop and map differ in height or width.
    """
    if crop.shape[:2] != shown.shape[:2]:
        raise ValueError(f"a map of {shown.shape[:2]} does not fit a crop of {crop.shape}")
    opacity = min(max(opacity, 0.0), 1.0)
    image = crop.astype(np.float32)
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
    # The image fades to grey as the map fades in, so that its colours are not taken for the map's.
    base = (1 - opacity) * image + opacity * luma[..., None]
    blended = (1 - opacity) * base + opacity * shown.astype(np.float32)
    return np.clip(np.rint(blended), 0, 255).astype(np.uint8)


def smooth(map: FloatArray, sigma: float) -> FloatArray:
    """The map under a Gaussian; edges are mirrored, so that a constant map stays as it is.

    Args:
        map: (H, W).
        sigma: Standard deviation in pixels; 0 leaves the map as it is.
    """
    if sigma <= 0:
        return map
    reach = min(int(np.ceil(3 * sigma)), min(map.shape) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    found = np.asarray(map, np.float64)
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(found, padding, mode="reflect")
        size = found.shape[axis]
        found = sum(
            weight * np.take(padded, np.arange(start, start + size), axis=axis)
            for start, weight in enumerate(kernel)
        )
    return np.asarray(found, np.float32)


def share_inside(map: FloatArray, box: tuple[int, int, int, int]) -> tuple[float, float]:
    """How much of what speaks for the class lies in a box.

    Args:
        map: (H, W), positive speaks for the class.
        box: (left, top, right, bottom) in pixels, the last two not inside.

    Returns:
        (share of the positive values' sum, share of the area), 0…1; (0, …) where none is positive.
    """
    left, top, right, bottom = box
    positive = np.clip(np.nan_to_num(np.asarray(map, np.float64)), 0, None)
    whole = float(positive.sum())
    inside = float(positive[top:bottom, left:right].sum())
    area = max(0, right - left) * max(0, bottom - top) / map.size
    return (inside / whole if whole > 0 else 0.0), area


def with_box(pixels: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """The picture with a box drawn into it, white with a dark edge, to be seen on anything.

    Args:
        pixels: (H, W, 3).
        box: (left, top, right, bottom) in pixels, the last two not inside.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = box
    for inset, colour in ((0, (20, 20, 20)), (1, (255, 255, 255))):
        edge = (left + inset, top + inset, right - 1 - inset, bottom - 1 - inset)
        if edge[2] > edge[0] and edge[3] > edge[1]:
            draw.rectangle(edge, outline=colour)
    return np.asarray(picture, np.uint8)


def to_png(array: npt.NDArray[Any]) -> bytes:
    """(H, W, 3) or (H, W) uint8 → the bytes of a PNG file.

    At zlib's fastest level: of a photo, a third of the usual time for 6 % more bytes.
    """
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array, np.uint8)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
