from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.errors import LayerError
from explorer.inspection.choosing import choose
from explorer.inspection.grids import grid_of
from explorer.inspection.maps import MOST_MAPS, feature_maps
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel
from tests.inspection.conftest import Graphs, Networks


def hooked(loaded: LoadedModel, image: Image.Image, path: str, call: int = 1) -> torch.Tensor:
    """What a plain forward hook sees, copied before anything works in place."""
    x, _crop = preprocess(image, loaded.preprocessing)
    seen: list[torch.Tensor] = []
    handle = loaded.module.get_submodule(path).register_forward_hook(
        lambda module, inputs, output: seen.append(output.detach().clone())
    )
    with torch.no_grad():
        loaded.module(x)
    handle.remove()
    return seen[call - 1]


@pytest.mark.parametrize(
    ("model", "layer", "call"),
    [
        ("lenet5", "conv2", 1),
        ("tf_efficientnet_lite0", "conv_stem", 1),
        ("tf_efficientnet_lite0", "blocks.3.1.conv_dw", 1),
        ("resnet18", "layer2.0.conv1", 1),
        ("resnet18", "layer2.0.relu", 1),
        ("resnet18", "layer2.0.relu", 2),  # one module, called twice
        ("squeezenet1_1", "features.3.squeeze_activation", 1),
    ],
)
def test_planes_equal_a_plain_hook(
    network: Networks, coffee: Image.Image, model: str, layer: str, call: int
) -> None:
    expected = hooked(network(model), coffee, layer, call)[0].numpy()
    found = feature_maps(network(model), coffee, layer if call == 1 else f"{layer}@{call}")
    assert found.layout == "grid"
    assert len(found.channels) == min(len(expected), MOST_MAPS)
    assert np.array_equal(found.maps, expected[found.channels])
    assert found.stats is not None
    np.testing.assert_allclose(found.stats.mean, expected.mean((1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.stats.high, expected.max((1, 2)))


def test_two_calls_of_one_module_differ(network: Networks, coffee: Image.Image) -> None:
    first = feature_maps(network("resnet18"), coffee, "layer2.0.relu")
    second = feature_maps(network("resnet18"), coffee, "layer2.0.relu@2")
    assert not np.array_equal(first.maps, second.maps)


def test_tokens_become_a_grid_without_the_class_token(
    network: Networks, coffee: Image.Image
) -> None:
    layer = "encoder.layers.encoder_layer_0"
    found = feature_maps(network("vit_b_16"), coffee, layer)
    tokens = hooked(network("vit_b_16"), coffee, layer)[0]  # 197 = 1 + 14·14
    planes = tokens[1:].reshape(14, 14, 768).permute(2, 0, 1).numpy()
    assert (found.layout, found.prefix, found.maps.shape) == ("grid", 1, (64, 14, 14))
    np.testing.assert_allclose(found.maps, planes[found.channels], rtol=1e-4, atol=1e-5)


def test_channels_last_become_planes(network: Networks, coffee: Image.Image) -> None:
    found = feature_maps(network("swin_t"), coffee, "features.1")
    expected = hooked(network("swin_t"), coffee, "features.1")[0].permute(2, 0, 1).numpy()
    assert found.shape == (1, 56, 56, 96)
    np.testing.assert_allclose(found.maps, expected[found.channels], rtol=1e-4, atol=1e-5)


def test_an_op_between_modules_is_found(
    network: Networks, graph_of: Graphs, coffee: Image.Image
) -> None:
    # The sum of a residual block has no module; the ReLU behind it keeps its positive part.
    graph, loaded = graph_of("resnet18"), network("resnet18")
    chosen = choose(graph, "add_1")
    assert chosen.layer == "op:add_1"
    added = feature_maps(loaded, coffee, chosen.layer)
    after = hooked(loaded, coffee, "layer1.0.relu", 2)[0].numpy()
    np.testing.assert_allclose(
        np.maximum(added.maps, 0), after[added.channels], rtol=1e-4, atol=1e-4
    )
    assert added.maps.min() < 0


@pytest.mark.parametrize("order", ["mean", "max"])
def test_channels_are_sorted(network: Networks, coffee: Image.Image, order: str) -> None:
    found = feature_maps(network("lenet5"), coffee, "conv2", order)  # type: ignore[arg-type]
    values = found.maps.mean((1, 2)) if order == "mean" else found.maps.max((1, 2))
    assert np.all(np.diff(values) <= 1e-6)


def test_a_vector_gives_its_values(network: Networks, coffee: Image.Image) -> None:
    found = feature_maps(network("lenet5"), coffee, "fc3")
    assert found.layout == "vector"
    assert found.profile.shape == (10,)
    np.testing.assert_allclose(
        found.profile, hooked(network("lenet5"), coffee, "fc3")[0].numpy(), rtol=1e-5
    )


@pytest.mark.parametrize("layer", ["nowhere", "conv1@9", "conv1@x", "op:conv2d_99"])
def test_a_layer_that_is_not_there_is_one_sentence(
    network: Networks, coffee: Image.Image, layer: str
) -> None:
    with pytest.raises(LayerError) as caught:
        feature_maps(network("lenet5"), coffee, layer)
    assert layer.removeprefix("op:").split("@")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_network_is_left_as_it_was(network: Networks, coffee: Image.Image) -> None:
    module = network("lenet5").module
    fused = torch.backends.mha.get_fastpath_enabled()
    module.train()
    for layer in ("conv1", "nowhere", "op:relu_1"):
        with contextlib.suppress(LayerError):
            feature_maps(network("lenet5"), coffee, layer)
        assert module.training
        assert not any(part._forward_hooks for part in module.modules())
    module.eval()
    assert torch.backends.mha.get_fastpath_enabled() == fused
    assert all(p.requires_grad and p.grad is None for p in module.parameters())


def test_memory_that_runs_out_passes_through(network: Networks, coffee: Image.Image) -> None:
    # The worker turns it into one sentence and unloads the models (explorer.engine.failures).
    loaded = network("lenet5")

    def fail(*_arguments: object) -> None:
        raise torch.OutOfMemoryError("no room")

    handle = loaded.module.get_submodule("conv1").register_forward_pre_hook(fail)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            feature_maps(loaded, coffee, "conv2")
    finally:
        handle.remove()


@pytest.mark.parametrize(
    ("shape", "image", "expected"),
    [
        ((1, 64, 56, 56), (224, 224), ("nchw", 56, 56, 64, 0)),
        ((1, 7, 7, 768), (224, 224), ("nhwc", 7, 7, 768, 0)),
        ((1, 197, 768), (224, 224), ("tokens", 14, 14, 768, 1)),
        ((1, 196, 384), (224, 224), ("tokens", 14, 14, 384, 0)),
        ((1, 10, 20, 32), (160, 320), ("nhwc", 10, 20, 32, 0)),
        ((1, 512, 1, 1), (224, 224), None),
        ((1, 1000), (224, 224), None),
        ((64, 49, 96), (224, 224), None),  # windows of Swin
        ((), (224, 224), None),
    ],
)
def test_grids_are_read_from_shapes(
    shape: tuple[int, ...], image: tuple[int, int], expected: tuple[object, ...] | None
) -> None:
    grid = grid_of(shape, image)
    found = grid and (grid.layout, grid.height, grid.width, grid.channels, grid.prefix)
    assert found == expected
