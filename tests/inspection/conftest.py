from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from explorer.catalog import find
from explorer.graph import LayerGraph
from explorer.images import open_image, sample_bytes
from explorer.trace import trace_spec
from explorer.zoo import LoadedModel, load
from tests.tools.app_tests import _scanned_once

__all__ = ["_scanned_once"]
Networks = Callable[[str], LoadedModel]
Graphs = Callable[[str], LayerGraph]


@pytest.fixture(scope="session")
def network() -> Networks:
    """``network("resnet18")``: loaded once a session, with weights only where they are at hand."""
    kept: dict[str, LoadedModel] = {}

    def get(name: str) -> LoadedModel:
        if name not in kept:
            spec = find(name)
            local = name in ("lenet5", "tf_efficientnet_lite0")
            kept[name] = load(spec, spec.weights[0].id if local else None)
        return kept[name]

    return get


@pytest.fixture(scope="session")
def graph_of() -> Graphs:
    kept: dict[str, LayerGraph] = {}

    def get(name: str) -> LayerGraph:
        if name not in kept:
            kept[name] = trace_spec(find(name))
        return kept[name]

    return get


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    return open_image(sample_bytes("coffee"))
