"""Feature maps: what a layer answers to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.inspection.grids import Grid, grid_of
from explorer.inspection.layers import layer_output
from explorer.inspection.types import ChannelStats, FeatureMaps, FloatArray, Order
from explorer.preprocess import preprocess

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

MOST_MAPS = 64
# Planes travel to the server and are kept there: large ones are fewer.
MOST_VALUES = 4_000_000
LONGEST_PROFILE = 4096


def feature_maps(
    loaded: LoadedModel, image: Image.Image, layer: str, order: Order = "mean"
) -> FeatureMaps:
    """The layer's output for an image: its strongest channels and a word on all of them.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright.
        layer: Module path, with "@2" for its second call; or "op:" and the id of an op.
        order: Sort the channels by their mean or by their maximum, largest first.

    Raises:
        LayerError: There is no such layer, or it hands out no tensor.
    """
    x, crop = preprocess(image, loaded.preprocessing)
    with torch.no_grad():
        output = layer_output(loaded, x.to(loaded.device), layer).float()
    grid = grid_of(tuple(output.shape), (crop.shape[0], crop.shape[1]))
    none = np.zeros((0, 0, 0), np.float32)
    maps, channels, stats, profile = none, np.zeros(0, np.int64), None, np.zeros(0, np.float32)
    if grid is not None:
        planes = to_planes(output, grid)
        stats = _stats(planes)
        best = np.argsort(-(stats.mean if order == "mean" else stats.high), kind="stable")
        room = max(1, MOST_VALUES // (grid.height * grid.width))
        channels = best[: min(MOST_MAPS, room)].astype(np.int64)
        maps = planes[torch.from_numpy(channels).to(planes.device)].cpu().numpy()
    vector = _as_vector(output)
    if grid is None:
        profile = _profile(output if vector is None else vector)
    return FeatureMaps(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        layer=layer,
        shape=tuple(output.shape),
        layout="grid" if grid is not None else "tokens" if vector is None else "vector",
        order=order,
        maps=maps,
        channels=channels,
        stats=stats,
        profile=profile,
        prefix=grid.prefix if grid is not None else 0,
        crop=crop,
    )


def to_planes(output: Tensor, grid: Grid) -> Tensor:
    """(C, h, w) of a layer's output that lies in a grid."""
    if grid.layout == "nchw":
        return output[0]
    if grid.layout == "nhwc":
        return output[0].permute(2, 0, 1)
    tokens = output[0, grid.prefix :]
    return tokens.reshape(grid.height, grid.width, -1).permute(2, 0, 1)


def _stats(planes: Tensor) -> ChannelStats:
    flat = planes.flatten(1)
    found = (
        flat.mean(1),
        flat.std(1, correction=0),
        flat.amin(1),
        flat.amax(1),
        (flat > 0).float().mean(1),
    )
    mean, std, low, high, active = (part.cpu().numpy() for part in found)
    return ChannelStats(mean, std, low, high, active)


def _as_vector(output: Tensor) -> Tensor | None:
    """The output as one row of values where it is one: (1, K), also (1, K, 1, 1)."""
    squeezed = output.squeeze()
    return squeezed if squeezed.ndim <= 1 else None


def _profile(output: Tensor) -> FloatArray:
    """Values of a vector, one a channel; L2 norms of the tokens where there are several."""
    if output.ndim > 1:
        output = torch.linalg.vector_norm(output, dim=-1)
    values: FloatArray = output.flatten()[:LONGEST_PROFILE].cpu().numpy()
    return values
