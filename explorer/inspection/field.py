"""Effective receptive field: which pixels move one position of a layer, by its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import LayerError
from explorer.i18n import N_
from explorer.inspection.choosing import OP
from explorer.inspection.grids import grid_of
from explorer.inspection.layers import layer_output
from explorer.inspection.maps import to_planes
from explorer.inspection.types import EffectiveField, FloatArray
from explorer.preprocess import preprocess

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

ROUNDING = 1e-4


def effective_field(
    loaded: LoadedModel, image: Image.Image, layer: str, position: tuple[int, int] | None = None
) -> EffectiveField:
    """|∂(Σ over channels of one position) / ∂input|, summed over the input's channels.

    Luo, Li, Urtasun & Zemel, "Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks", NeurIPS 2016 (arXiv:1701.04128), for this one image.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright.
        layer: As for ``feature_maps``.
        position: (row, column) in the layer's grid; None for the middle.

    Raises:
        LayerError: There is no such layer or position, or the layer holds no map of the image.
    """
    x, crop = preprocess(image, loaded.preprocessing)
    x = x.to(loaded.device).requires_grad_(True)
    size = crop.shape[0], crop.shape[1]
    with torch.enable_grad():
        output = layer_output(loaded, x, layer)
        grid = grid_of(tuple(output.shape), size)
        if grid is None:
            raise LayerError(
                N_("“{layer}” holds no map of the image ({shape}); choose an earlier layer."),
                layer=layer.removeprefix(OP),
                shape="×".join(map(str, output.shape)),
            )
        row, column = position or (grid.height // 2, grid.width // 2)
        if not (0 <= row < grid.height and 0 <= column < grid.width):
            raise LayerError(
                N_("“{layer}” has no position {position}; it is a grid of {grid}."),
                layer=layer.removeprefix(OP),
                position=f"({row}, {column})",
                grid=f"{grid.height} × {grid.width}",
            )
        map_ = _gradient(to_planes(output, grid)[:, row, column], x)
    peak = float(map_.max())
    map_ = map_ / peak if peak > 0 else map_
    return EffectiveField(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        layer=layer,
        grid=(grid.height, grid.width),
        position=(row, column),
        map=map_,
        extent=_extent(map_),
        half_mass=_half_mass(map_),
        crop=crop,
    )


def _gradient(unit: Tensor, x: Tensor) -> FloatArray:
    """(H, W) magnitudes of ∂(Σ unit)/∂x; zeros where the sum does not depend on the image.

    Layer normalisation makes the sum of all channels a constant: what is left of its gradient is
    rounding error, told by the gradient of a sum with signs, which is no constant.
    """
    if not unit.requires_grad:
        return np.zeros(tuple(x.shape[-2:]), np.float32)
    signs = torch.ones_like(unit)
    signs[1::2] = -1
    (plain,) = torch.autograd.grad(unit.sum(), x, retain_graph=True, materialize_grads=True)
    (signed,) = torch.autograd.grad((signs * unit).sum(), x, materialize_grads=True)
    found = torch.nan_to_num(plain[0].abs().sum(0).float(), posinf=0.0).cpu()
    reference = torch.nan_to_num(signed[0].abs().sum(0).float(), posinf=0.0).max()
    map_: FloatArray = found.numpy()
    constant = float(found.max()) < ROUNDING * float(reference)
    return np.zeros_like(map_) if constant else map_


def _extent(map_: FloatArray) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(map_.any(axis=1)), np.flatnonzero(map_.any(axis=0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def _half_mass(map_: FloatArray) -> int:
    """Side of the square around the centre of mass that holds half of the mass, in pixels."""
    mass = map_.astype(np.float64)
    total = mass.sum()
    if total == 0:
        return 0
    rows, columns = np.indices(mass.shape)
    centre = round((rows * mass).sum() / total), round((columns * mass).sum() / total)
    distance = np.maximum(np.abs(rows - centre[0]), np.abs(columns - centre[1]))
    inside = np.cumsum(np.bincount(distance.ravel(), mass.ravel()))
    return 2 * int(np.searchsorted(inside, total / 2)) + 1
