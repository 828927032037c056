"""Request → map: the methods, through Captum."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Saliency
from PIL import Image
from torch import Tensor

from explorer.attribution.baselines import baseline
from explorer.attribution.methods import Method, fill_options, find_method
from explorer.attribution.running import Progress, Run, logits_of, prepare
from explorer.attribution.spatial import SpatialMap, default_layer, named_layer, outputs_of
from explorer.errors import AttributionError, ExplorerError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.requests import ExplainRequest
from explorer.results import Attribution

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

logger = logging.getLogger(__name__)

#: Completeness delta under which integrated gradients count as converged.
CONVERGED = 0.02

FLAT = N_("The map is flat: no pixel matters more than another.")
UNTRAINED = N_("The network is untrained, so the map explains noise.")
NOT_CONVERGED = N_(
    "Not converged: the completeness delta is over 2 %; raise the number of steps, or read the map "
    "with care."
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a method hands back.

    Attributes:
        map: (H, W), any device.
        delta: Completeness delta, relative.
        layer: Module path.
        extra: What was found out about the options ("steps_used").
        warnings: Sentences.
    """

    map: Tensor
    delta: float | None = None
    layer: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()


def explain(
    loaded: LoadedModel,
    image: Image.Image,
    request: ExplainRequest,
    progress: Progress | None = None,
) -> Attribution:
    """Why the network gave this class its score.

    Explained is the logit, before softmax, in eval mode. The network is put back as it was.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright (``open_image``).
        request: Method, class, layer and options.
        progress: Called with (passes done, passes expected) before every chunk of passes; what it
            raises ends the computation and passes through.

    Raises:
        AttributionError: Method, class, layer or option that does not exist; a network that cannot
            be explained in this way; not enough memory.
    """
    method = find_method(request.method)
    options = fill_options(method, request.options)
    if request.layer is not None and "layer" not in method.needs:
        raise AttributionError(
            N_("{method} takes no layer, but {layer} was given; leave it out."),
            method=method.name,
            layer=repr(request.layer),
        )
    start = time.perf_counter()
    run = prepare(loaded, image, progress)
    forward, backward = method.cost.passes(options)
    run.expected = 1 + forward + backward
    with preserved(loaded.module), torch.enable_grad(), _one_sentence(method, loaded):
        logits = logits_of(run)
        run.target = _target(request.target, logits, loaded)
        found = _COMPUTE[method.id](run, options, request.layer)
    values = found.map.detach().float().cpu().numpy().astype(np.float32)
    return Attribution(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        method=method.id,
        map=values,
        target=run.target,
        probabilities=torch.softmax(logits, dim=0).cpu().numpy().astype(np.float32),
        crop=run.crop,
        delta=found.delta,
        layer=found.layer,
        options=options | dict(found.extra),
        seconds=time.perf_counter() - start,
        warnings=_warnings(run, values, found),
    )


def _warnings(run: Run, values: np.ndarray[Any, Any], found: Found) -> tuple[str, ...]:
    if not np.isfinite(values).all():
        raise AttributionError(
            N_("The map of {model} holds numbers that are not finite; choose another method."),
            model=run.loaded.spec.name,
        )
    flat = np.ptp(values) <= 1e-6 * np.abs(values).max()
    return (
        *((UNTRAINED,) if run.loaded.untrained else ()),
        *((FLAT,) if flat else ()),
        *found.warnings,
    )


class _one_sentence:  # noqa: N801 - used like a function
    """What torch and Captum raise, as an error with one sentence; the log has the traceback."""

    def __init__(self, method: Method, loaded: LoadedModel) -> None:
        self.values = {"method": method.name, "model": loaded.spec.name}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, ExplorerError) or not isinstance(error, Exception):
            return
        logger.error("%(method)s of %(model)s failed", self.values, exc_info=error)
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise AttributionError(
                N_("There is not enough memory for {method} of {model}; choose a smaller network."),
                **self.values,
            ) from error
        raise AttributionError(
            N_("{method} cannot be computed for {model} ({reason}); choose another method."),
            **self.values,
            reason=(str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200],
        ) from error


def _target(wanted: int | None, logits: Tensor, loaded: LoadedModel) -> int:
    if wanted is None:
        return int(logits.argmax())
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 <= wanted < len(logits):
        raise AttributionError(
            N_("{model} has no class {target}; choose a number from 0 to {last}."),
            model=loaded.spec.name,
            target=wanted,
            last=len(logits) - 1,
        )
    return wanted


def _saliency(run: Run, options: dict[str, Any], layer: str | None) -> Found:
    gradient = Saliency(run.forward).attribute(_leaf(run.x), target=run.target, abs=True)[0]
    channels = gradient.amax(dim=0) if options["channels"] == "max" else gradient.mean(dim=0)
    return Found(channels)


def _integrated_gradients(run: Run, options: dict[str, Any], layer: str | None) -> Found:
    start = baseline(options["baseline"], run)
    with torch.no_grad():
        ends = run.forward(torch.cat([run.x, start]))[:, run.target].double()
    difference = float(ends[0] - ends[1])
    method = IntegratedGradients(run.forward)
    steps = options["steps"]
    while True:
        run.expected = run.passes + steps
        attribution = method.attribute(
            _leaf(run.x),
            baselines=start,
            target=run.target,
            n_steps=steps,
            internal_batch_size=run.chunk,
        )[0].detach()
        delta = abs(float(attribution.double().sum()) - difference) / max(abs(difference), 1e-6)
        if delta < CONVERGED or not options["adaptive"] or steps >= options["max_steps"]:
            break
        steps = min(2 * steps, options["max_steps"])
    return Found(
        attribution.sum(dim=0),
        delta=delta,
        extra=(("steps_used", steps),),
        warnings=() if delta < CONVERGED else (NOT_CONVERGED,),
    )


def _grad_cam(run: Run, options: dict[str, Any], layer: str | None) -> Found:
    module = run.loaded.module
    spot = (
        default_layer(module, run.forward, run.x, run.target)
        if layer is None
        else named_layer(module, run.forward, run.x, layer)
    )
    if spot.layout == "nchw":
        cam = LayerGradCam(run.forward, module.get_submodule(spot.path)).attribute(
            _leaf(run.x), target=run.target, relu_attributions=options["relu"]
        )
    else:
        cam = _token_cam(run, spot)
        cam = cam.relu() if options["relu"] else cam
    size = (run.x.shape[2], run.x.shape[3])
    full = torch.nn.functional.interpolate(
        cam.detach(), size=size, mode="bilinear", align_corners=False
    )
    return Found(full[0, 0], layer=spot.path)


def _token_cam(run: Run, spot: SpatialMap) -> Tensor:
    """Grad-CAM where channels come last, (1, 1, h, w): the same sum over reshaped tokens."""
    with outputs_of(run.loaded.module) as outputs:
        score = run.forward(_leaf(run.x))[0, run.target]
        output = [tensor for path, _, tensor in outputs if path == spot.path][-1]
        gradient = torch.autograd.grad(score, output)[0]
    weights = spot.to_nchw(gradient).mean(dim=(2, 3), keepdim=True)
    return (weights * spot.to_nchw(output)).sum(dim=1, keepdim=True)


def _leaf(x: Tensor) -> Tensor:
    """A copy that gradients can be taken with respect to."""
    return x.detach().clone().requires_grad_()


_COMPUTE: dict[str, Callable[[Run, dict[str, Any], str | None], Found]] = {
    "saliency": _saliency,
    "integrated_gradients": _integrated_gradients,
    "grad_cam": _grad_cam,
}
