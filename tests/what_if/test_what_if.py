"""What-if counts equal those of networks that are really built, traced and fed that way."""

from __future__ import annotations

import pytest
import torch

from explorer.catalog import CATALOG, find
from explorer.costs import Convention, breakdown, count
from explorer.errors import InputSizeError
from explorer.graph import LayerGraph
from explorer.skip_init import skip_init
from explorer.trace import trace, trace_spec
from explorer.what_if import WhatIf, classifiers, what_if, with_classes

FEW = ("resnet18", "squeezenet1_0", "googlenet", "vit_b_16", "mobilenet_v3_small")


def rebuilt(model: str, classes: int) -> LayerGraph:
    from torchvision import models

    spec = find(model)
    options: dict[str, object] = {}
    if model in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    if model.startswith("vit_"):
        options["image_size"] = spec.input_size[-1]  # ViT-H/14 is listed at 518
    with skip_init():
        module = models.get_model(spec.builder, weights=None, num_classes=classes, **options)
    return trace(module.eval(), torch.empty(1, *spec.input_size))


def check_classes(model: str) -> None:
    changed, built = with_classes(trace_spec(find(model)), 37), rebuilt(model, 37)
    assert changed.total_params == built.total_params
    assert changed.aux_params == built.aux_params
    for convention in Convention:
        assert count(changed, convention) == count(built, convention), convention
    assert changed.activation_bytes == built.activation_bytes
    sums = {node.id: (node.macs, node.total_params, node.own_params) for node in changed.modules}
    assert sums == {n.id: (n.macs, n.total_params, n.own_params) for n in built.modules}


@pytest.mark.parametrize("model", FEW)
def test_other_classes_are_the_rebuilt_network(model: str) -> None:
    check_classes(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [name for name, spec in CATALOG.items() if spec.source == "torchvision"]
)
def test_other_classes_of_every_torchvision_network(model: str) -> None:
    check_classes(model)


def test_resnet18_with_ten_classes() -> None:
    graph = trace_spec(find("resnet18"))
    changed = with_classes(graph, 10)
    # fc: 512·1000 + 1000 → 512·10 + 10
    assert graph.total_params - changed.total_params == 512 * 990 + 990
    assert graph.total_macs - changed.total_macs == 512 * 990
    table = breakdown(changed, "module")
    assert sum(row.params for row in table.rows) == changed.total_params


def test_batch_and_dtype_scale_bytes() -> None:
    graph = trace_spec(find("resnet18"))
    changed = what_if(graph, WhatIf(batch=8, dtype="float16"))
    assert changed.total_macs == 8 * graph.total_macs
    assert changed.activation_bytes == 8 * graph.activation_bytes // 2
    assert changed.total_params == graph.total_params
    assert what_if(graph, WhatIf()) == graph


@pytest.mark.parametrize("classes", [0, -5, 10**9])
def test_impossible_classes_are_said(classes: int) -> None:
    with pytest.raises(InputSizeError, match=f"{classes} classes; use 1 to"):
        with_classes(trace_spec(find("resnet18")), classes)


def test_an_impossible_batch_is_said() -> None:
    with pytest.raises(InputSizeError, match="0 images"):
        what_if(trace_spec(find("resnet18")), WhatIf(batch=0))


def test_a_network_without_classes_says_so() -> None:
    graph = trace(torch.nn.Sequential(torch.nn.ReLU()), torch.empty(1, 3, 8, 8))
    assert classifiers(graph)[0] == ()
    with pytest.raises(InputSizeError, match="no layer of classes"):
        with_classes(graph, 10)


def test_an_unknown_dtype_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="float7"):
        what_if(trace_spec(find("resnet18")), WhatIf(dtype="float7"))
