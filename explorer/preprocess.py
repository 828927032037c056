"""A picture → the tensor that a network reads, and the picture as it sees it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from explorer.catalog.spec import Preprocessing

BRIGHT = 127.5
"""A median of the border above this (0…255) means dark ink on light paper."""


def preprocess(
    image: Image.Image, preprocessing: Preprocessing
) -> tuple[Tensor, npt.NDArray[np.uint8]]:
    """The input that the network's publisher prescribes for this picture.

    Bit for bit what torchvision's ``weights.transforms()`` and timm's ``create_transform`` give for
    the same numbers: resize, crop, 0…1, ``(x - mean) / std``.

    Networks of one channel (LeNet-5) read white ink on black, as MNIST has it. A picture whose
    border is bright (median above 127.5 of 255) is taken for dark ink on light paper: it is
    inverted and stretched, so that paper becomes 0 and the darkest ink 255. Where the crop is
    larger than the resized picture, black is added around it.

    Args:
        image: RGB, upright, of any size.
        preprocessing: Of the weights.

    Returns:
        (1, C, H, W) float32 on the CPU, and what it shows before normalisation: (H, W, 3) uint8
        RGB, three equal channels for networks of one channel.
    """
    channels = preprocessing.input_size[0]
    if channels == 1:
        image = ink_on_black(image.convert("L"))
    elif image.mode != "RGB":
        image = image.convert("RGB")
    cropped = _crop(_resize(image, preprocessing), preprocessing)
    values = transforms.pil_to_tensor(cropped)
    tensor = transforms.convert_image_dtype(values, torch.float32)
    tensor = transforms.normalize(tensor, list(preprocessing.mean), list(preprocessing.std))
    crop: npt.NDArray[np.uint8] = np.asarray(cropped.convert("RGB"), dtype=np.uint8)
    return tensor.unsqueeze(0), crop


def _resize(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    mode = InterpolationMode(preprocessing.interpolation)
    _, height, width = preprocessing.input_size
    resize = preprocessing.resize
    if preprocessing.crop_mode == "center" and height == width:
        size = [resize]  # the shorter side, whatever is longer follows
    elif preprocessing.crop_mode == "squash":
        size = [resize, _other(resize, height, width)]
    else:
        # timm's ResizeKeepRatio: the longer ("border") or shorter ("center") side fits the target.
        target = (resize, _other(resize, height, width))
        ratios = (image.height / target[0], image.width / target[1])
        ratio = max(ratios) if preprocessing.crop_mode == "border" else min(ratios)
        size = [round(image.height / ratio), round(image.width / ratio)]
    resized: Image.Image = transforms.resize(image, size, mode, antialias=preprocessing.antialias)
    return resized


def _other(resize: int, height: int, width: int) -> int:
    """The width that belongs to a resized height."""
    return resize if height == width else resize * width // height


def _crop(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    channels, height, width = preprocessing.input_size
    if preprocessing.crop_mode == "border":
        fill = tuple(round(255 * value) for value in preprocessing.mean)
        padding = _border(image, height, width)
        image = ImageOps.expand(image, padding, fill if channels > 1 else fill[0])
    cropped: Image.Image = transforms.center_crop(image, [height, width])
    return cropped


def _border(image: Image.Image, height: int, width: int) -> tuple[int, int, int, int]:
    """Pixels missing on the left, top, right and bottom."""
    missing_x, missing_y = max(width - image.width, 0), max(height - image.height, 0)
    left, top = missing_x // 2, missing_y // 2
    return left, top, missing_x - left, missing_y - top


def ink_on_black(image: Image.Image) -> Image.Image:
    """A grey picture as white ink on black, inverted where its border is bright.

    Args:
        image: Mode "L".
    """
    values = np.asarray(image, dtype=np.float32)
    edges = (values[0], values[-1], values[:, 0], values[:, -1])
    paper = float(np.median(np.concatenate(edges)))
    if paper <= BRIGHT:
        return image
    ink = max(paper - float(values.min()), 1.0)
    stretched = np.clip((paper - values) / ink, 0, 1) * 255
    return Image.fromarray(np.rint(stretched).astype(np.uint8))
