"""The lighter way gives the graph that torch.export gives, op by op."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.catalog import CATALOG, find
from explorer.graph import LayerGraph
from explorer.trace import cached_trace, trace, trace_light, trace_spec
from explorer.trace import watched as watched_module
from explorer.tracing import light
from tests.tools.make_graphs import drawn_timm
from tests.trace.networks import (
    Heads,
    MakesTensors,
    Residual,
    Shared,
    Splits,
    WritesIntoViews,
)

# A residual network, branches that are joined, attention, and of timm one whose weights are
# standardised as it runs; the slow tests below walk the whole catalog and draw from timm.
FEW = ("lenet5", "resnet18", "googlenet", "vit_b_16")
TIMM = ("timm/nf_regnet_b0",)
SLOW = ("timm/convnext_atto", "timm/levit_384", "timm/hiera_small_224")


def watched(name: str) -> LayerGraph:
    graph = trace_light(find(name))
    assert graph.method == light.METHOD
    return graph


@pytest.fixture(autouse=True)
def _no_kept_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    import explorer.trace

    monkeypatch.setattr(explorer.trace, "cached_trace", lambda spec, size=None: None)


@pytest.mark.parametrize(
    "name", [*FEW, *TIMM, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_it_is_the_exported_graph(name: str) -> None:
    exported = trace_spec(find(name), cache=False)
    assert exported.method == "export"
    assert replace(watched(name), method="export") == exported


@pytest.mark.parametrize("kind", [Residual, Heads, Splits, WritesIntoViews, MakesTensors])
def test_it_is_the_exported_graph_of_awkward_constructions(kind: type[torch.nn.Module]) -> None:
    example = torch.empty(1, 4 if kind is Residual else 3, 8, 8)
    graph = watched_module(kind(), example, name=kind.__name__)
    assert replace(graph, method="export") == trace(kind(), example)


def test_a_module_under_two_names_is_left_to_export() -> None:
    with pytest.raises(light.SharedModuleError, match="Shared has a module under two names"):
        watched_module(Shared(), torch.empty(1, 3, 8, 8), name="Shared")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", drawn_timm())
def test_it_is_the_exported_graph_of_drawn_networks(name: str) -> None:
    spec = find(f"timm/{name}")
    assert replace(trace_light(spec), method="export") == trace_spec(spec, cache=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CATALOG if not name.startswith("timm/")])
def test_it_is_the_exported_graph_of_the_whole_catalog(name: str) -> None:
    assert replace(watched(name), method="export") == trace_spec(find(name))


def test_another_size() -> None:
    graph = trace_light(find("resnet18"), (3, 128, 128))
    assert graph == replace(trace_spec(find("resnet18"), (3, 128, 128)), method=graph.method)


def test_where_it_fails_the_other_way_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(module: torch.nn.Module, example: torch.Tensor) -> None:
        raise RuntimeError("value asked for")

    monkeypatch.setattr(light, "record_light", fail)
    assert trace_light(find("lenet5")).method == "export"


def test_the_network_is_left_as_it_was() -> None:
    from explorer.tracing.building import module_for

    module = module_for(find("resnet18"), (3, 224, 224)).train()
    before = dict(module.named_parameters())
    light.record_light(module, torch.empty(1, 3, 224, 224))
    assert module.training
    assert all(dict(module.named_parameters())[name] is tensor for name, tensor in before.items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert not torch.is_inference_mode_enabled()


def test_a_kept_trace_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = trace_spec(find("lenet5"))
    assert cached_trace(find("lenet5")) == kept
    assert trace_light(find("lenet5")) == kept
