"""Values by colour channel, where they are asked for, and the layers from which a map is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import Saliency

from explorer.attribution import METHODS, ExplainRequest, explain
from explorer.attribution.found import NO_CHANNELS
from explorer.attribution.spatial import spatial_layers
from explorer.catalog import find
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel, load
from tests.attribution.conftest import picture

#: Methods whose values are those of pixels, colour by colour, with options that make them quick.
BY_CHANNEL = {
    "saliency": {},
    "input_x_gradient": {},
    "integrated_gradients": {"steps": 4, "adaptive": False},
    "smooth_grad": {"samples": 4},
    "var_grad": {"samples": 4},
    "gradient_shap": {"samples": 4},
    "guided_backprop": {},
    "deconvolution": {},
    "deep_lift": {},
    "lrp": {},
    "guided_grad_cam": {},
}


@pytest.fixture(scope="module")
def rectified() -> LoadedModel:
    """Of ReLU modules, a tenth of VGG-11's operations."""
    return load(find("alexnet"), None)


@pytest.mark.parametrize("method", BY_CHANNEL)
def test_the_map_joins_its_channels(
    lite0: LoadedModel, rectified: LoadedModel, method: str
) -> None:
    loaded = rectified if "relu" in METHODS[method].needs else lite0
    options = BY_CHANNEL[method]
    plain = explain(loaded, picture("coffee"), ExplainRequest(method, options=options))
    assert plain.channels is None
    found = explain(
        loaded, picture("coffee"), ExplainRequest(method, options=options, channels=True)
    )
    assert found.channels is not None
    assert found.channels.shape == (3, *found.map.shape)
    assert found.channels.dtype == np.float32
    assert NO_CHANNELS not in found.warnings
    assert np.ptp(found.channels[0] - found.channels[1]) > 0
    joined = {"max": found.channels.max(axis=0), "mean": found.channels.mean(axis=0)}
    expected = joined.get(found.options.get("channels", ""), found.channels.sum(axis=0))
    assert np.abs(expected - found.map).max() <= 1e-5 * np.abs(found.map).max()
    assert np.array_equal(found.map, plain.map)


def test_the_channels_are_captums(lite0: LoadedModel) -> None:
    found = explain(lite0, picture("coffee"), ExplainRequest("saliency", channels=True))
    x, _ = preprocess(picture("coffee"), lite0.preprocessing)
    bare = Saliency(lite0.module).attribute(x.requires_grad_(), target=found.target)[0]
    assert found.channels is not None
    assert np.abs(found.channels - bare.numpy()).max() <= 1e-4 * float(bare.max())


@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_where_there_are_none_it_is_said(lite0: LoadedModel, method: str) -> None:
    found = explain(lite0, picture("coffee"), ExplainRequest(method, channels=True))
    assert found.channels is None
    assert NO_CHANNELS in found.warnings


@pytest.mark.parametrize("model", ["lenet5", "tf_efficientnet_lite0", "timm/test_vit", "swin_t"])
def test_every_layer_that_is_offered_gives_a_map(model: str) -> None:
    loaded = load(find(model), None)
    layers = spatial_layers(loaded)
    paths = [layer.path for layer in layers]
    assert len(paths) == len(set(paths))
    image = picture("digit_3" if model == "lenet5" else "rocket")
    chosen = explain(loaded, image, ExplainRequest("grad_cam")).layer
    assert chosen in paths
    known = dict(loaded.module.named_modules())
    for layer in layers[:: max(1, len(layers) // 6)]:
        assert layer.kind == type(known[layer.path]).__name__
        assert layer.height * layer.width > 1
        found = explain(loaded, image, ExplainRequest("layer_activation", layer=layer.path))
        assert found.layer == layer.path


def test_layers_of_lenet5(lenet5: LoadedModel) -> None:
    with torch.enable_grad():
        found = {layer.path: (layer.channels, layer.height, layer.width)
                 for layer in spatial_layers(lenet5)}  # fmt: skip
    assert found["conv1"] == (6, 28, 28)
    assert found["conv2"] == (16, 10, 10)
    assert "fc1" not in found


def test_layers_are_those_at_the_size_of_the_weights() -> None:
    """Some weights take larger images than their network does by itself: ViT-H/14 of SWAG, 518."""
    plain = load(find("resnet18"), None)
    size = replace(plain.preprocessing, input_size=(3, 96, 96))
    found = spatial_layers(replace(plain, preprocessing=size))
    assert {layer.path: layer.height for layer in found}["layer1"] == 24
