"""Maps from rules that take the place of the gradient of ReLU; equal to Captum where it is right.

Rules: guided backpropagation lets back only positive gradients where the input was positive,
deconvolution only positive gradients, DeepLIFT (rescale) the ratio of differences from a baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from explorer.attribution.baselines import baseline
from explorer.attribution.found import CONVERGED, NOT_COMPLETE, Found, delta_of, summed
from explorer.attribution.gradients import leaf
from explorer.attribution.rectifiers import (
    POOLED,
    Rule,
    Rules,
    checked,
    rectifier_rules,
    same_score,
)
from explorer.attribution.running import Run

Options = dict[str, Any]
_EPSILON = 1e-10  # Differences under it count as none, as in Captum.


class _Guided(torch.autograd.Function):
    """ReLU that lets back positive gradients only, where its input was positive (and under cap)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cap: float) -> Tensor:
        ctx.save_for_backward((x > 0) & (x < cap))
        return x.clamp(0, cap)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0].clamp(min=0) * ctx.saved_tensors[0], None


class _Deconvolved(torch.autograd.Function):
    """ReLU that rectifies what comes back; over the cap nothing does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cap: float) -> Tensor:
        ctx.save_for_backward(x < cap)
        return x.clamp(0, cap)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0].clamp(min=0) * ctx.saved_tensors[0], None


class _Rescaled(torch.autograd.Function):
    """ReLU of (image, baseline) whose gradient is the ratio of their differences."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cap: float) -> Tensor:
        output = x.clamp(0, cap)
        inside = x[:1] - x[1:]
        ratio = (output[:1] - output[1:]) / torch.where(inside == 0, 1.0, inside)
        here = ((x > 0) & (x < cap)).to(x.dtype)
        ctx.save_for_backward(torch.where(inside.abs() < _EPSILON, here, ratio))
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0] * ctx.saved_tensors[0], None


class _RescaledPool(torch.autograd.Function):
    """Max pooling of (image, baseline): differences go to the places of the two maxima."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, pool: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Tensor:
        output, places = pool(x)
        largest = torch.maximum(output[:1], output[1:])
        gains = torch.cat([largest - output[1:], output[:1] - largest])
        # Neither x nor output is kept: the network may change them in place afterwards.
        ctx.save_for_backward(gains, places, x[:1] - x[1:])
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        gains, places, inside = ctx.saved_tensors
        gradient = gradients[0]

        def scattered(values: Tensor) -> Tensor:
            flat = values.new_zeros((*values.shape[:2], inside[0, 0].numel()))
            flat.scatter_add_(2, places.flatten(2), values.flatten(2))
            return flat.view(2, *inside.shape[1:])

        shared = scattered(gradient * gains).sum(dim=0, keepdim=True)
        ratio = shared / torch.where(inside == 0, 1.0, inside)
        # Both rows keep the same multipliers, as in Captum, also where nothing differs.
        joined = torch.where(inside.abs() < _EPSILON, scattered(gradient)[:1], ratio)
        return joined.expand(2, -1, -1, -1), None


def _pooled(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = dict(zip(("kernel_size", "stride", "padding", "dilation"), args[1:5], strict=False))
    given |= {"ceil_mode": args[5]} if len(args) > 5 else {}
    given |= {name: value for name, value in kwargs.items() if name not in ("input",)}
    given["return_indices"] = True
    x = args[0] if args else kwargs["input"]
    return _RescaledPool.apply(x, lambda tensor: functional.max_pool2d(tensor, **given))


def _ruled(run: Run, kind: type[torch.autograd.Function], method: str) -> Tensor:
    """Gradient of the score at the image under a rule, (C, H, W)."""
    x = leaf(run.x)
    with Rules(rectifier_rules(kind.apply)):
        score = run.score(x)
        gradient = torch.autograd.grad(score.sum(), x)[0]
    same_score(run, score, method)
    return gradient[0]


def guided_gradient(run: Run) -> tuple[Tensor, tuple[str, ...]]:
    """Guided backpropagation, (C, H, W), and what was repaired.

    Raises:
        AttributionError: The network is none of ReLUs.
    """
    found = checked(run, "Guided backpropagation", gates=True)
    return _ruled(run, _Guided, "Guided backpropagation"), found.repaired


def guided_backprop(run: Run, options: Options, layer: str | None) -> Found:
    """Springenberg et al. 2015."""
    gradient, repaired = guided_gradient(run)
    return summed(gradient, repaired=repaired)


def deconvolution(run: Run, options: Options, layer: str | None) -> Found:
    """Zeiler & Fergus 2014."""
    found = checked(run, "Deconvolution", gates=True)
    gradient = _ruled(run, _Deconvolved, "Deconvolution")
    return summed(gradient, repaired=found.repaired)


def deep_lift(run: Run, options: Options, layer: str | None) -> Found:
    """The rescale rule of Shrikumar et al. 2017; overlapping pooling windows add up."""
    found = checked(run, "DeepLIFT", gates=False)
    start = baseline(options["baseline"], run)
    pools: dict[str, Rule] = dict.fromkeys(("max_pool2d", "boolean_dispatch", "fn"), _pooled)
    x = leaf(torch.cat([run.x, start]))
    with Rules(rectifier_rules(_Rescaled.apply) | pools):
        scores = run.score(x)
        # Both rows carry the same multipliers; the pooling rule reads those of both.
        gradient = torch.autograd.grad(scores.sum(), x)[0][0]
    same_score(run, scores[:1], "DeepLIFT")
    channels = gradient * (run.x - start)[0]
    delta = delta_of(channels, float((scores[0] - scores[1]).detach()))
    return summed(
        channels,
        delta=delta,
        warnings=() if delta < CONVERGED else (NOT_COMPLETE,),
        repaired=(*found.repaired, *((POOLED,) if found.pooled else ())),
    )
