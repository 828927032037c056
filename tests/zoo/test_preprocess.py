"""Bit for bit what torchvision and timm make of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torchvision import models

from explorer.catalog import find
from explorer.catalog.spec import Preprocessing
from explorer.preprocess import preprocess

# (width, height): landscape, portrait, square, smaller than any crop, extreme
SIZES = [(600, 400), (333, 512), (256, 256), (91, 64), (1, 1), (900, 30)]


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    photo = Image.fromarray(data.coffee())
    return [photo.resize(size, Image.Resampling.BICUBIC) for size in SIZES]


# One of each kind: bilinear and bicubic, small and large crops, crops as large as the resize.
@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("resnet50", "IMAGENET1K_V1"),
        ("resnet50", "IMAGENET1K_V2"),
        ("vit_b_16", "IMAGENET1K_SWAG_E2E_V1"),
        ("efficientnet_b7", "IMAGENET1K_V1"),
        ("inception_v3", "IMAGENET1K_V1"),
        ("convnext_tiny", "IMAGENET1K_V1"),
        ("maxvit_t", "IMAGENET1K_V1"),
        ("swin_v2_t", "IMAGENET1K_V1"),
    ],
)
def test_equals_torchvision(photos: list[Image.Image], model: str, weights: str) -> None:
    enum = models.get_model_weights(model)[weights]
    spec = next(w for w in find(model).weights if w.id == weights)
    for photo in photos:
        x, crop = preprocess(photo, spec.preprocessing)
        assert torch.equal(x[0], enum.transforms()(photo))
        _check_crop(x, crop, spec.preprocessing)


def _check_crop(x: torch.Tensor, crop: np.ndarray, preprocessing: Preprocessing) -> None:
    channels, height, width = preprocessing.input_size
    assert x.shape == (1, channels, height, width)
    assert x.dtype == torch.float32
    assert crop.shape == (height, width, 3)
    assert crop.dtype == np.uint8
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    back = x[0].permute(1, 2, 0).numpy() * std + mean
    assert np.array_equal(np.rint(back * 255).astype(np.uint8), crop)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"interpolation": "bilinear", "crop_pct": 0.965},
        {"crop_pct": 1.0},
        {"crop_mode": "squash"},
        {"crop_mode": "squash", "crop_pct": 1.0, "input_size": (3, 160, 160)},
        {"crop_mode": "border", "crop_pct": 0.9},
        {"crop_mode": "border", "crop_pct": 1.0},
    ],
)
def test_equals_timm(photos: list[Image.Image], changes: dict[str, Any]) -> None:
    from timm.data import create_transform

    config: dict[str, Any] = {
        "input_size": (3, 224, 224),
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "crop_mode": "center",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.5, 0.25, 0.2),
    } | changes
    side = config["input_size"][1]
    spec = Preprocessing(
        input_size=config["input_size"],
        resize=int(side / config["crop_pct"]),
        mean=config["mean"],
        std=config["std"],
        interpolation=config["interpolation"],
        crop_mode=config["crop_mode"],
    )
    transform = create_transform(**config)
    for photo in photos:
        x, crop = preprocess(photo, spec)
        assert torch.equal(x[0], transform(photo))
        _check_crop(x, crop, spec)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "inception_resnet_v2"])
def test_catalogs_numbers_are_timms(photos: list[Image.Image], name: str) -> None:
    import timm
    from timm.data import create_transform, resolve_data_config

    spec = find(name)
    config = timm.get_pretrained_cfg(spec.builder).to_dict()
    transform = create_transform(**resolve_data_config(pretrained_cfg=config))
    for photo in photos[:3]:
        assert torch.equal(preprocess(photo, spec.preprocessing)[0][0], transform(photo))


def test_grey_networks_get_one_channel_and_show_three() -> None:
    spec = find("lenet5").preprocessing
    x, crop = preprocess(Image.new("RGB", (100, 50), (0, 0, 0)), spec)
    assert x.shape == (1, 1, 32, 32)
    assert x.unique().item() == pytest.approx((0 - 0.1307) / 0.3081)
    assert crop.shape == (32, 32, 3)


def test_other_modes_than_rgb() -> None:
    spec = find("resnet50").preprocessing
    grey = Image.new("L", (300, 300), 99)
    assert torch.equal(preprocess(grey, spec)[0], preprocess(grey.convert("RGB"), spec)[0])
