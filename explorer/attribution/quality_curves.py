"""Deletion and insertion curves: places change in the order of the map, and in random orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.attribution.baselines import baseline
from explorer.attribution.quality_ranks import over_squares, squares
from explorer.attribution.running import Run
from explorer.results import FloatArray, PerturbationCurve

#: What is seen before places are put in.
UNSEEN = "blurred"


def removed_kind(run: Run) -> str:
    """The baseline that places taken out show.

    The photo, blurred: a patch of one colour in a photo is an edge where none was, and scattered
    ones look like noise, which would flatter every random order. A blurred digit can still be read:
    networks of one channel see their mean instead.
    """
    return "blurred" if run.x.shape[1] > 1 else "mean"


#: Of the random orders, and of the order of places that a map ties.
SEED = 0


def curves(
    run: Run,
    map: FloatArray,
    *,
    steps: int,
    orders: int,
    random: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[PerturbationCurve, PerturbationCurve]:
    """Deletion and insertion of squares, by the map and in random orders.

    After V. Petsiuk, A. Das, K. Saenko, RISE, BMVC 2018, with squares instead of pixels.

    Args:
        run: Network in eval mode, image and target.
        map: (H, W), positive speaks for the class.
        steps: Points after the first.
        orders: Random orders.
        random: The scores of the random orders (deletion, insertion) where they are there from
            another map of this image and target with as many steps and orders: they do not depend
            on the map.

    Returns:
        (deletion, insertion).
    """
    rng = np.random.default_rng(SEED)
    where = squares(*map.shape)
    values = over_squares(map)
    # Ties (Grad-CAM's zeros) are broken by chance: reading order would favour the upper left.
    ranks = [_ranks(np.lexsort((rng.random(len(values)), -values)))]
    if random is None:
        ranks += [rng.permutation(len(values)) for _ in range(orders)]
    shares = np.linspace(0, 1, steps + 1, dtype=np.float32)
    removed, unseen = baseline(removed_kind(run), run), baseline(UNSEEN, run)
    deletion = np.stack([_scores(run, rank[where], shares, (run.x, removed)) for rank in ranks])
    insertion = np.stack([_scores(run, rank[where], shares, (unseen, run.x)) for rank in ranks])
    by_chance = (deletion[1:], insertion[1:]) if random is None else random
    return (
        PerturbationCurve(shares, deletion[0], by_chance[0], removes=True),
        PerturbationCurve(shares, insertion[0], by_chance[1], removes=False),
    )


def _ranks(order: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    ranks = np.empty(len(order), np.intp)
    ranks[order] = np.arange(len(order))
    return ranks


def _scores(
    run: Run, rank: npt.NDArray[Any], shares: FloatArray, ends: tuple[Tensor, Tensor]
) -> FloatArray:
    """Probability of the target while pixels of low rank change from the first end to the second.

    Args:
        run: Network, image, target.
        rank: (H, W) of each pixel's square.
        shares: (S + 1,) of the squares that have changed.
        ends: Inputs (1, C, H, W) before and after.
    """
    count = int(rank.max()) + 1
    cuts = np.rint(shares * count)
    place = torch.from_numpy(np.ascontiguousarray(rank)).to(run.x.device)
    found = []
    size = run.forward_chunk
    for first in range(0, len(cuts), size):
        part = cuts[first : first + size]
        batch = torch.cat([torch.where(place < int(cut), ends[1], ends[0]) for cut in part])
        with torch.no_grad():
            probability = torch.softmax(run.forward(batch).float(), dim=1)[:, run.target]
        found.append(probability.cpu().numpy())
    return np.concatenate(found).astype(np.float32)
