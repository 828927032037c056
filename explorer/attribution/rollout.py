"""Attention rollout (Abnar & Zuidema 2020): attention of all layers, multiplied."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from explorer.attribution.cams import full_size
from explorer.attribution.found import Found
from explorer.attribution.gradients import leaf
from explorer.attribution.rectifiers import Rule, Rules
from explorer.attribution.running import Run
from explorer.attribution.spatial import SpatialMap, outputs_of, read_shape
from explorer.errors import AttributionError
from explorer.i18n import N_


def _recorders(matrices: list[Tensor]) -> dict[str, Rule]:
    """Rules that keep attention matrices (B, heads, N, N), whoever computes them."""

    def fused(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        given = dict(zip(names, args, strict=False)) | kwargs
        query, key = given["query"], given["key"]
        scale = given.get("scale") or 1 / math.sqrt(query.shape[-1])
        weights = query.float() @ key.float().transpose(-2, -1) * scale
        mask = given.get("attn_mask")
        if mask is not None:
            hidden = mask.logical_not() if mask.dtype == torch.bool else None
            weights = weights + mask if hidden is None else weights.masked_fill(hidden, -math.inf)
        matrices.append(torch.softmax(weights, dim=-1))
        return func(*args, **kwargs)

    def whole(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wanted = kwargs | {"need_weights": True, "average_attn_weights": False}
        output, weights = func(*args, **wanted)
        matrices.append(weights)
        if not kwargs.get("need_weights", True):
            return output, None
        mean = kwargs.get("average_attn_weights", True)
        return output, weights.mean(dim=1) if mean else weights

    def plain(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        if output.ndim == 4:
            matrices.append(output)
        return output

    return {
        "scaled_dot_product_attention": fused,
        "multi_head_attention_forward": whole,
        "softmax": plain,
    }


def attention_rollout(run: Run, options: dict[str, Any], layer: str | None) -> Found:
    """Product of (mean over heads + identity) / 2 over the layers; the row of the class token.

    Where the network takes the mean of the patches instead, it is the mean of their rows.
    """
    matrices: list[Tensor] = []
    # With gradients, torch's fused encoder layer is off, and its parts are run one by one.
    with torch.enable_grad(), outputs_of(run.loaded.module) as outputs:
        with Rules(_recorders(matrices)):
            run.forward(leaf(run.x))
        size = (run.x.shape[2], run.x.shape[3])
        spots = {
            spot.prefix + spot.height * spot.width: spot
            for path, _, tensor in outputs
            if (spot := read_shape(path, tuple(tensor.shape), size)) and spot.layout == "tokens"
        }
    matrices = [m.detach().float() for m in matrices if m.shape[0] == 1]
    sizes = {matrix.shape[-2:] for matrix in matrices}
    length = matrices[0].shape[-1] if matrices else 0
    if len(sizes) != 1 or sizes != {(length, length)} or length not in spots:
        raise AttributionError(
            N_(
                "Attention rollout needs attention among all patches in every layer, and {model} "
                "has none; choose Grad-CAM."
            ),
            model=run.loaded.spec.name,
        )
    return Found(full_size(_rolled(matrices, options["heads"], spots[length], run), run)[0, 0])


def _rolled(matrices: list[Tensor], heads: str, spot: SpatialMap, run: Run) -> Tensor:
    """(1, 1, h, w)."""
    identity = torch.eye(matrices[0].shape[-1], device=run.x.device)
    flow = identity
    for matrix in matrices:
        joined = matrix[0].mean(dim=0) if heads == "mean" else matrix[0].amax(dim=0)
        mixed = joined + identity
        flow = (mixed / mixed.sum(dim=-1, keepdim=True)) @ flow
    pooled = str(getattr(run.loaded.module, "global_pool", "token"))
    by_token = spot.prefix and "avg" not in pooled
    row = flow[0] if by_token else flow[spot.prefix :].mean(dim=0)
    return row[spot.prefix :].reshape(1, 1, spot.height, spot.width)
