"""Real networks: MACs and parameters as published, no fallback, everything counted."""

from __future__ import annotations

import pytest
import torch

from explorer.catalog import CATALOG, find
from explorer.trace import trace_spec
from explorer.tracing.building import module_for
from tests.tools.make_graphs import OTHERS, drawn_timm, flop_counter_macs
from tests.trace.test_structure import check

# (model, torchvision's published `_ops` in GMACs, published parameters). Those that are not slow
# have grouped, depthwise and joined convolutions, shuffled channels, and attention; what the whole
# of torchvision counts stands in ``atlas_costs.json``, which a fast test holds to the catalog.
PUBLISHED = [
    ("alexnet", 0.714, 61_100_840),
    pytest.param("vgg11_bn", 7.609, 132_868_840, marks=pytest.mark.slow),
    ("googlenet", 1.498, 6_624_904),
    pytest.param("squeezenet1_1", 0.349, 1_235_496, marks=pytest.mark.slow),
    pytest.param("resnet50", 4.089, 25_557_032, marks=pytest.mark.slow),
    pytest.param("densenet121", 2.834, 7_978_856, marks=pytest.mark.slow),
    ("mobilenet_v3_small", 0.057, 2_542_856),
    ("shufflenet_v2_x0_5", 0.040, 1_366_792),
    pytest.param("efficientnet_b0", 0.386, 5_288_548, marks=pytest.mark.slow),
    ("convnext_tiny", 4.456, 28_589_128),
    ("vit_b_32", 4.409, 88_224_232),
    pytest.param("swin_t", 4.491, 28_288_354, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("model", "gmacs", "params"), PUBLISHED)
def test_published_numbers(model: str, gmacs: float, params: int) -> None:
    graph = trace_spec(find(model))
    assert graph.method == "export"
    assert graph.missing == ()
    assert graph.complete
    assert round(graph.total_macs / 1e9, 3) == gmacs
    assert graph.total_params == params
    check(graph)


def test_auxiliary_heads_are_apart() -> None:
    graph = trace_spec(find("googlenet"))
    aux = {p.name.partition(".")[0] for p in graph.parameters if p.aux}
    assert aux == {"aux1", "aux2"}
    assert graph.aux_params + graph.total_params == 13_004_888  # torchvision with both heads


@pytest.mark.parametrize("model", ["lenet5", "timm/convnext_atto", "tf_efficientnet_lite0"])
def test_torchs_own_counter(model: str) -> None:
    spec = find(model)
    graph = trace_spec(spec)
    assert graph.method == "export"
    assert graph.total_macs == flop_counter_macs(spec)
    assert graph.total_params == sum(
        p.numel() for p in module_for(spec, spec.input_size).parameters()
    )


def test_the_catalogs_numbers_are_the_traces() -> None:
    for name in ("resnet18", "lenet5", "tf_efficientnet_lite0"):
        spec, graph = find(name), trace_spec(find(name))
        assert (graph.total_macs, graph.total_params, graph.aux_params) == (
            spec.macs, spec.params, spec.aux_params
        )  # fmt: skip


def torchvision_weights() -> list[tuple[str, str]]:
    from torchvision import models

    return [
        (name, weights.name)
        for name in models.list_models(module=models)
        for weights in models.get_model_weights(name)
    ]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_weights_of_torchvision() -> None:
    """115 of 115 at their own crop: `_ops` in the third decimal, parameters exactly."""
    from torchvision import models

    pairs = torchvision_weights()
    assert len(pairs) == 115
    assert len({name for name, _ in pairs}) == 80
    for name, weights_id in pairs:
        weights = models.get_model_weights(name)[weights_id]
        crop = weights.transforms().crop_size[0]
        graph = trace_spec(find(name), (3, crop, crop))
        assert (graph.method, graph.complete) == ("export", True), name
        assert round(graph.total_macs / 1e9, 3) == weights.meta["_ops"], (name, weights_id)
        published = weights.meta["num_params"]
        with_heads = graph.total_params + graph.aux_params
        assert published in (graph.total_params, with_heads), (name, weights_id)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", [*OTHERS, *(f"timm/{name}" for name in drawn_timm())])
def test_others_equal_torchs_counter(model: str) -> None:
    spec = find(model)
    graph = trace_spec(spec)
    assert graph.method == "export"
    assert graph.total_macs == flop_counter_macs(spec)
    with torch.no_grad():
        module = module_for(spec, spec.input_size)
    assert graph.total_params + graph.aux_params == sum(p.numel() for p in module.parameters())
    check(graph)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_catalog_holds_together() -> None:
    for spec in CATALOG.values():
        if spec.id.startswith("timm/"):
            continue
        graph = trace_spec(spec)
        check(graph)
        assert graph.total_macs == spec.macs, spec.id
        assert graph.total_params == spec.params, spec.id
