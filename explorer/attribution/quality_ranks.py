"""Rank correlation of maps; numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Places along the shorter side of an image when a map is read in squares instead of pixels.
PLACES = 14


def spearman(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Spearman's rank correlation, -1…1, ties sharing their mean rank.

    Args:
        first: Any shape.
        second: As many values.

    Returns:
        0 where one of them is constant: a map that says nothing agrees with none.
    """
    if first.size == 0:
        return 0.0
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    _, place, count = np.unique(np.ravel(values), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    found: npt.NDArray[np.float64] = (last - (count - 1) / 2)[np.ravel(place)]
    return found


def changed_ranks(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """``spearman`` over the places where not both are zero.

    Where a method multiplies by the input (integrated gradients), all maps of an image are zero
    wherever it equals the baseline: such ties would make any two of them look alike.
    """
    told = (first != 0) | (second != 0)
    return spearman(first[told], second[told]) if told.any() else 0.0


def squares(height: int, width: int) -> npt.NDArray[np.intp]:
    """Which square each pixel lies in, (H, W), numbered in reading order.

    The side is a 14th of the shorter side, at least one pixel: 16 at 224 pixels, 2 at 28 or 32.
    Single pixels of a photo are no fair places to take out: a few random ones look like noise and
    hurt a network more than a missing part does.
    """
    side = max(1, round(min(height, width) / PLACES))
    across = -(-width // side)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    return (rows[:, None] * across + columns[None, :]).astype(np.intp)


def over_squares(map: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Mean of the map in each square."""
    where = squares(*map.shape).ravel()
    sums = np.bincount(where, weights=np.ravel(map).astype(np.float64))
    found: npt.NDArray[np.float64] = sums / np.bincount(where)
    return found
