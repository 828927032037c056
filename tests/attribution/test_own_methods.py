"""Methods that Captum does not have (or has otherwise), against slow references."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution import AttributionError, ExplainRequest, explain
from explorer.attribution.perturbations import coalitions, superpixels
from explorer.catalog import find
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel, load
from tests.attribution.conftest import picture


def assert_same(found: np.ndarray, expected: Any, relative: float = 1e-4) -> None:
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= relative * np.abs(expected).max()


def prepared(loaded: LoadedModel, id: str) -> tuple[Tensor, np.ndarray]:
    return preprocess(picture(id), loaded.preprocessing)


def grey(loaded: LoadedModel, level: float) -> Tensor:
    mean, std = (
        torch.tensor(v).view(1, -1, 1, 1)
        for v in (loaded.preprocessing.mean, loaded.preprocessing.std)
    )
    return ((level - mean) / std).expand(1, *loaded.preprocessing.input_size)


def shown_scores(loaded: LoadedModel, id: str, target: int, sets: np.ndarray) -> np.ndarray:
    """Logits of images of which only some regions are shown, one image at a time."""
    x, crop = prepared(loaded, id)
    labels = superpixels(crop, 6)
    start = grey(loaded, 0.5)
    scores = []
    for shown in sets:
        image = start.clone()
        for region in np.flatnonzero(shown):
            image[:, :, torch.from_numpy(labels == region)] = x[
                :, :, torch.from_numpy(labels == region)
            ]
        with torch.no_grad():
            scores.append(float(loaded.module(image)[0, target]))
    return np.array(scores)


def test_kernel_shap_of_all_coalitions_are_shapley_values(lenet5: LoadedModel) -> None:
    options = {"segments": 6, "samples": 2000}
    result = explain(lenet5, picture("digit_4"), ExplainRequest("kernel_shap", options=options))
    labels = superpixels(prepared(lenet5, "digit_4")[1], 6)
    count = result.options["segments_used"]
    assert count == labels.max() + 1
    sets = np.array(list(itertools.product([False, True], repeat=count)))
    scores = dict(
        zip(map(tuple, sets), shown_scores(lenet5, "digit_4", result.target, sets), strict=True)
    )
    values = np.zeros(count)
    for region in range(count):
        # Shapley 1953: |S|! (n − |S| − 1)! / n! over all sets without the region.
        for shown in sets[~sets[:, region]]:
            size = int(shown.sum())
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            more = shown.copy()
            more[region] = True
            values[region] += weight * (scores[tuple(more)] - scores[tuple(shown)])
    assert_same(result.map, values[labels], 1e-3)
    assert result.delta < 1e-6
    # Half as many samples as sets come close.
    few = ExplainRequest("kernel_shap", options=options | {"samples": 2 ** (count - 1), "seed": 1})
    assert (
        np.corrcoef(explain(lenet5, picture("digit_4"), few).map.ravel(), values[labels].ravel())[
            0, 1
        ]
        > 0.9
    )


def test_coalitions() -> None:
    shown, weights = coalitions(4, 14, 0)  # 2⁴ − 2 = 14 sets
    assert len(shown) == 14
    assert len({tuple(row) for row in shown}) == 14
    # (n − 1) / (C(n, k) k (n − k)): 3 / (4·1·3) for one shown, 3 / (6·2·2) for two.
    assert weights[shown.sum(axis=1) == 1] == pytest.approx(0.25)
    assert weights[shown.sum(axis=1) == 2] == pytest.approx(0.125)
    drawn, equal = coalitions(40, 501, 3)
    assert drawn.shape == (501, 40)
    assert (drawn[:250] == ~drawn[251:501]).all()  # each with its complement
    assert set(equal) == {1.0}
    assert not np.array_equal(drawn, coalitions(40, 501, 4)[0])
    assert len(coalitions(1, 10, 0)[0]) == 0


def test_lime_is_a_weighted_ridge_regression(lenet5: LoadedModel) -> None:
    options = {"segments": 6, "samples": 40, "seed": 5, "width": 0.3}
    result = explain(lenet5, picture("digit_2"), ExplainRequest("lime", options=options))
    labels = superpixels(prepared(lenet5, "digit_2")[1], 6)
    count = labels.max() + 1
    sets = np.random.default_rng(5).random((40, count)) < 0.5
    sets[0] = True
    scores = shown_scores(lenet5, "digit_2", result.target, sets)
    rows, outputs = [], []
    for shown, score in zip(sets, scores, strict=True):
        ones = np.ones(count)
        cosine = shown @ ones / (np.linalg.norm(shown) * np.linalg.norm(ones)) if shown.any() else 0
        weight = math.sqrt(math.exp(-((1 - cosine) ** 2) / 0.3**2))
        rows.append(math.sqrt(weight) * np.append(shown, 1.0))
        outputs.append(math.sqrt(weight) * score)
    # Ridge as further observations of 0, not of the intercept.
    rows += list(np.eye(count, count + 1))
    outputs += [0.0] * count
    values = np.linalg.lstsq(np.array(rows), np.array(outputs), rcond=None)[0][:count]
    assert_same(result.map, values[labels], 1e-3)


def test_superpixels_have_no_gaps_and_follow_the_request() -> None:
    _, crop = preprocess(picture("coffee"), find("resnet18").preprocessing)
    few, many = superpixels(crop, 10), superpixels(crop, 80)
    for labels in (few, many):
        assert labels.shape == (224, 224)
        assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
    assert few.max() < many.max()
    one_colour = superpixels(np.full((32, 32, 3), 9, np.uint8), 4)
    assert one_colour.shape == (32, 32)


def features(loaded: LoadedModel, id: str, target: int) -> tuple[np.ndarray, np.ndarray]:
    """LeNet-5's second ReLU and the gradient of a logit there, both (16, 10, 10)."""
    kept = []
    handle = loaded.module.relu2.register_forward_hook(lambda p, i, output: kept.append(output))
    gradient = torch.autograd.grad(loaded.module(prepared(loaded, id)[0])[0, target], kept[0])[0]
    handle.remove()
    return kept[0][0].detach().double().numpy(), gradient[0].double().numpy()


def enlarged(cam: np.ndarray, loaded: LoadedModel) -> np.ndarray:
    tensor = torch.from_numpy(cam)[None, None]
    size = loaded.preprocessing.input_size[1:]
    return functional.interpolate(tensor, size, mode="bilinear")[0, 0].numpy()


def test_grad_cam_plus_plus(lenet5: LoadedModel) -> None:
    result = explain(lenet5, picture("digit_8"), ExplainRequest("grad_cam_plus_plus"))
    assert result.layer == "relu2"
    maps, gradients = features(lenet5, "digit_8", result.target)
    cam = np.zeros((10, 10))
    for one, gradient in zip(maps, gradients, strict=True):
        weight = 0.0
        for i, j in itertools.product(range(10), repeat=2):
            g = gradient[i, j]
            if g > 0:
                weight += g**2 / (2 * g**2 + one.sum() * g**3) * g
        cam += weight * one
    assert_same(result.map, enlarged(np.maximum(cam, 0), lenet5))


def test_score_cam(lenet5: LoadedModel) -> None:
    options = {"maps": 5, "baseline": "grey"}
    result = explain(lenet5, picture("digit_6"), ExplainRequest("score_cam", options=options))
    maps = features(lenet5, "digit_6", result.target)[0]
    x, start = prepared(lenet5, "digit_6")[0], grey(lenet5, 0.5)
    chosen = sorted(range(len(maps)), key=lambda n: -np.ptp(maps[n]))[:5]
    scores = []
    for number in chosen:
        mask = enlarged(maps[number], lenet5)
        mask = torch.from_numpy((mask - mask.min()) / np.ptp(mask)).float()
        with torch.no_grad():
            scores.append(float(lenet5.module(start + mask * (x - start))[0, result.target]))
    weights = np.exp(np.array(scores) - max(scores))
    weights /= weights.sum()
    cam = np.maximum(sum(w * maps[n] for w, n in zip(weights, chosen, strict=True)), 0)
    assert_same(result.map, enlarged(cam, lenet5), 1e-3)


@pytest.mark.parametrize("heads", ["mean", "max"])
def test_attention_rollout_of_a_vision_transformer(heads: str) -> None:
    loaded = load(find("timm/test_vit"), None, "cpu")
    module = loaded.module
    request = ExplainRequest("attention_rollout", options={"heads": heads})
    result = explain(loaded, picture("coffee"), request)
    # Attention from the queries and keys of every block, by hand.
    kept: list[Tensor] = []
    handles = [
        block.attn.qkv.register_forward_hook(lambda p, i, output: kept.append(output))
        for block in module.blocks
    ]
    with torch.no_grad():
        module(prepared(loaded, "coffee")[0])
    for handle in handles:
        handle.remove()
    flow = None
    for block, qkv in zip(module.blocks, kept, strict=True):
        attention = block.attn
        tokens = qkv.shape[1]
        query, key, _ = (
            part.reshape(tokens, attention.num_heads, -1).permute(1, 0, 2)
            for part in qkv[0].chunk(3, dim=-1)
        )
        scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
        weights = torch.softmax(scores, dim=-1)
        joined = weights.mean(dim=0) if heads == "mean" else weights.amax(dim=0)
        mixed = joined + torch.eye(tokens)
        mixed = mixed / mixed.sum(dim=1, keepdim=True)
        flow = mixed if flow is None else mixed @ flow
    side = math.isqrt(tokens - 1)
    row = flow[0, -side * side :].reshape(side, side).double().numpy()
    assert_same(result.map, enlarged(row, loaded))


class Mixer(nn.Module):
    """Attention of torch's own class over patches, their mean read by the head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(self.patch(x).flatten(2).mT)
        return self.head(self.mix(tokens, tokens, tokens, need_weights=False)[0].mean(dim=1))


def test_attention_rollout_without_class_token(network_of: Any) -> None:
    module = Mixer().eval()
    loaded = network_of(module)
    result = explain(loaded, picture("fig"), ExplainRequest("attention_rollout"))
    x = preprocess(picture("fig"), loaded.preprocessing)[0]
    tokens = module.norm(module.patch(x).flatten(2).mT)
    weights = module.mix(tokens, tokens, tokens)[1][0]  # mean over heads
    mixed = (weights + torch.eye(16)) / 2
    row = mixed.mean(dim=0).reshape(4, 4).detach().double().numpy()
    assert_same(result.map, enlarged(row, loaded))


@pytest.mark.parametrize("id", ["swin_t", "timm/xcit_nano_12_p16_224", "timm/test_convnext"])
def test_attention_rollout_needs_attention_among_all_patches(id: str) -> None:
    with pytest.raises(AttributionError, match="needs attention among all patches"):
        explain(load(find(id), None, "cpu"), picture("coffee"), ExplainRequest("attention_rollout"))
