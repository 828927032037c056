from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.errors import LayerError
from explorer.inspection.tiles import GAP, activations, diverging, enlarge, mosaic, symmetric
from explorer.inspection.weights import MOST_KERNELS, layer_weights
from tests.inspection.conftest import Networks


def test_the_stem_of_lite0_is_shown_in_colour(network: Networks) -> None:
    loaded = network("tf_efficientnet_lite0")
    weight = loaded.module.conv_stem.weight.detach()  # (32, 3, 3, 3)
    for path in ("conv_stem", ""):  # the whole network shows its first layer
        found = layer_weights(loaded, path)
        assert (found.parameter, found.kind, found.weights) == ("conv_stem.weight", "rgb", "in1k")
        assert found.kernels.shape == (32, 3, 3, 3)
    order = found.pairs[:, 0]
    assert sorted(order) == list(range(32))
    assert np.array_equal(found.kernels, weight[torch.from_numpy(order)].permute(0, 2, 3, 1))
    assert np.all(np.diff(found.norms[order]) <= 0)
    np.testing.assert_allclose(found.norms, weight.flatten(1).norm(dim=1), rtol=1e-6)
    assert found.counts.sum() == weight.numel()
    assert found.mean == pytest.approx(float(weight.mean()), rel=1e-4)
    assert found.std == pytest.approx(float(weight.std(correction=0)), rel=1e-4)


def test_other_kernels_are_grey_and_bounded(network: Networks) -> None:
    loaded = network("resnet18")
    found = layer_weights(loaded, "layer2.0.conv2")
    weight = loaded.module.layer2[0].conv2.weight.detach()  # (128, 128, 3, 3)
    assert found.kind == "grey"
    assert (len(found.kernels), found.kernels_total) == (MOST_KERNELS, 128 * 128)
    for plane, (output, source) in zip(found.kernels, found.pairs, strict=True):
        assert np.array_equal(plane, weight[output, source])
    assert found.weights is None  # untrained, and says so


def test_depthwise_kernels_are_one_a_channel(network: Networks) -> None:
    found = layer_weights(network("tf_efficientnet_lite0"), "blocks.0.0.conv_dw")
    assert (found.kind, found.kernels.shape) == ("grey", (32, 3, 3))
    assert set(found.pairs[:, 1]) == {0}


@pytest.mark.parametrize(
    ("model", "path", "kind"),
    [
        ("lenet5", "fc1", "matrix"),
        ("tf_efficientnet_lite0", "blocks.1.0.conv_pw", "matrix"),
        ("resnet18", "bn1", "none"),
        ("vit_b_16", "encoder.layers.encoder_layer_0.self_attention", "matrix"),
        ("resnet18", "layer1", "grey"),
    ],
)
def test_every_kind_of_layer_with_weights(
    network: Networks, model: str, path: str, kind: str
) -> None:
    found = layer_weights(network(model), path)
    assert found.kind == kind
    assert found.parameter.startswith(path)
    assert max(found.kernels.shape[1:], default=0) <= 192
    assert len(found.norms) == found.shape[0]


def test_a_layer_without_weights_and_one_that_is_not_there(network: Networks) -> None:
    with pytest.raises(LayerError, match="“relu” of ResNet-18 has no weights"):
        layer_weights(network("resnet18"), "relu")
    with pytest.raises(LayerError, match=r"has no layer “layer9\.0”"):
        layer_weights(network("resnet18"), "layer9.0")


def test_zero_is_middle_grey_and_scales_are_symmetric() -> None:
    kernels = np.array([[[-2.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]], np.float32)
    # 127.5 + 127.5·(−1, 0, ½) = 0, 127.5, 191.25; halves go to the even number.
    assert symmetric(kernels).tolist() == [[[0, 128, 191]], [[128, 128, 128]]]


def test_signs_have_colours_of_their_own() -> None:
    low, zero, high = diverging(np.array([[-1.0, 0.0, 1.0]], np.float32))[0]
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # orange
    assert len(set(zero)) == 1


def test_activations_span_the_scale_and_flat_ones_do_not_divide_by_zero() -> None:
    values = np.stack([np.arange(4, dtype=np.float32).reshape(2, 2), np.full((2, 2), 3.0)])
    shown = activations(values.astype(np.float32))
    assert shown[0].sum(-1).argmin() == 0
    assert shown[0].sum(-1).argmax() == 3
    assert len(np.unique(shown[1].reshape(-1, 3), axis=0)) == 1


def test_a_mosaic_has_every_picture_and_transparent_gaps() -> None:
    pictures = np.stack([np.full((2, 2), n * 50, np.uint8) for n in range(5)])
    sheet = np.asarray(Image.open(io.BytesIO(mosaic(pictures, 3, 10))))
    assert sheet.shape == (2 * 10 + GAP, 3 * 10 + 2 * GAP, 4)
    assert [sheet[5, 5 + n * (10 + GAP), 0] for n in range(3)] == [0, 50, 100]
    assert sheet[5, 10, 3] == 0  # a gap
    assert sheet[-1, -1, 3] == 0  # no sixth picture


def test_enlarging_keeps_the_range() -> None:
    plane = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    large = enlarge(plane, (8, 12))
    assert large.shape == (8, 12)
    assert (large.min(), large.max()) == (0, 3)
