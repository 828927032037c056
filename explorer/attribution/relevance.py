"""Layer-wise relevance propagation as input × gradient of a network with changed gradients.

In a ReLU network the relevance that the ε rule gives to an input is the input times the gradient;
other rules change the weights by which a layer passes relevance back (Montavon et al. 2019,
"Layer-Wise Relevance Propagation: An Overview"). A layer's output z is written z' · (z / z') with
the quotient held fixed, where z' comes from the changed weights: forward it is z, backward z'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from explorer.attribution.found import Found, summed
from explorer.attribution.gradients import leaf
from explorer.attribution.rectifiers import Rule, Rules, checked, same_score
from explorer.attribution.running import Run

_STABLE = 1e-9


def _gamma(gamma: float) -> Rule:
    """The γ rule for every convolution but the first, which reads the image.

    What speaks for an output is favoured by 1 + γ, also where the output is negative, as before a
    normalisation; the quotient z / z' then stays between 0 and 1 (the generalised
    γ rule). For inputs and outputs ≥ 0 the weights are w + γ·max(w, 0), and
    the bias stays as it is, as in Captum.
    """
    first = True

    def rule(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nonlocal first
        output = func(*args, **kwargs)
        if first:
            first = False
            return output
        names = ("input", "weight", "bias")
        given = dict(zip(names, args[:3], strict=False)) | kwargs
        rest = args[3:]
        others = {name: value for name, value in kwargs.items() if name not in names}
        x, weight, bias = given["input"], given["weight"], given.get("bias")

        def favoured(sign: float) -> Tensor:
            """The output z' in which contributions of this sign count 1 + γ."""
            up = weight + gamma * (sign * weight).clamp(min=0) * sign
            down = weight - gamma * (-sign * weight).clamp(min=0) * sign
            positive: Tensor = func(x.clamp(min=0), up, bias, *rest, **others)
            negative: Tensor = func(x.clamp(max=0), down, None, *rest, **others)
            return positive + negative

        other = torch.where(output >= 0, favoured(1.0), favoured(-1.0))
        sign = torch.where(output >= 0, 1.0, -1.0)
        return other * (output / (other + _STABLE * sign)).detach()

    return rule


def lrp(run: Run, options: dict[str, Any], layer: str | None) -> Found:
    """Relevance of the normalised input, channels summed."""
    found = checked(run, "Layer-wise relevance propagation", gates=False)
    rules: dict[str, Rule] = {}
    if options["rule"] == "gamma":
        rules = {"conv2d": _gamma(options["gamma"])}
    x = leaf(run.x)
    with Rules(rules):
        score = run.score(x)
        gradient = torch.autograd.grad(score.sum(), x)[0]
    same_score(run, score, "Layer-wise relevance propagation")
    relevance: Tensor = (gradient * run.x)[0]
    return summed(relevance, repaired=found.repaired)
