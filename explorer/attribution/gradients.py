"""Maps from gradients at the pixels; the formulas are Captum's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from captum.attr import InputXGradient, Saliency
from torch import Tensor

from explorer.attribution.baselines import NoiseStream, baseline, noise_scale
from explorer.attribution.found import (
    CONVERGED,
    NOT_COMPLETE,
    NOT_CONVERGED,
    Found,
    delta_of,
    summed,
)
from explorer.attribution.running import Run, in_chunks
from explorer.attribution.shared_options import AVERAGED, baselines_of

Options = dict[str, Any]


def leaf(x: Tensor) -> Tensor:
    """A copy that gradients can be taken with respect to."""
    return x.detach().clone().requires_grad_()


def _joined(channels: Tensor, how: str) -> Found:
    """Found of values by channel, (C, H, W), that are joined by their maximum or mean."""
    joined = channels.amax(dim=0) if how == "max" else channels.mean(dim=0)
    return Found(joined, channels=channels)


def saliency(run: Run, options: Options, layer: str | None) -> Found:
    """|gradient|."""
    gradient = Saliency(run.score).attribute(leaf(run.x), abs=True)[0]
    return _joined(gradient, options["channels"])


def input_x_gradient(run: Run, options: Options, layer: str | None) -> Found:
    """(x − baseline) · gradient at x; Captum has it for baseline 0 of the normalised input."""
    start = baseline(options["baseline"], run)
    shifted = InputXGradient(lambda distance: run.score(start + distance))
    return summed(shifted.attribute(leaf(run.x - start))[0])


def integrated_gradients(run: Run, options: Options, layer: str | None) -> Found:
    """The mean gradient on the way from the baseline, times the way; the mean over baselines."""
    assert run.output is not None
    starts = torch.cat([baseline(kind, run) for kind in baselines_of(options)])
    run.expected = run.passes + (1 + options["steps"]) * len(starts)
    nothing = run.scores(lambda first, last: starts[first:last], len(starts)).double().mean()
    difference = float(run.scored(run.output)[0].double() - nothing)
    steps = options["steps"]
    while True:
        run.expected = run.passes + steps * len(starts)
        attribution = torch.stack([_integrated(run, one, steps) for one in starts]).mean(dim=0)
        delta = delta_of(attribution, difference)
        if delta < CONVERGED or not options["adaptive"] or steps >= options["max_steps"]:
            break
        steps = min(2 * steps, options["max_steps"])
    return summed(
        attribution,
        delta=delta,
        extra=(("steps_used", steps),),
        warnings=() if delta < CONVERGED else (NOT_CONVERGED,),
    )


def _integrated(run: Run, start: Tensor, steps: int) -> Tensor:
    """Integrated gradients from one baseline by Gauss–Legendre quadrature, (C, H, W).

    As Captum's, but what is done stays where memory runs out.
    """
    nodes, lengths = np.polynomial.legendre.leggauss(steps)
    shares = torch.from_numpy((1 + nodes) / 2).to(run.x).view(-1, 1, 1, 1)
    weights = torch.from_numpy(lengths / 2).to(run.x).view(-1, 1, 1, 1)
    way = run.x - start
    total = torch.zeros_like(run.x)

    def some(first: int, last: int) -> None:
        gradients = run.gradient(start + shares[first:last] * way)
        total.add_((gradients * weights[first:last]).sum(dim=0, keepdim=True))

    in_chunks(some, steps, run.chunk)
    return (total * way)[0]


def _noisy_moments(run: Run, options: Options) -> tuple[Tensor, Tensor]:
    """Means of the gradient and of its square over noisy copies, each (C, H, W), double."""
    scale, noise = noise_scale(options["noise"], run), NoiseStream(run, options["seed"])
    first = torch.zeros_like(run.x[0], dtype=torch.float32).cpu().double()
    second = first.clone()
    count = options["samples"]

    def some(start: int, stop: int) -> None:
        gradients = run.gradient(run.x + scale * noise.draw(start, stop)).cpu().double()
        first.add_(gradients.sum(dim=0) / count)
        second.add_(gradients.square().sum(dim=0) / count)

    in_chunks(some, count, run.chunk)
    return first, second


def smooth_grad(run: Run, options: Options, layer: str | None) -> Found:
    """|mean gradient| over noisy copies."""
    return _joined(_noisy_moments(run, options)[0].abs(), options["channels"])


def var_grad(run: Run, options: Options, layer: str | None) -> Found:
    """Variance of the gradient over noisy copies."""
    first, second = _noisy_moments(run, options)
    return _joined((second - first.square()).clamp(min=0), options["channels"])


def gradient_shap(run: Run, options: Options, layer: str | None) -> Found:
    """Expected gradients: random baselines, random points on noisy paths.

    The random numbers are drawn as Captum's ``GradientShap`` draws them, from own generators.
    """
    count = options["samples"]
    starts = torch.cat([baseline(kind, run) for kind in AVERAGED["several"]])
    scale, noise = noise_scale(options["noise"], run), NoiseStream(run, options["seed"])
    draws = np.random.RandomState(options["seed"])
    chosen = torch.from_numpy(draws.choice(len(starts), count)).to(run.x.device)
    shares = torch.from_numpy(draws.uniform(0.0, 1.0, count)).to(run.x).view(-1, 1, 1, 1)
    with torch.no_grad():
        ends = run.score(torch.cat([run.x, starts])).double()
    difference = float(ends[0] - ends[1:][chosen].mean())
    total = torch.zeros_like(run.x[0])

    def some(start: int, stop: int) -> None:
        noisy = run.x + scale * noise.draw(start, stop)
        base, share = starts[chosen[start:stop]], shares[start:stop]
        gradients = run.gradient(share * noisy + (1 - share) * base)
        total.add_((gradients * (noisy - base)).sum(dim=0) / count)

    in_chunks(some, count, run.chunk)
    delta = delta_of(total, difference)
    warnings = () if delta < CONVERGED else (NOT_COMPLETE,)
    return summed(total, delta=delta, warnings=warnings)
