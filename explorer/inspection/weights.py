"""The weights of a layer: kernels as pictures, how they are spread, norm by output channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import LayerError
from explorer.i18n import N_
from explorer.inspection.layers import find_module
from explorer.inspection.types import FloatArray, IntArray, KernelKind, LayerWeights

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

MOST_KERNELS = 96
LARGEST_KERNEL = 64  # pixels a side
MATRIX_SIDE = 192  # pixels of the picture of a matrix
BINS = 60


def layer_weights(loaded: LoadedModel, module_path: str) -> LayerWeights:
    """The largest weight tensor of a module; of its first child with weights where it has none.

    The whole network ("") gives its first layer.

    Args:
        loaded: The network, held under its lock.
        module_path: "features.0"; "@2" behind it is no other module.

    Raises:
        LayerError: There is no such module, or no weights in it.
    """
    module = find_module(loaded, module_path)
    prefix = module_path.partition("@")[0]
    found = next(_candidates(module), None)
    if found is None:
        raise LayerError(
            N_("“{layer}” of {model} has no weights; choose a convolution or a linear layer."),
            layer=module_path,
            model=loaded.spec.name,
        )
    name, parameter, transposed = found
    weight = parameter.detach().float().cpu()
    # Outputs first, also where a transposed convolution keeps its inputs first.
    rows = weight.transpose(0, 1) if transposed else weight
    kind, kernels, pairs, total = _pictures(rows)
    values = weight.flatten().numpy()
    counts, edges = _histogram(values)
    return LayerWeights(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        parameter=f"{prefix}.{name}" if prefix else name,
        shape=tuple(rows.shape),
        kind=kind,
        kernels=kernels,
        pairs=pairs,
        kernels_total=total,
        counts=counts,
        edges=edges,
        norms=torch.linalg.vector_norm(rows.reshape(rows.shape[0], -1), dim=1).numpy(),
        mean=float(values.mean(dtype=np.float64)),
        std=float(values.std(dtype=np.float64)),
        low=float(values.min()),
        high=float(values.max()),
        zeros=float((values == 0).mean()),
    )


def _candidates(module: nn.Module) -> Iterator[tuple[str, nn.Parameter, bool]]:
    """(name, parameter, transposed): matrices and kernels in order, then whatever else there is."""
    for plainly in (True, False):
        for path, part in module.named_modules():
            own = [(name, p) for name, p in part.named_parameters(recurse=False) if p.numel() > 0]
            if plainly:
                own = [(name, p) for name, p in own if p.ndim > 1 and "weight" in name]
            if not own:
                continue
            name, parameter = max(own, key=lambda item: item[1].numel())
            transposed = isinstance(
                part, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
            )
            yield (f"{path}.{name}" if path else name), parameter, transposed


def _pictures(weight: Tensor) -> tuple[KernelKind, FloatArray, IntArray, int]:
    nothing = np.zeros((0, 0, 0), np.float32), np.zeros((0, 2), np.int64), 0
    spatial = weight.ndim == 4 and weight.shape[2] * weight.shape[3] > 1
    if spatial and max(weight.shape[2:]) <= LARGEST_KERNEL:
        return _kernels(weight)
    matrix = weight.flatten(1) if weight.ndim > 1 else weight[None]
    if weight.ndim < 2 or min(matrix.shape) < 2:
        return "none", *nothing
    return "matrix", _blocks(matrix)[None], np.array([[-1, -1]], np.int64), 1


def _kernels(weight: Tensor) -> tuple[KernelKind, FloatArray, IntArray, int]:
    outputs, inputs = weight.shape[:2]
    if inputs == 3:
        norms = torch.linalg.vector_norm(weight.flatten(1), dim=1)
        best = torch.argsort(norms, descending=True, stable=True)[:MOST_KERNELS]
        chosen = weight[best].permute(0, 2, 3, 1).contiguous().numpy()
        pairs = torch.stack([best, torch.full_like(best, -1)], dim=1).numpy()
        return "rgb", chosen, pairs, outputs
    planes = weight.reshape(outputs * inputs, *weight.shape[2:])
    norms = torch.linalg.vector_norm(planes.flatten(1), dim=1)
    count = min(MOST_KERNELS, len(norms))
    best = torch.topk(norms, count).indices
    pairs = torch.stack([best // inputs, best % inputs], dim=1).numpy()
    return "grey", planes[best].numpy(), pairs, outputs * inputs


def _blocks(matrix: Tensor) -> FloatArray:
    """At most ``MATRIX_SIDE`` a side: of each block the value of largest magnitude."""
    rows, columns = (min(side, MATRIX_SIDE) for side in matrix.shape)
    high = torch.nn.functional.adaptive_max_pool2d(matrix[None], (rows, columns))[0]
    low = -torch.nn.functional.adaptive_max_pool2d(-matrix[None], (rows, columns))[0]
    picked: FloatArray = torch.where(high.abs() >= low.abs(), high, low).numpy()
    return picked


def _histogram(values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Counts in equal bins, symmetric around zero, over all that is finite."""
    finite = values[np.isfinite(values)]
    reach = float(np.abs(finite).max()) if finite.size else 0.0
    reach = reach or 1.0
    counts, edges = np.histogram(finite, BINS, (-reach, reach))
    return counts.astype(np.int64), edges.astype(np.float32)
