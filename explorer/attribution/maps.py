"""Request → map."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.attribution import cams, gradients, perturbations, propagation, relevance, rollout
from explorer.attribution.found import NO_CHANNELS, NOT_CONVERGED, Found
from explorer.attribution.methods import Method, fill_options, find_method
from explorer.attribution.running import Progress, Run, answered, held, out_of_memory, prepare
from explorer.errors import AttributionError, ExplorerError
from explorer.i18n import N_
from explorer.requests import ExplainRequest
from explorer.results import Attribution, FloatArray

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

__all__ = ["COMPUTE", "FLAT", "NOT_CONVERGED", "UNTRAINED", "explain"]

logger = logging.getLogger(__name__)

FLAT = N_("The map is flat: no pixel matters more than another.")
UNTRAINED = N_("The network is untrained, so the map explains noise.")

Compute = Callable[[Run, dict[str, Any], str | None], Found]

#: What computes each method.
COMPUTE: Mapping[str, Compute] = MappingProxyType(
    {
        "saliency": gradients.saliency,
        "input_x_gradient": gradients.input_x_gradient,
        "integrated_gradients": gradients.integrated_gradients,
        "smooth_grad": gradients.smooth_grad,
        "var_grad": gradients.var_grad,
        "gradient_shap": gradients.gradient_shap,
        "deep_lift": propagation.deep_lift,
        "guided_backprop": propagation.guided_backprop,
        "deconvolution": propagation.deconvolution,
        "grad_cam": cams.grad_cam,
        "grad_cam_plus_plus": cams.grad_cam_plus_plus,
        "score_cam": cams.score_cam,
        "guided_grad_cam": cams.guided_grad_cam,
        "layer_activation": cams.layer_activation,
        "occlusion": perturbations.occlusion,
        "feature_ablation": perturbations.feature_ablation,
        "kernel_shap": perturbations.kernel_shap,
        "lime": perturbations.lime,
        "lrp": relevance.lrp,
        "attention_rollout": rollout.attention_rollout,
    }
)


def explain(
    loaded: LoadedModel,
    image: Image.Image,
    request: ExplainRequest,
    progress: Progress | None = None,
) -> Attribution:
    """Why the network gave this class its score.

    Explained is the logit, before softmax, in eval mode (or what the request says). The network is
    put back as it was.

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
    with held(run), torch.enable_grad(), _one_sentence(method, loaded):
        with cams.features_kept(run, method.id, request.layer):
            logits = answered(run)
        _aim(run, request, logits)
        run.tell()
        found = COMPUTE[method.id](run, options, request.layer)
    values = _plain(found.map)
    channels = found.channels if request.channels else None
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
        warnings=_warnings(run, values, found, request),
        also=run.also,
        against=run.against,
        output=request.output,
        repaired=found.repaired,
        channels=None if channels is None else _plain(channels),
    )


def _plain(values: Tensor) -> FloatArray:
    return values.detach().float().cpu().numpy().astype(np.float32)


def _warnings(
    run: Run, values: FloatArray, found: Found, request: ExplainRequest
) -> tuple[str, ...]:
    if not np.isfinite(values).all():
        raise AttributionError(
            N_("The map of {model} holds numbers that are not finite; choose another method."),
            model=run.loaded.spec.name,
        )
    flat = np.ptp(values) <= 1e-6 * np.abs(values).max()
    return (
        *((UNTRAINED,) if run.loaded.untrained else ()),
        *((FLAT,) if flat else ()),
        *((NO_CHANNELS,) if request.channels and found.channels is None else ()),
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
        if out_of_memory(error):
            raise AttributionError(
                N_("There is not enough memory for {method} of {model}; choose a smaller network."),
                **self.values,
            ) from error
        raise AttributionError(
            N_("{method} cannot be computed for {model} ({reason}); choose another method."),
            **self.values,
            reason=(str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200],
        ) from error


def _aim(run: Run, request: ExplainRequest, logits: Tensor) -> None:
    """Sets what is explained."""
    wanted = request.target if request.target is not None else int(logits.argmax())
    run.target = _class(wanted, logits, run.loaded)
    run.also = tuple(_class(number, logits, run.loaded) for number in request.also)
    against = request.against
    run.against = None if against is None else _class(against, logits, run.loaded)
    chosen = (run.target, *run.also, *(() if run.against is None else (run.against,)))
    if len(set(chosen)) < len(chosen):
        raise AttributionError(
            N_("The classes {classes} name one twice; choose different ones."),
            classes=", ".join(str(number) for number in chosen),
        )
    if request.output not in {"logit", "probability"}:
        raise AttributionError(
            N_("The output {output} cannot be explained; choose logit or probability."),
            output=repr(request.output),
        )
    run.probability = request.output == "probability"


def _class(wanted: int, logits: Tensor, loaded: LoadedModel) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 <= wanted < len(logits):
        raise AttributionError(
            N_("{model} has no class {target}; choose a number from 0 to {last}."),
            model=loaded.spec.name,
            target=wanted,
            last=len(logits) - 1,
        )
    return wanted
