"""Maps from the features of a layer, weighed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from captum.attr import LayerActivation
from torch import Tensor, nn

from explorer.attribution.baselines import baseline
from explorer.attribution.found import Found, summed
from explorer.attribution.propagation import guided_gradient
from explorer.attribution.running import Run
from explorer.attribution.spatial import SpatialMap, default_layer, named_layer, outputs_of

Options = dict[str, Any]


def spot_of(run: Run, layer: str | None) -> SpatialMap:
    """The layer that was named, or the last spatial one."""
    module = run.loaded.module
    if layer is not None:
        return named_layer(module, run.forward, run.x, layer)
    return default_layer(module, run.forward, run.x)


def full_size(cam: Tensor, run: Run) -> Tensor:
    """(N, C, h, w) over the image, bilinear."""
    return torch.nn.functional.interpolate(
        cam.detach(), size=run.x.shape[2:], mode="bilinear", align_corners=False
    )


#: Methods that need no other pass than the one that predicts.
_ONE_PASS = ("grad_cam", "grad_cam_plus_plus", "guided_grad_cam")


@contextmanager
def features_kept(run: Run, method: str, layer: str | None) -> Iterator[None]:
    """Keeps the layer's output in ``run.features`` while the network predicts.

    Gradients begin there: what comes before the layer needs none, and the pass that predicts serves
    for the map too.

    Args:
        run: The network, its parameters frozen.
        method: Id; nothing happens for methods that do without features.
        layer: Module path; None for the last spatial one.
    """
    if method not in _ONE_PASS:
        yield
        return
    spot = spot_of(run, layer)

    def keep(part: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        features = output.detach().requires_grad_()
        run.features = spot, features
        return features.clone()  # which the network may change in place

    handle = run.loaded.module.get_submodule(spot.path).register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def _layer_gradient(run: Run) -> tuple[SpatialMap, Tensor, Tensor]:
    """The layer, its output and its gradient, both (1, C, h, w)."""
    assert run.features is not None and run.output is not None  # noqa: PT018 - for mypy
    spot, features = run.features
    gradient = torch.autograd.grad(run.scored(run.output)[0], features)[0]
    return spot, spot.to_nchw(features).detach(), spot.to_nchw(gradient)


def _cam(run: Run) -> tuple[SpatialMap, Tensor]:
    """Grad-CAM without ReLU, (1, 1, h, w); as Captum's, and over tokens the same sum."""
    spot, output, gradient = _layer_gradient(run)
    return spot, (gradient.mean(dim=(2, 3), keepdim=True) * output).sum(dim=1, keepdim=True)


def grad_cam(run: Run, options: Options, layer: str | None) -> Found:
    """Maps weighed with their mean gradient."""
    spot, cam = _cam(run)
    cam = cam.relu() if options["relu"] else cam
    return Found(full_size(cam, run)[0, 0], layer=spot.path)


def grad_cam_plus_plus(run: Run, options: Options, layer: str | None) -> Found:
    """Equations 10 and 19 of Chattopadhyay et al. 2018, with the score as exponent."""
    spot, output, gradient = _layer_gradient(run)
    output, gradient = output.double().cpu(), gradient.double().cpu()
    # g² / (2g² + g³ ΣA), without the squares, which could underflow.
    below = 2 + output.sum(dim=(2, 3), keepdim=True) * gradient
    share = torch.where(below.abs() > 1e-6, 1 / below, 0.0)
    weights = (share * gradient.relu()).sum(dim=(2, 3), keepdim=True)
    cam = (weights * output).sum(dim=1, keepdim=True).relu()
    return Found(full_size(cam, run)[0, 0], layer=spot.path)


def score_cam(run: Run, options: Options, layer: str | None) -> Found:
    """Maps weighed by the softmax of the scores of what they let through, less the baseline's."""
    spot = spot_of(run, layer)
    with torch.no_grad(), outputs_of(run.loaded.module) as outputs:
        run.forward(run.x)
    maps = spot.to_nchw([t for path, _, t in outputs if path == spot.path][-1])[0].detach()
    spread = maps.flatten(1).amax(dim=1) - maps.flatten(1).amin(dim=1)
    order = torch.argsort(spread, descending=True, stable=True)[: options["maps"]]
    order = order[spread[order] > 0]
    if not len(order):
        return Found(torch.zeros_like(run.x[0, 0]), layer=spot.path)
    run.expected = run.passes + 1 + len(order)
    start = baseline(options["baseline"], run)

    def masked(first: int, last: int) -> Tensor:
        masks = full_size(maps[order[first:last]][:, None], run)
        low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
        masks = (masks - low) / (high - low).clamp(min=1e-12)
        return start + masks * (run.x - start)

    with torch.no_grad():
        nothing = run.score(start)
    weights = torch.softmax(run.scores(masked, len(order)) - nothing, dim=0)
    cam = (weights.view(-1, 1, 1) * maps[order]).sum(dim=0).relu()
    return Found(full_size(cam[None, None], run)[0, 0], layer=spot.path)


def guided_grad_cam(run: Run, options: Options, layer: str | None) -> Found:
    """Guided backpropagation times Grad-CAM."""
    gradient, repaired = guided_gradient(run)
    spot, cam = _cam(run)
    fine = full_size(cam.relu(), run)[0] * gradient
    return summed(fine, layer=spot.path, repaired=repaired)


def layer_activation(run: Run, options: Options, layer: str | None) -> Found:
    """How strong the features of a place are."""
    spot = spot_of(run, layer)
    part = run.loaded.module.get_submodule(spot.path)
    output = LayerActivation(run.forward, part).attribute(run.x)
    maps = spot.to_nchw(output).detach().float()
    joined = {
        "norm": lambda: maps.square().sum(dim=1).sqrt(),
        "mean": lambda: maps.abs().mean(dim=1),
        "max": lambda: maps.abs().amax(dim=1),
    }[options["channels"]]()
    return Found(full_size(joined[:, None], run)[0, 0], layer=spot.path)
