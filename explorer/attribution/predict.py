"""What a network says of an image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from explorer.attribution.running import Run, logits_of, prepare
from explorer.errors import AttributionError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.results import ClassScore, Prediction

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel


_PATIENCE = 3.0  # seconds; a slower pass is not made twice


def predict(loaded: LoadedModel, image: Image.Image, top_k: int = 5) -> Prediction:
    """The most probable classes of an image.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright (``open_image``).
        top_k: Classes to name; all where the network has fewer.

    Raises:
        AttributionError: ``top_k`` is under 1, or the logits are not finite.
    """
    if top_k < 1:
        raise AttributionError(
            N_("The number of classes to name cannot be {value}; choose 1 or more."), value=top_k
        )
    run = prepare(loaded, image)
    with preserved(loaded.module):
        logits, seconds = _timed(run)
        if seconds < _PATIENCE:
            # The first pass of a network also pays for buffers and kernels; prices need the second.
            seconds = min(seconds, _timed(run)[1])
    probabilities = torch.softmax(logits, dim=0)
    best = torch.topk(logits, min(top_k, len(logits))).indices.tolist()
    return Prediction(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        top=tuple(
            ClassScore(
                index=index,
                label=loaded.labels[index],
                probability=float(probabilities[index]),
                logit=float(logits[index]),
            )
            for index in best
        ),
        crop=run.crop,
        seconds=seconds,
        device=str(loaded.device),
    )


def _timed(run: Run) -> tuple[Tensor, float]:
    """Logits on the CPU, and the seconds of the pass."""
    start = time.perf_counter()
    logits = logits_of(run).cpu()  # waits for the device
    return logits, time.perf_counter() - start
