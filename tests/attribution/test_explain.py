from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
from PIL import Image
from torch import Tensor, nn

from explorer.attribution import METHODS, AttributionError, ExplainRequest, explain
from explorer.attribution.maps import FLAT, NOT_CONVERGED, UNTRAINED
from explorer.errors import JobCancelled
from explorer.images import SAMPLES, open_image, sample_bytes
from explorer.preprocess import preprocess
from explorer.results import Attribution
from explorer.zoo import LoadedModel

QUICK: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 8, "adaptive": False},
    "smooth_grad": {"samples": 3},
    "var_grad": {"samples": 3},
    "gradient_shap": {"samples": 4},
    "score_cam": {"maps": 4},
    "occlusion": {"windows": 4, "overlap": 1},
    "feature_ablation": {"segments": 8},
    "kernel_shap": {"segments": 6, "samples": 20},
    "lime": {"segments": 6, "samples": 20},
}
# The convolutional networks of this file have no attention to roll out.
OF_CNNS = [method for method in METHODS if method != "attention_rollout"]


def picture(id: str) -> Image.Image:
    return open_image(sample_bytes(id))


def request(method: str, **changes: Any) -> ExplainRequest:
    return ExplainRequest(method, **({"options": QUICK.get(method, {})} | changes))


def assert_same(found: np.ndarray, bare: Tensor) -> None:
    expected = bare.detach().numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


# --- equal to bare Captum on the same settings ---------------------------------------------------


def test_saliency_is_captums(network: tuple[LoadedModel, Image.Image]) -> None:
    loaded, image = network
    result = explain(loaded, image, request("saliency"))
    x, _ = preprocess(image, loaded.preprocessing)
    bare = Saliency(loaded.module).attribute(x.requires_grad_(), target=result.target)[0]
    assert_same(result.map, bare.amax(dim=0))
    mean = explain(loaded, image, request("saliency", options={"channels": "mean"}))
    assert_same(mean.map, bare.mean(dim=0))


@pytest.mark.parametrize(("baseline", "level"), [("black", 0.0), ("white", 1.0), ("grey", 0.5)])
def test_integrated_gradients_are_captums(
    network: tuple[LoadedModel, Image.Image], baseline: str, level: float
) -> None:
    loaded, image = network
    options = {"baseline": baseline, "steps": 12, "adaptive": False}
    result = explain(loaded, image, request("integrated_gradients", options=options))
    x, _ = preprocess(image, loaded.preprocessing)
    mean = torch.tensor(loaded.preprocessing.mean).view(1, -1, 1, 1)
    std = torch.tensor(loaded.preprocessing.std).view(1, -1, 1, 1)
    start = ((level - mean) / std).expand_as(x)
    bare, delta = IntegratedGradients(loaded.module).attribute(
        x, baselines=start, target=result.target, n_steps=12, return_convergence_delta=True
    )
    assert_same(result.map, bare[0].sum(dim=0))
    with torch.no_grad():
        ends = loaded.module(torch.cat([x, start]))[:, result.target]
    assert result.delta == pytest.approx(float(delta.abs() / (ends[0] - ends[1]).abs()), rel=1e-2)
    assert result.options["steps_used"] == 12


@pytest.mark.parametrize("relu", [True, False])
def test_grad_cam_is_captums(network: tuple[LoadedModel, Image.Image], relu: bool) -> None:
    loaded, image = network
    # The last spatial maps, written down by hand: LeNet-5's second ReLU, before pooling, 10×10;
    # EfficientNet-Lite0's last convolution with its normalisation and activation, 7×7.
    layer = {"lenet5": "relu2", "tf_efficientnet_lite0": "bn2"}[loaded.spec.id]
    result = explain(loaded, image, request("grad_cam", options={"relu": relu}))
    assert result.layer == layer
    x, _ = preprocess(image, loaded.preprocessing)
    bare = LayerGradCam(loaded.module, loaded.module.get_submodule(layer)).attribute(
        x, target=result.target, relu_attributions=relu
    )
    assert_same(result.map, LayerAttribution.interpolate(bare, x.shape[2:], "bilinear")[0, 0])
    named = explain(loaded, image, request("grad_cam", layer=layer, options={"relu": relu}))
    assert np.array_equal(named.map, result.map)


class Tokens(nn.Module):
    """A tiny vision transformer with a class token, by hand."""

    def __init__(self, prefix: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.first = nn.Parameter(torch.randn(1, prefix, 8))
        self.norm1 = nn.LayerNorm(8)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm2 = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        tokens = torch.cat([self.first.expand(len(x), -1, -1), self.patch(x).flatten(2).mT], dim=1)
        tokens = self.norm1(tokens)  # (1, prefix + 16, 8)
        tokens = self.mix(tokens, tokens, tokens, need_weights=False)[0]
        return self.head(self.norm2(tokens)[:, 0])


@pytest.mark.parametrize("prefix", [1, 2])
def test_grad_cam_of_tokens_by_hand(network_of: Any, prefix: int) -> None:
    module = Tokens(prefix).eval()
    loaded = network_of(module)
    result = explain(loaded, picture("fig"), request("grad_cam", target=3))
    # Norm2 has no gradient except at the class token, so the layer before attention is taken.
    assert result.layer == "norm1"
    x, _ = preprocess(picture("fig"), loaded.preprocessing)
    kept = []
    handle = module.norm1.register_forward_hook(lambda part, inputs, output: kept.append(output))
    gradient = torch.autograd.grad(module(x)[0, 3], kept[0])[0][0, prefix:]  # (16, 8)
    handle.remove()
    cam = (kept[0][0, prefix:] * gradient.mean(dim=0)).sum(dim=1).relu().reshape(1, 1, 4, 4)
    assert_same(result.map, nn.functional.interpolate(cam, (16, 16), mode="bilinear")[0, 0])


# --- what is said about a map --------------------------------------------------------------------


def test_result_says_what_it_is(lite0: LoadedModel) -> None:
    result = explain(lite0, picture("coffee"), request("grad_cam"))
    assert result.model == "tf_efficientnet_lite0"
    assert result.weights == lite0.weights.id
    assert result.target == 967  # espresso
    assert result.map.shape == (224, 224)
    assert result.map.dtype == np.float32
    assert result.crop.shape == (224, 224, 3)
    assert result.probabilities.shape == (1000,)
    assert result.probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert result.warnings == ()
    assert pickle.loads(pickle.dumps(result)).target == 967


# Boxes read off the pictures as the network sees them, in shares of the frame: (top, bottom, left,
# right) of the cup, of the rocket with its tower, and of the helmet in the lower right corner.
BOXES = {
    "coffee": (967, (0.02, 0.62, 0.25, 0.75)),  # espresso
    "rocket": (657, (0.25, 1.0, 0.30, 0.70)),  # missile
    "astronaut": (560, (0.68, 1.0, 0.54, 1.0)),  # football helmet
}


@pytest.mark.parametrize(("method", "least"), [("grad_cam", 1.5), ("integrated_gradients", 1.0)])
@pytest.mark.parametrize("id", BOXES)
def test_maps_find_the_thing(lite0: LoadedModel, id: str, method: str, least: float) -> None:
    target, (top, bottom, left, right) = BOXES[id]
    result = explain(lite0, picture(id), request(method, target=target))
    box = np.zeros((224, 224), bool)
    box[int(top * 224) : int(bottom * 224), int(left * 224) : int(right * 224)] = True
    assert box.mean() < 0.4
    positive = np.maximum(result.map, 0)
    assert positive[box].sum() / positive.sum() > least * box.mean()


def test_another_class_gives_another_map(lenet5: LoadedModel) -> None:
    maps = [
        explain(lenet5, picture("digit_7"), request("saliency", target=target)).map
        for target in (7, 1)
    ]
    assert not np.allclose(*maps)


def test_integrated_gradients_take_more_steps_until_converged(lenet5: LoadedModel) -> None:
    few = {"steps": 2, "adaptive": False, "baseline": "black"}
    coarse = explain(lenet5, picture("digit_3"), request("integrated_gradients", options=few))
    assert coarse.delta > 0.02
    assert coarse.warnings == (NOT_CONVERGED,)
    options = {"steps": 2, "baseline": "black"}
    fine = explain(lenet5, picture("digit_3"), request("integrated_gradients", options=options))
    assert fine.delta < 0.02
    assert fine.warnings == ()
    assert fine.options["steps_used"] in {4, 8, 16, 32, 64, 128, 200}
    # Completeness: the map sums to the difference of the two logits, within the delta.
    module, (x, _) = lenet5.module, preprocess(picture("digit_3"), lenet5.preprocessing)
    mean, std = lenet5.preprocessing.mean[0], lenet5.preprocessing.std[0]
    with torch.no_grad():
        ends = module(torch.cat([x, torch.full_like(x, -mean / std)]))[:, fine.target]
    difference = float(ends[0] - ends[1])
    assert fine.map.sum() == pytest.approx(difference, rel=0.02)


def test_steps_end_at_the_limit_and_it_is_said(lenet5: LoadedModel) -> None:
    options = {"steps": 2, "max_steps": 3}
    result = explain(lenet5, picture("digit_3"), request("integrated_gradients", options=options))
    assert result.options["steps_used"] == 3
    assert (result.delta < 0.02) == (result.warnings == ())


def test_baselines_differ_and_are_images(lenet5: LoadedModel) -> None:
    maps = []
    for baseline in ("black", "white", "grey", "mean", "blurred"):
        options = {"baseline": baseline, "steps": 20, "adaptive": False}
        result = explain(
            lenet5, picture("digit_3"), request("integrated_gradients", options=options)
        )
        maps.append(result.map)
    for n, one in enumerate(maps):
        for other in maps[n + 1 :]:
            assert not np.allclose(one, other, atol=1e-4)
    # Where the picture is black, a black baseline changes nothing on the way.
    _, crop = preprocess(picture("digit_3"), lenet5.preprocessing)
    assert (maps[0][crop[:, :, 0] == 0] == 0).all()


@pytest.mark.parametrize(
    ("choice", "kinds"),
    [("black_white", ("black", "white")), ("several", ("black", "white", "blurred"))],
)
def test_choices_of_several_baselines_are_means_of_their_maps(
    network: tuple[LoadedModel, Image.Image], choice: str, kinds: tuple[str, ...]
) -> None:
    loaded, image = network
    fixed = {"steps": 6, "adaptive": False}

    def of(kind: str) -> Attribution:
        options = fixed | {"baseline": kind}
        return explain(loaded, image, request("integrated_gradients", options=options))

    found, alone = of(choice), [of(kind).map for kind in kinds]
    assert_same(found.map, torch.from_numpy(np.mean(alone, axis=0)))
    # Black places get something too, which from black alone they cannot.
    black = (found.crop == 0).all(axis=2)
    if black.any():
        assert not alone[0][black].any()
        assert found.map[black].any()


@pytest.mark.parametrize("baseline", ["white", "black_white", "several"])
def test_price_of_integrated_gradients_is_what_is_run(network_of: Any, baseline: str) -> None:
    module, method = Small(), METHODS["integrated_gradients"]
    options = {"baseline": baseline, "steps": 5, "adaptive": False}
    explain(network_of(module), picture("fig"), request(method.id, options=options))
    assert module.passes == 1 + method.cost.passes(options)[0]


def test_one_colour_gives_a_flat_map_and_it_is_said(network_of: Any) -> None:
    grey = Image.new("RGB", (40, 40), (30, 30, 30))
    options = {"baseline": "mean", "steps": 4}
    result = explain(network_of(Small()), grey, request("integrated_gradients", options=options))
    assert FLAT in result.warnings
    assert not result.map.any()
    assert FLAT not in explain(network_of(Small()), grey, request("saliency")).warnings


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (700, 3)])
@pytest.mark.parametrize("method", OF_CNNS)
def test_odd_sizes_work(lenet5: LoadedModel, method: str, size: tuple[int, int]) -> None:
    result = explain(lenet5, Image.new("RGB", size, "red"), request(method))
    assert result.map.shape == lenet5.preprocessing.input_size[1:]
    assert np.isfinite(result.map).all()


class Small(nn.Module):
    """A convolutional network with an in-place, reused ReLU."""

    def __init__(self, classes: int = 7) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.unused = nn.Conv2d(1, 1, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(6, classes)
        self.fail: Exception | None = None
        self.answer = 1.0
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += len(x)
        if self.fail is not None and self.passes > 1:
            raise self.fail
        x = self.relu(self.conv2(self.relu(self.conv1(x))))
        return self.head(self.pool(x).flatten(1)) * self.answer


@pytest.mark.parametrize("method", OF_CNNS)
def test_untrained_networks_are_explained_and_it_is_said(network_of: Any, method: str) -> None:
    result = explain(network_of(Small()), picture("coffee"), request(method))
    assert result.warnings[0] == UNTRAINED
    assert result.weights is None
    assert np.ptp(result.map) > 0


# --- nothing is left behind ----------------------------------------------------------------------


def state(module: nn.Module) -> tuple[Any, ...]:
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        [part.training for part in module.modules()],
        [len(getattr(part, name)) for part in module.modules() for name in hooks],
        [(p.requires_grad, None if p.grad is None else id(p.grad)) for p in module.parameters()],
        {name: value.clone().tolist() for name, value in module.state_dict().items()},
        torch.is_grad_enabled(),
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["fine", "target", "layer", "cancel", "failure", "nan"])
def test_everything_is_put_back(network_of: Any, method: str, how: str) -> None:
    module = Small()
    loaded = network_of(module)
    module.train()
    module.conv1.eval()
    module.conv2.weight.requires_grad_(False)
    module.head.weight.grad = torch.ones_like(module.head.weight)
    module.head.register_forward_hook(lambda part, inputs, output: None)
    before = state(module)
    calls = 0

    def progress(done: float, total: float) -> None:
        nonlocal calls
        calls += 1
        if how == "cancel" and calls > 1:
            raise JobCancelled("The job was cancelled.")

    wanted = request(method)
    expected: type[Exception] | None = AttributionError
    if how == "target":
        wanted = request(method, target=7)
    elif how == "layer":
        wanted = request(method, layer="nope")
    elif how == "failure":
        module.fail = RuntimeError("broken in the middle")
    elif how == "nan":
        module.answer = float("nan")
    elif how == "cancel":
        expected = JobCancelled
    elif method in OF_CNNS:
        expected = None
    if expected is None:
        explain(loaded, picture("coffee"), wanted, progress)
    else:
        with pytest.raises(expected):
            explain(loaded, picture("coffee"), wanted, progress)
    assert state(module) == before


@pytest.mark.parametrize("method", OF_CNNS)
def test_a_run_after_a_cancelled_one_is_bitwise_the_same(network_of: Any, method: str) -> None:
    loaded = network_of(Small())
    alone = explain(loaded, picture("fig"), request(method)).map

    def cancel(done: float, total: float) -> None:
        if done:
            raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        explain(loaded, picture("fig"), request(method), cancel)
    assert np.array_equal(explain(loaded, picture("fig"), request(method)).map, alone)


def test_progress_rises_to_the_price_of_the_method(lenet5: LoadedModel) -> None:
    seen: list[tuple[float, float]] = []
    options = {"steps": 40, "adaptive": False}
    explain(
        lenet5,
        picture("digit_3"),
        request("integrated_gradients", options=options),
        lambda done, total: seen.append((done, total)),
    )
    done = [step for step, _ in seen]
    assert done == sorted(done)
    # One pass to predict, two for the starts of both paths, then chunks of 16, 16 and 8 steps each.
    assert list(dict.fromkeys(done)) == [0, 1, 3, 19, 35, 43, 59, 75]
    assert seen[-1][1] == 1 + 2 + 2 * 40
    assert all(step <= total for step, total in seen)


# --- one sentence each ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        (ExplainRequest("nope"), "no attribution method named 'nope'"),
        (ExplainRequest("saliency", target=7), "no class 7; choose a number from 0 to 6"),
        (ExplainRequest("saliency", target=-1), "no class -1"),
        (ExplainRequest("saliency", layer="conv1"), "takes no layer, but 'conv1'"),
        (ExplainRequest("saliency", options={"steps": 5}), "no option 'steps'"),
        (ExplainRequest("integrated_gradients", options={"steps": 10**6}), "steps cannot be"),
        (ExplainRequest("integrated_gradients", options={"baseline": "x"}), "baseline cannot be"),
        (ExplainRequest("grad_cam", layer="conv9"), "no layer 'conv9'"),
        (ExplainRequest("grad_cam", layer=""), "no layer ''"),
        (ExplainRequest("grad_cam", layer="head"), r"'head' has no spatial map .*is 7"),
        (ExplainRequest("grad_cam", layer="pool"), r"'pool' has no spatial map .*6×1×1"),
        (ExplainRequest("grad_cam", layer="unused"), "'unused' gives no single tensor"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(
    network_of: Any, wanted: ExplainRequest, match: str
) -> None:
    with pytest.raises(AttributionError, match=match) as caught:
        explain(network_of(Small()), picture("coffee"), wanted)
    assert "\n" not in str(caught.value)


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 16 * 16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.flatten(1))


def test_networks_without_spatial_maps_are_refused_by_grad_cam(network_of: Any) -> None:
    with pytest.raises(AttributionError, match="No layer of this network keeps a spatial map"):
        explain(network_of(Dense()), picture("coffee"), request("grad_cam"))
    assert explain(network_of(Dense()), picture("coffee"), request("saliency")).map.any()


@pytest.mark.parametrize("method", METHODS)
def test_numbers_that_are_not_finite(network_of: Any, method: str) -> None:
    module = Small()
    module.answer = float("nan")
    with pytest.raises(AttributionError, match="not finite"):
        explain(network_of(module), picture("coffee"), request(method))


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("first line\nsecond line"), r"\(first line\); choose another"),
        (NotImplementedError(), r"\(NotImplementedError\)"),
    ],
)
def test_what_torch_raises_is_one_sentence_and_the_log_has_the_rest(
    network_of: Any, error: Exception, match: str, caplog: pytest.LogCaptureFixture
) -> None:
    module = Small()
    module.fail = error
    with pytest.raises(AttributionError, match=match):
        explain(network_of(module), picture("coffee"), request("saliency"))
    assert caplog.records[-1].exc_info is not None


@pytest.mark.parametrize("id", [id for id in SAMPLES if id.startswith("digit_")])
@pytest.mark.parametrize("method", OF_CNNS)
def test_every_digit_is_explained(lenet5: LoadedModel, id: str, method: str) -> None:
    result = explain(lenet5, picture(id), request(method))
    assert np.ptp(result.map) > 0


@pytest.mark.gpu
@pytest.mark.parametrize("method", OF_CNNS)
def test_maps_on_a_gpu_are_those_of_the_cpu(lenet5: LoadedModel, method: str) -> None:
    from dataclasses import replace

    device = torch.accelerator.current_accelerator()
    expected = explain(lenet5, picture("digit_3"), request(method)).map
    loaded = replace(lenet5, module=lenet5.module.to(device), device=device)
    try:
        found = explain(loaded, picture("digit_3"), request(method)).map
    finally:
        lenet5.module.cpu()
    assert np.abs(found - expected).max() <= 1e-2 * np.abs(expected).max()
