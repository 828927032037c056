"""Smoothing, the share inside a box, and the box on the picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from explorer.attribution.overlay import blend, colours, levels, share_inside, smooth, with_box


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_smoothing_is_scipys(sigma: float) -> None:
    values = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
    reach = int(np.ceil(3 * sigma))
    expected = ndimage.gaussian_filter(values, sigma, mode="mirror", radius=reach)
    assert np.allclose(smooth(values, sigma), expected, atol=1e-6)


def test_smoothing_keeps_a_constant_and_sigma_zero_keeps_all() -> None:
    assert np.allclose(smooth(np.full((9, 9), 3, np.float32), 4.0), 3)
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert smooth(values, 0) is values


def test_share_inside_counts_positive_values_only() -> None:
    values = np.full((4, 4), -5, np.float32)
    values[0, 0], values[3, 3] = 3, 1
    assert share_inside(values, (0, 0, 2, 2)) == (3 / 4, 4 / 16)
    assert share_inside(values, (0, 0, 4, 4)) == (1, 1)
    assert share_inside(-np.abs(values), (0, 0, 2, 2)) == (0, 4 / 16)


def test_a_box_is_drawn_at_its_edges_and_nowhere_else() -> None:
    pixels = np.full((10, 12, 3), 100, np.uint8)
    drawn = with_box(pixels, (2, 3, 8, 9))
    assert (drawn[3, 2:8] == 20).all()
    assert (drawn[8, 2:8] == 20).all()
    assert (drawn[4, 3:7] == 255).all()
    assert (drawn[6, 5] == 100).all()
    assert (drawn[:3] == 100).all()


def test_a_given_scale_makes_a_weak_map_weak() -> None:
    weak = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    assert levels(weak, scale=10.0).max() == pytest.approx(0.1)
    assert levels(weak).max() == 1
    crop = np.full((8, 8, 3), 50, np.uint8)
    assert (blend(crop, colours(weak, scale=10.0), 0.0) == crop).all()
    with pytest.raises(ValueError, match="does not fit"):
        blend(crop, colours(np.zeros((4, 4), np.float32)), 0.5)
