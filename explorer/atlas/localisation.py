"""Whether a map points at what somebody drew a box around."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from explorer.atlas.pictures import Box
from explorer.results import FloatArray

if TYPE_CHECKING:
    from explorer.catalog.spec import Preprocessing


def region(
    size: tuple[int, int], boxes: tuple[Box, ...], preprocessing: Preprocessing
) -> npt.NDArray[np.bool_]:
    """What of the crop that a network sees lies in a box.

    Args:
        size: (width, height) of the upright image.
        boxes: In its pixels.
        preprocessing: Of the network: the boxes take the way that the image takes.

    Returns:
        (H, W).
    """
    from explorer.preprocess import preprocess

    drawn = Image.new("RGB", size)
    pen = ImageDraw.Draw(drawn)
    for left, top, right, bottom in boxes:
        # The last pixel belongs to what ImageDraw fills: a box of one pixel ends where it begins.
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), fill=(255,) * 3)
    _channels, height, width = preprocessing.input_size
    way = replace(
        preprocessing, input_size=(3, height, width), mean=(0.0,) * 3, std=(1.0,) * 3,
        interpolation="nearest",
    )  # fmt: skip
    _tensor, crop = preprocess(drawn, way)
    return np.asarray(crop[..., 0] > 127)


def localisation(map: FloatArray, inside: npt.NDArray[np.bool_]) -> dict[str, float | bool | None]:
    """How well a map finds the boxes.

    Args:
        map: (H, W), positive speaks for the class.
        inside: (H, W), in a box.

    Returns:
        box_share: of the crop that lies in a box, which is what chance would point at; pointing:
        whether the map's largest value lies in one (J. Zhang et al., Top-down Neural Attention by
        Excitation Backprop, ECCV 2016); energy: share of the map's positive sum that lies in one
        (H. Wang et al., Score-CAM, CVPR Workshops 2020). None where no box is left on the crop, or
        where nothing of the map is positive.
    """
    share = float(inside.mean())
    positive = np.maximum(map, 0).astype(np.float64)
    total = float(positive.sum())
    if not inside.any() or total <= 0:
        return {"box_share": share, "pointing": None, "energy": None}
    return {
        "box_share": share,
        "pointing": bool(inside.ravel()[int(np.argmax(map))]),
        "energy": float(positive[inside].sum()) / total,
    }
