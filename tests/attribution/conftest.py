from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

from explorer.catalog import find
from explorer.catalog.spec import Preprocessing
from explorer.images import open_image, sample_bytes
from explorer.zoo import LoadedModel, load


@pytest.fixture(scope="session")
def lite0() -> LoadedModel:
    spec = find("tf_efficientnet_lite0")
    return load(spec, spec.weights[0].id)


@pytest.fixture(scope="session")
def lenet5() -> LoadedModel:
    spec = find("lenet5")
    return load(spec, spec.weights[0].id)


def picture(id: str) -> Image.Image:
    """A sample photo."""
    return open_image(sample_bytes(id))


@pytest.fixture(params=["lenet5", "lite0"])
def network(request: pytest.FixtureRequest) -> tuple[LoadedModel, Image.Image]:
    """The two trained networks, each with a picture that it knows."""
    loaded = request.getfixturevalue(request.param)
    return loaded, picture("digit_3" if request.param == "lenet5" else "coffee")


@pytest.fixture
def network_of():
    """Wraps any module as a loaded, untrained network."""

    def make(module: nn.Module, size: tuple[int, int, int] = (3, 16, 16)) -> LoadedModel:
        channels = size[0]
        preprocessing = Preprocessing(size, min(size[1:]), (0.5,) * channels, (0.5,) * channels)
        spec = SimpleNamespace(id="own", name="Own", macs=1000, preprocessing=preprocessing)
        labels = tuple(f"class {n}" for n in range(1000))
        return LoadedModel(
            spec, None, module.eval(), torch.device("cpu"), preprocessing, labels, 100
        )

    return make
