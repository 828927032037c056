from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.costs import receptive_fields
from explorer.errors import LayerError
from explorer.inspection.choosing import choose
from explorer.inspection.field import effective_field
from tests.inspection.conftest import Graphs, Networks


@pytest.mark.parametrize(
    ("model", "layer", "size"),
    [
        # conv5_3 is features.28; Araujo, Norris & Sim 2019 (Distill): VGG-16 196, ResNet-18 435.
        ("vgg16", "features.28", 196),
        ("resnet18", "layer4", 435),
    ],
)
def test_theoretical_fields_are_the_published_ones(
    graph_of: Graphs, model: str, layer: str, size: int
) -> None:
    chosen = choose(graph_of(model), layer)
    field = receptive_fields(graph_of(model))[chosen.ops[-1].id]
    assert field.size == (size, size)


@pytest.mark.parametrize("layer", ["features.3", "features.6", "features.8"])
def test_the_gradient_fills_the_theoretical_field_and_no_more(
    network: Networks, graph_of: Graphs, coffee: Image.Image, layer: str
) -> None:
    chosen = choose(graph_of("squeezenet1_1"), layer)
    field = receptive_fields(graph_of("squeezenet1_1"))[chosen.ops[-1].id]
    found = effective_field(network("squeezenet1_1"), coffee, layer)
    assert found.extent is not None
    top, bottom, left, right = found.extent
    for axis, (low, high) in enumerate(((top, bottom), (left, right))):
        centre = field.offset[axis] + found.position[axis] * field.stride[axis]
        half = (field.size[axis] - 1) / 2
        assert centre - half <= low <= high <= centre + half
        # Dead ReLUs and pooling may leave the rim of the frame without a gradient.
        assert high - low + 1 > 0.6 * field.size[axis]
    assert 0 < found.half_mass <= field.size[0]
    assert found.map.max() == 1


def test_the_field_follows_the_position(network: Networks, coffee: Image.Image) -> None:
    corner = effective_field(network("squeezenet1_1"), coffee, "features.3", (0, 0))
    assert corner.extent is not None
    assert corner.extent[1] < 40
    assert corner.extent[3] < 40


def test_an_op_has_a_field_too(network: Networks, coffee: Image.Image) -> None:
    found = effective_field(network("resnet18"), coffee, "op:add_1")
    # conv1 7 at stride 2, pool 3 at stride 2, two 3×3: 7 + 2·2 + 4·2 + 4·2 = 27 pixels.
    assert found.extent is not None
    assert found.extent[1] - found.extent[0] + 1 <= 27


def test_a_sum_that_is_constant_has_no_field(network: Networks, coffee: Image.Image) -> None:
    # Untrained layer normalisation: the channels of every token add up to 0, whatever the image.
    found = effective_field(network("vit_b_16"), coffee, "encoder.layers.encoder_layer_0.ln_1")
    assert found.extent is None
    assert not found.map.any()
    assert found.half_mass == 0


def test_positions_and_layers_that_are_not_there(network: Networks, coffee: Image.Image) -> None:
    with pytest.raises(LayerError, match=r"no position \(99, 0\); it is a grid of 10 × 10"):
        effective_field(network("lenet5"), coffee, "conv2", (99, 0))
    with pytest.raises(LayerError, match="holds no map of the image"):
        effective_field(network("lenet5"), coffee, "fc1")


def test_half_mass_of_a_single_point_is_one_pixel() -> None:
    from explorer.inspection.field import _half_mass

    map_ = np.zeros((9, 9), np.float32)
    map_[4, 4] = 1
    assert _half_mass(map_) == 1
    # All 81 equal: the square of side 7 holds 49 of 81, that of side 5 only 25.
    assert _half_mass(np.ones((9, 9), np.float32)) == 7
