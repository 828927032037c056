"""Several classes, "A rather than B", probabilities; and what is left behind by threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.attribution import METHODS, AttributionError, ExplainRequest, explain
from explorer.attribution.running import in_chunks, out_of_memory
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel
from tests.attribution.conftest import picture

LINEAR = ["input_x_gradient", "gradient_shap", "occlusion", "feature_ablation", "lime"]
QUICK: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 6, "adaptive": False},
    "smooth_grad": {"samples": 5},
    "var_grad": {"samples": 5},
    "gradient_shap": {"samples": 5},
    "score_cam": {"maps": 5},
    "occlusion": {"windows": 3},
    "feature_ablation": {"segments": 8},
    "kernel_shap": {"segments": 5, "samples": 12},
    "lime": {"segments": 6, "samples": 12},
}


def quick(method: str, **changes: Any) -> ExplainRequest:
    return ExplainRequest(method, **({"options": QUICK.get(method, {})} | changes))


@pytest.mark.parametrize("method", [*LINEAR, "kernel_shap", "integrated_gradients"])
def test_maps_of_sums_are_sums_of_maps(lenet5: LoadedModel, method: str) -> None:
    image = picture("digit_3")
    three, eight, five = (
        explain(lenet5, image, quick(method, target=n)).map.astype(float) for n in (3, 8, 5)
    )
    several = explain(lenet5, image, quick(method, target=3, also=(8,)))
    rather = explain(lenet5, image, quick(method, target=3, against=5))
    scale = 1e-4 * np.abs(three).max()
    assert several.map == pytest.approx(three + eight, abs=scale)
    assert rather.map == pytest.approx(three - five, abs=scale)
    assert (several.also, rather.against, several.output) == ((8,), 5, "logit")


def test_probability_is_softmax(lenet5: LoadedModel) -> None:
    image = picture("digit_9")
    maps = [
        explain(lenet5, image, quick("input_x_gradient", target=n)).map.astype(float)
        for n in range(10)
    ]
    found = explain(lenet5, image, quick("input_x_gradient", target=4, output="probability"))
    p = found.probabilities.astype(float)
    # d softmax_4 = p_4 (d z_4 − Σ p_k d z_k)
    expected = p[4] * (maps[4] - sum(p[k] * maps[k] for k in range(10)))
    assert found.map == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())
    assert found.output == "probability"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"also": (10,)}, "no class 10; choose a number from 0 to 9"),
        ({"against": -1}, "no class -1"),
        ({"target": 3, "against": 3}, "classes 3, 3 name one twice"),
        ({"target": 3, "also": (4, 4)}, "classes 3, 4, 4 name one twice"),
        ({"output": "loss"}, "output 'loss' cannot be explained"),
    ],
)
def test_what_cannot_be_a_target(lenet5: LoadedModel, changes: Any, match: str) -> None:
    with pytest.raises(AttributionError, match=match):
        explain(lenet5, picture("digit_3"), quick("saliency", **changes))


# --- memory and threads --------------------------------------------------------------------------


class Tight(nn.Module):
    """Has memory for two images at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.relu1 = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(4, 6, 3), nn.ReLU()
        self.head = nn.Linear(6, 4)
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return self.head(self.relu2(self.conv2(self.relu1(self.conv1(x)))).mean(dim=(2, 3)))


@pytest.mark.parametrize("method", [method for method in METHODS if QUICK.get(method)])
def test_without_memory_for_a_batch_smaller_ones_are_taken(network_of: Any, method: str) -> None:
    image = picture("coffee")
    wide = explain(network_of(Tight(99)), image, quick(method)).map
    # GradientSHAP runs the image and its three baselines together, which needs memory for four.
    tight = explain(network_of(Tight(4 if method == "gradient_shap" else 2)), image, quick(method))
    assert tight.map == pytest.approx(wide, abs=1e-4 * float(np.abs(wide).max()))


def test_chunks_are_halved_and_other_errors_pass() -> None:
    seen = []

    def call(start: int, stop: int) -> None:
        if stop - start > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 GiB")
        seen.append((start, stop))

    in_chunks(call, 7, 5)
    assert seen == [(0, 2), (2, 4), (4, 6), (6, 7)]
    assert not out_of_memory(RuntimeError("shapes do not fit"))

    def broken(start: int, stop: int) -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        in_chunks(broken, 7, 5)


def test_two_threads_on_one_model_give_the_maps_of_lone_runs(lenet5: LoadedModel) -> None:
    wanted = [method for method in METHODS if method != "attention_rollout"]
    images = {digit: picture(f"digit_{digit}") for digit in (3, 8)}
    lone = {
        (digit, method): explain(lenet5, image, quick(method)).map
        for digit, image in images.items()
        for method in wanted
    }
    found: dict[tuple[int, str], np.ndarray] = {}
    lock, start = threading.Lock(), threading.Barrier(2)

    def work(digit: int) -> None:
        start.wait(timeout=60)
        for method in wanted:
            with lock:  # as the pool of models does
                found[digit, method] = explain(lenet5, images[digit], quick(method)).map

    threads = [threading.Thread(target=work, args=(digit,)) for digit in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert found.keys() == lone.keys()
    assert all(np.array_equal(found[key], lone[key]) for key in lone)


def test_two_networks_at_once_do_not_share_random_numbers(network_of: Any) -> None:
    image, methods = picture("coffee"), ["smooth_grad", "gradient_shap", "kernel_shap", "lime"]
    networks = [network_of(Tight(99)), network_of(Tight(99))]
    lone = {method: explain(networks[0], image, quick(method)).map for method in methods}
    found: list[dict[str, np.ndarray]] = [{}, {}]

    def work(number: int) -> None:
        for method in methods:
            found[number][method] = explain(networks[number], image, quick(method)).map

    state = torch.get_rng_state()
    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert all(np.array_equal(one[method], lone[method]) for one in found for method in methods)
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_a_share_of_the_range_of_the_image(lenet5: LoadedModel) -> None:
    from explorer.attribution.baselines import noise_scale
    from explorer.attribution.running import prepare

    run = prepare(lenet5, picture("digit_3"))
    _, crop = preprocess(picture("digit_3"), lenet5.preprocessing)
    # σ on the 0…1 scale is the share of (darkest to lightest); normalised, it is divided by std.
    span = (int(crop.max()) - int(crop.min())) / 255
    expected = 0.15 * span / lenet5.preprocessing.std[0]
    assert float(noise_scale(0.15, run)) == pytest.approx(expected)
    assert METHODS["smooth_grad"].options[1].default == 0.15
