"""Infidelity and max-sensitivity of a map, through ``captum.metrics``."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from torch import Tensor

from explorer.attribution.baselines import baseline
from explorer.attribution.quality_curves import removed_kind
from explorer.attribution.running import Run
from explorer.results import FloatArray

#: Side of a removed square as a share of the image's.
SQUARE = 0.25
#: Noise is uniform within ± this share of the pixel range.
NOISE = 0.02


def unexplained(run: Run, map: FloatArray, *, samples: int, seed: int = 0) -> float | None:
    """Infidelity as a share of what there is to explain.

    Captum's infidelity, normalised (the map may be scaled by one number), of randomly placed
    squares that are taken out as in the deletion curve, divided by the mean square of the logit's
    change.

    Args:
        run: Network in eval mode, image and target.
        map: (H, W), what each pixel adds to the logit, on any scale.
        samples: Squares.
        seed: Of their places.

    Returns:
        0 (the map's sum over a square tells what its removal does) … 1 (it tells nothing); None
        where no square changes the logit.
    """
    rng = np.random.default_rng(seed)
    _, channels, height, width = run.x.shape
    sides = max(1, round(SQUARE * height)), max(1, round(SQUARE * width))
    removed = baseline(removed_kind(run), run)
    scores: list[Tensor] = []

    def forward(x: Tensor) -> Tensor:
        scores.append(run.forward(x)[:, run.target].float())
        return scores[-1]

    def remove(x: Tensor) -> tuple[Tensor, Tensor]:
        mask = torch.zeros_like(x)
        for one in mask:
            top, left = rng.integers(height - sides[0] + 1), rng.integers(width - sides[1] + 1)
            one[:, top : top + sides[0], left : left + sides[1]] = 1
        return mask, torch.where(mask > 0, removed, x)

    spread = torch.from_numpy(map / channels).to(run.x).expand(1, channels, -1, -1)
    with torch.no_grad():
        found = infidelity(
            forward,
            remove,
            run.x,
            spread,
            n_perturb_samples=samples,
            max_examples_per_batch=min(run.forward_chunk, samples),
            normalize=True,
        )
    # Captum runs a batch of changed images, then the image itself, and so on.
    changes = torch.cat([whole - part for part, whole in zip(scores[::2], scores[1::2])])  # noqa: B905 - pairs
    power = float(changes.double().square().mean())
    return min(1.0, max(0.0, float(found) / power)) if power > 0 else None


def sensitivity(
    crop: FloatArray, explained: Callable[[FloatArray], FloatArray], *, noises: int, seed: int = 0
) -> float:
    """Captum's max-sensitivity: the largest ‖change of the map‖ / ‖map‖ under uniform noise.

    Args:
        crop: (H, W, 3) on the 0…1 scale; of grey networks, three equal channels.
        explained: A crop → its map (H, W).
        noises: Noisy images.
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    grey = bool((crop == crop[..., :1]).all())

    def noisy(x: Tensor) -> Tensor:
        shape = (*x.shape[:-1], 1) if grey else tuple(x.shape)
        noise = torch.from_numpy(rng.uniform(-NOISE, NOISE, shape)).to(x)
        return (x + noise).clamp(0, 1)

    def maps(x: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        # Captum hands the first one over in a tuple, and wants one back.
        images = x[0] if isinstance(x, tuple) else x
        found = torch.stack([torch.from_numpy(explained(one.numpy())) for one in images])
        return (found,) if isinstance(x, tuple) else found

    found = sensitivity_max(
        maps,
        torch.from_numpy(np.ascontiguousarray(crop))[None],
        perturb_func=noisy,
        n_perturb_samples=noises,
        max_examples_per_batch=1,
    )
    return float(cast(Tensor, found).max())
