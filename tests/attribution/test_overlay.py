from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from explorer.attribution.overlay import (
    DIVERGING,
    SEQUENTIAL,
    colours,
    levels,
    overlay,
    scale_of,
    to_png,
)

MODES = ("positive", "absolute", "signed")
MAPS = arrays.arrays(np.float32, (5, 4), elements=st.floats(-(2.0**90), 2.0**90, width=32))


def lightness(table: np.ndarray) -> np.ndarray:
    """CIE 1976 L* of sRGB colours, 0…100."""
    linear = np.where(
        table / 255 <= 0.04045, table / 255 / 12.92, ((table / 255 + 0.055) / 1.055) ** 2.4
    )
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_sequential_scale_rises_in_lightness_for_every_kind_of_eye() -> None:
    steps = np.diff(lightness(SEQUENTIAL.astype(float)))
    assert (steps > -0.2).all()  # rounding of single levels
    assert lightness(SEQUENTIAL.astype(float))[-1] - lightness(SEQUENTIAL.astype(float))[0] > 80


def test_diverging_scale_is_white_in_the_middle_and_differs_in_blue_and_yellow_at_the_ends() -> (
    None
):
    assert DIVERGING[128].min() > 240
    blue, orange = DIVERGING[0].astype(int), DIVERGING[-1].astype(int)
    # Red–green blind eyes tell colours apart by blue against yellow (red + green).
    assert (blue[2] - blue[:2].mean()) > 60
    assert (orange[2] - orange[:2].mean()) < -60


def test_levels_follow_the_percentile() -> None:
    values = np.arange(-50, 51, dtype=np.float32).reshape(1, 101)
    # |map| is 0, 1, 1, …, 50, 50; its largest is 50, its median 25.
    assert scale_of(values, 100) == 50
    assert scale_of(values, 50) == 25
    assert levels(values, percentile=100, mode="signed")[0, [0, 50, 100]].tolist() == [-1, 0, 1]
    assert levels(values, percentile=100)[0, [0, 50, 75]].tolist() == [0, 0, 0.5]
    assert levels(values, percentile=100, mode="absolute")[0, [0, 50]].tolist() == [1, 0]
    assert levels(values, percentile=50)[0, 80] == 1  # 30 of 25: clipped


def test_a_single_bright_pixel_is_still_shown() -> None:
    values = np.zeros((50, 50), np.float32)
    values[3, 4] = 7
    assert levels(values, percentile=99)[3, 4] == 1


def test_opacity_runs_from_the_image_to_the_map() -> None:
    generator = np.random.default_rng(0)
    crop = generator.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    values = generator.normal(size=(6, 5)).astype(np.float32)
    for mode in MODES:
        assert (overlay(crop, values, opacity=0, mode=mode) == crop).all()
        assert (overlay(crop, values, opacity=1, mode=mode) == colours(values, mode=mode)).all()


def test_flat_maps_are_drawn_without_warning() -> None:
    crop = np.zeros((4, 4, 3), np.uint8)
    for value in (0.0, 3.0, -3.0, np.nan, np.inf):
        for mode in MODES:
            shown = overlay(crop, np.full((4, 4), value, np.float32), mode=mode)
            assert (shown == shown[0, 0]).all()


@settings(max_examples=80, deadline=None)
@given(MAPS, st.sampled_from(MODES), st.floats(0, 100), st.floats(-1, 2))
def test_any_map_gives_pixels(
    values: np.ndarray, mode: str, percentile: float, opacity: float
) -> None:
    crop = np.full((5, 4, 3), 90, np.uint8)
    shown = overlay(crop, values, mode=mode, percentile=percentile, opacity=opacity)
    assert shown.shape == (5, 4, 3)
    assert shown.dtype == np.uint8
    # Scaling a map by a positive factor changes nothing, where the numbers bear it.
    assume(np.array_equal(values * np.float32(0.5) * 2, values))
    assert np.array_equal(
        levels(values, mode=mode, percentile=100),
        levels(values * np.float32(0.5), mode=mode, percentile=100),
    )


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.float32))


def test_png_is_read_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 7, 3), dtype=np.uint8)
    data = to_png(pixels)
    assert data.startswith(b"\x89PNG")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    grey = to_png(pixels[:, :, 0])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(grey))), pixels[:, :, 0])
