"""Maps from scores of images of which parts are hidden, in batches."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from skimage.segmentation import slic
from torch import Tensor

from explorer.attribution.baselines import baseline
from explorer.attribution.found import Found, delta_of
from explorer.attribution.running import Run

Options = dict[str, Any]
Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


def superpixels(crop: Pixels, count: int) -> Labels:
    """(H, W) region numbers from 0 without gaps; SLIC of Achanta et al. 2012 in CIELAB."""
    found = slic(crop, n_segments=count, compactness=10, sigma=1, start_label=0, channel_axis=-1)
    numbers = np.unique(found, return_inverse=True)[1]
    return numbers.reshape(found.shape).astype(np.int64)


def occlusion(run: Run, options: Options, layer: str | None) -> Found:
    """Mean fall of the score over the squares that hide a pixel; as Captum, in larger batches."""
    height, width = run.x.shape[2:]
    side = max(1, round(min(height, width) / options["windows"]))
    stride = max(1, round(side / options["overlap"]))
    rows = range(0, max(height - side, 0) + stride, stride)
    columns = range(0, max(width - side, 0) + stride, stride)
    places = [(slice(r, r + side), slice(c, c + side)) for r in rows for c in columns]
    run.expected = run.passes + 1 + len(places)
    start = baseline(options["baseline"], run)

    def hidden(first: int, last: int) -> Tensor:
        images = run.x.repeat(last - first, 1, 1, 1)
        for image, place in zip(images, places[first:last], strict=True):
            image[:, place[0], place[1]] = start[0, :, place[0], place[1]]
        return images

    falls = run.scores(lambda a, b: run.x, 1) - run.scores(hidden, len(places))
    total = torch.zeros(height, width, dtype=torch.float64)
    times = torch.zeros_like(total)
    for place, fall in zip(places, falls.tolist(), strict=True):
        total[place] += fall
        times[place] += 1
    return Found(total / times)


class _Regions:
    """Superpixels that are shown or hidden."""

    def __init__(self, run: Run, options: Options) -> None:
        labels = superpixels(run.crop, options["segments"])
        self.labels = torch.from_numpy(labels).to(run.x.device)
        self.count = int(labels.max()) + 1
        self.run = run
        self.start = baseline(options["baseline"], run)

    def scores(self, shown: npt.NDArray[np.bool_]) -> Float:
        """Scores of images of which these regions are shown, (N,), from (N, regions)."""
        flags = torch.from_numpy(shown).to(self.run.x.device)

        def images(first: int, last: int) -> Tensor:
            seen = flags[first:last][:, self.labels][:, None]  # (n, 1, H, W)
            return torch.where(seen, self.run.x, self.start)

        self.run.expected = self.run.passes + len(shown)
        return self.run.scores(images, len(shown)).double().cpu().numpy()

    def spread(self, values: Float) -> Tensor:
        """One value a region → (H, W)."""
        return torch.from_numpy(values)[self.labels.cpu()]


def feature_ablation(run: Run, options: Options, layer: str | None) -> Found:
    """Fall of the score when one superpixel is hidden; as Captum."""
    regions = _Regions(run, options)
    shown = np.ones((regions.count + 1, regions.count), bool)
    shown[np.arange(1, regions.count + 1), np.arange(regions.count)] = False
    scores = regions.scores(shown)
    return Found(regions.spread(scores[0] - scores[1:]), extra=(("segments_used", regions.count),))


def coalitions(count: int, samples: int, seed: int) -> tuple[npt.NDArray[np.bool_], Float]:
    """Sets of shown regions, (N, count), and their weights in the regression, (N,).

    All of them with the Shapley kernel's weights where there are no more than samples; else drawn
    by these weights, each with its complement (Covert & Lee 2021, arXiv:2012.01536).
    """
    if count < 2:
        return np.zeros((0, count), bool), np.zeros(0)
    if count < 30 and 2**count - 2 <= samples:
        shown = np.array(list(itertools.product([False, True], repeat=count)))[1:-1]
        sizes = shown.sum(axis=1)
        ways = np.array([math.comb(count, int(k)) for k in sizes])
        return shown, (count - 1) / (ways * sizes * (count - sizes))
    draws = np.random.default_rng(seed)
    sizes = np.arange(1, count)
    chance = 1 / (sizes * (count - sizes))
    half = (samples + 1) // 2
    shown = np.zeros((half, count), bool)
    for row, size in zip(shown, draws.choice(sizes, half, p=chance / chance.sum()), strict=True):
        row[draws.permutation(count)[:size]] = True
    both = np.concatenate([shown, ~shown])[:samples]
    return both, np.ones(len(both))


def kernel_shap(run: Run, options: Options, layer: str | None) -> Found:
    """Shapley values of superpixels by weighted regression that keeps the sum (Lundberg 2017)."""
    regions = _Regions(run, options)
    count = regions.count
    shown, weights = coalitions(count, options["samples"], options["seed"])
    ends = np.stack([np.zeros(count, bool), np.ones(count, bool)])
    scores = regions.scores(np.concatenate([ends, shown]))
    nothing, difference = scores[0], scores[1] - scores[0]
    values = np.array([difference])
    if count > 1:
        root = np.sqrt(weights)
        last = shown[:, -1].astype(float)
        inputs = (shown[:, :-1] - last[:, None]) * root[:, None]
        outputs = (scores[2:] - nothing - last * difference) * root
        first = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
        values = np.append(first, difference - first.sum())
    return Found(
        regions.spread(values),
        delta=delta_of(torch.from_numpy(values), float(difference)),
        extra=(("segments_used", count),),
    )


def lime(run: Run, options: Options, layer: str | None) -> Found:
    """Ridge regression (strength 1) of the scores on which superpixels are shown.

    Weights are √exp(−d²/width²), d the cosine distance from "all shown", as in the authors' code.
    """
    regions = _Regions(run, options)
    draws = np.random.default_rng(options["seed"])
    shown = draws.random((options["samples"], regions.count)) < 0.5
    shown[0] = True
    scores = regions.scores(shown)
    distance = 1 - np.sqrt(shown.mean(axis=1))
    weights = np.sqrt(np.exp(-((distance / options["width"]) ** 2)))
    inputs: Float = shown - np.average(shown, axis=0, weights=weights)
    outputs = scores - np.average(scores, weights=weights)
    gram = inputs.T @ (weights[:, None] * inputs) + np.eye(regions.count)
    values = np.linalg.solve(gram, inputs.T @ (weights * outputs))
    return Found(regions.spread(values), extra=(("segments_used", regions.count),))
