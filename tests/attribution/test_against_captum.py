"""Methods that Captum has, against bare Captum on the same settings."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import (
    LRP,
    Deconvolution,
    DeepLift,
    FeatureAblation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    LayerActivation,
    LayerAttribution,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule
from PIL import Image
from torch import Tensor, nn

from explorer.attribution import ExplainRequest, explain
from explorer.attribution.baselines import BLUR
from explorer.attribution.perturbations import superpixels
from explorer.attribution.rectifiers import POOLED
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel
from tests.attribution.conftest import picture

Network = tuple[LoadedModel, Image.Image]
LAYERS = {"lenet5": "relu2", "tf_efficientnet_lite0": "bn2"}


def ours(network: Network, method: str, **options: Any) -> Any:
    return explain(*network, ExplainRequest(method, options=options))


def given(network: Network) -> tuple[Tensor, np.ndarray]:
    return preprocess(network[1], network[0].preprocessing)


def base(network: Network, level: float) -> Tensor:
    """An image of one grey, normalised."""
    preprocessing = network[0].preprocessing
    pixels = torch.full(given(network)[0].shape, level)
    mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
    return (pixels - mean) / torch.tensor(preprocessing.std).view(1, -1, 1, 1)


def blurred(network: Network) -> Tensor:
    from PIL import ImageFilter

    x, crop = given(network)
    radius = BLUR * min(crop.shape[:2])
    soft = Image.fromarray(crop).filter(ImageFilter.GaussianBlur(radius))
    pixels = torch.from_numpy(np.asarray(soft, np.float32) / 255).permute(2, 0, 1)[: x.shape[1]]
    mean = torch.tensor(network[0].preprocessing.mean).view(-1, 1, 1)
    return ((pixels - mean) / torch.tensor(network[0].preprocessing.std).view(-1, 1, 1))[None]


def sigma(network: Network, share: float) -> float:
    """Noise on the normalised input; both networks have one std for all channels."""
    crop = given(network)[1]
    return share * (int(crop.max()) - int(crop.min())) / 255 / network[0].preprocessing.std[0]


def assert_same(found: np.ndarray, bare: Tensor) -> None:
    expected = bare.detach().float().numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_input_x_gradient(network: Network) -> None:
    result = ours(network, "input_x_gradient", baseline="white")
    x, start = given(network)[0], base(network, 1.0)
    module, target = network[0].module, result.target
    # Captum's baseline is 0 of the normalised input: x · g. Ours: (x − b) · g = x · g − b · g.
    bare = InputXGradient(module).attribute(x.requires_grad_(), target=target)
    gradient = Saliency(module).attribute(x, target=target, abs=False)
    assert_same(result.map, (bare - start * gradient)[0].sum(dim=0))


@pytest.mark.parametrize("kind", ["smooth_grad", "var_grad"])
def test_noise_tunnel(network: Network, kind: str) -> None:
    result = ours(network, kind, samples=4, noise=0.2, seed=7)
    x = given(network)[0]
    torch.manual_seed(7)
    bare = NoiseTunnel(Saliency(network[0].module)).attribute(
        x,
        nt_type={"smooth_grad": "smoothgrad", "var_grad": "vargrad"}[kind],
        nt_samples=4,
        nt_samples_batch_size=2,
        stdevs=sigma(network, 0.2),
        target=result.target,
        abs=False,
    )
    assert_same(result.map, bare[0].abs().amax(dim=0))


def test_gradient_shap(network: Network) -> None:
    result = ours(network, "gradient_shap", samples=4, noise=0.1, seed=3)
    starts = torch.cat([base(network, 0.0), base(network, 1.0), blurred(network)])
    torch.manual_seed(3)
    state = np.random.get_state()
    np.random.seed(3)
    bare = GradientShap(network[0].module).attribute(
        given(network)[0],
        baselines=starts,
        n_samples=4,
        stdevs=sigma(network, 0.1),
        target=result.target,
    )
    np.random.set_state(state)
    assert_same(result.map, bare[0].sum(dim=0))


class Capped(nn.Module):
    """ReLU6 of two ReLUs: relu(x) − relu(x − 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        # Captum hangs its hooks on the tensors between modules: none may serve two of them.
        return self.low(x.clone()).clone() - self.high(x - 6)


class Clipped(nn.Module):
    """ReLU6 of one ReLU and a minimum."""

    def __init__(self) -> None:
        super().__init__()
        self.low = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.low(x).clamp(max=6)


class Apart(nn.Module):
    """A ReLU whose output no other module takes: Captum hangs its hooks on the tensor between."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x).clone()


def rebuilt(module: nn.Module, activation: type[nn.Module]) -> nn.Module:
    """A copy that Captum computes rightly: every ReLU6 replaced, every ReLU apart."""
    found = copy.deepcopy(module)
    for part in list(found.modules()):  # before any replacement
        for name, child in part.named_children():
            if isinstance(child, nn.ReLU6):
                setattr(part, name, activation())
            elif isinstance(child, nn.ReLU):
                setattr(part, name, Apart())
    return found.eval()


def test_deep_lift(network: Network) -> None:
    result = ours(network, "deep_lift", baseline="grey")
    bare, delta = DeepLift(rebuilt(network[0].module, Capped)).attribute(
        given(network)[0],
        baselines=base(network, 0.5),
        target=result.target,
        return_convergence_delta=True,
    )
    assert_same(result.map, bare[0].sum(dim=0))
    assert result.delta < 1e-4
    assert abs(float(delta)) < 1e-3 * abs(float(result.map.sum()))


def test_deep_lift_where_captum_mixes_up_relu_and_pooling(network_of: Any) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 5))
    )
    network = (network_of(module), picture("coffee"))
    result = ours(network, "deep_lift", baseline="noise")
    x = given(network)[0]
    start = 2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) - 1
    ends = module(torch.cat([x, start]))[:, result.target]
    difference = float(ends[0] - ends[1])
    # Ours adds up to the difference of the logits; Captum's does not, and nobody is told.
    assert result.map.sum() == pytest.approx(difference, rel=1e-3)
    assert result.repaired == (POOLED,)
    bare = DeepLift(module).attribute(x, baselines=start, target=result.target)
    assert abs(float(bare.sum()) - difference) > 0.05 * abs(difference)


@pytest.mark.parametrize(
    ("method", "bare"), [("guided_backprop", GuidedBackprop), ("deconvolution", Deconvolution)]
)
@pytest.mark.filterwarnings("ignore:Setting")
def test_changed_gradients_of_relu(network: Network, method: str, bare: Any) -> None:
    result = ours(network, method)
    module = rebuilt(network[0].module, Clipped)
    expected = bare(module).attribute(given(network)[0], target=result.target)
    assert_same(result.map, expected[0].sum(dim=0))
    assert bool(result.repaired) == (network[0].spec.id != "lenet5")


@pytest.mark.filterwarnings("ignore:Setting")
def test_guided_grad_cam(network: Network) -> None:
    result = ours(network, "guided_grad_cam")
    module = rebuilt(network[0].module, Clipped)
    layer = module.get_submodule(LAYERS[network[0].spec.id])
    bare = GuidedGradCam(module, layer).attribute(
        given(network)[0], target=result.target, interpolate_mode="bilinear"
    )
    assert_same(result.map, bare[0].sum(dim=0))


@pytest.mark.parametrize("joined", ["norm", "mean", "max"])
def test_layer_activation(network: Network, joined: str) -> None:
    result = ours(network, "layer_activation", channels=joined)
    x = given(network)[0]
    module = network[0].module
    bare = LayerActivation(module, module.get_submodule(result.layer)).attribute(x).detach()
    one = {
        "norm": bare.pow(2).sum(1, keepdim=True).sqrt(),
        "mean": bare.abs().mean(1, keepdim=True),
        "max": bare.abs().amax(1, keepdim=True),
    }[joined]
    assert result.layer == LAYERS[network[0].spec.id]
    assert_same(result.map, LayerAttribution.interpolate(one, x.shape[2:], "bilinear")[0, 0])


def test_occlusion_with_edges_that_do_not_fit(network: Network) -> None:
    result = ours(network, "occlusion", windows=3, overlap=1, baseline="white")
    x = given(network)[0]
    # 32/3 → 11 and 224/3 → 75; the squares at the right and lower edge are cut off or narrower.
    side = {32: 11, 28: 9, 224: 75}[x.shape[2]]
    bare = Occlusion(network[0].module).attribute(
        x,
        sliding_window_shapes=(x.shape[1], side, side),
        strides=(x.shape[1], side, side),
        baselines=base(network, 1.0),
        target=result.target,
    )
    assert_same(result.map, bare[0, 0])


def test_occlusion_with_overlap(lenet5: LoadedModel) -> None:
    network = (lenet5, picture("digit_5"))
    result = ours(network, "occlusion", windows=7, overlap=2, baseline="black")
    x = given(network)[0]
    side = round(x.shape[2] / 7)
    bare = Occlusion(lenet5.module).attribute(
        x,
        sliding_window_shapes=(1, side, side),
        strides=(1, round(side / 2), round(side / 2)),
        baselines=base(network, 0.0),
        target=result.target,
    )
    assert_same(result.map, bare[0, 0])


def test_feature_ablation(network: Network) -> None:
    result = ours(network, "feature_ablation", segments=9)
    x, crop = given(network)
    labels = torch.from_numpy(superpixels(crop, 9))
    bare = FeatureAblation(network[0].module).attribute(
        x,
        baselines=base(network, 0.5),
        feature_mask=labels.expand(1, *x.shape[1:]),
        target=result.target,
    )
    assert_same(result.map, bare[0, 0])
    assert result.options["segments_used"] == int(labels.max()) + 1


def test_lrp_with_gamma(lenet5: LoadedModel) -> None:
    network = (lenet5, picture("digit_3"))
    result = ours(network, "lrp", gamma=0.25)
    module = copy.deepcopy(lenet5.module)
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part is not convolutions[0]:
            part.rule = GammaRule(gamma=0.25)
        elif isinstance(part, nn.Conv2d | nn.Linear | nn.Flatten):
            part.rule = EpsilonRule()
    bare = LRP(module).attribute(given(network)[0], target=result.target)
    assert_same(result.map, bare[0].sum(dim=0))


def test_lrp_with_epsilon_is_input_times_gradient_in_networks_of_relus(network: Network) -> None:
    result = ours(network, "lrp", rule="epsilon")
    x = given(network)[0].requires_grad_()
    bare = InputXGradient(rebuilt(network[0].module, Clipped)).attribute(x, target=result.target)
    assert_same(result.map, bare[0].sum(dim=0))
