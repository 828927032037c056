"""Tables: every row is of the graph, and the rows sum to the totals exactly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch.utils.flop_counter import FlopCounterMode

from explorer.catalog import find
from explorer.costs import (
    GROUPINGS,
    Convention,
    breakdown,
    count,
    module_totals,
    op_count,
    stages,
    uncounted,
)  # fmt: skip
from explorer.graph import LayerGraph
from explorer.trace import trace, trace_spec
from tests.costs.random_networks import Drawn, Layer, stacks


def check_sums(graph: LayerGraph) -> None:
    for convention in Convention:
        total = count(graph, convention)
        assert total == sum(op_count(op, convention) for op in graph.ops)
        for by in GROUPINGS:
            table = breakdown(graph, by, convention)
            assert table.total.amount == sum(row.amount for row in table.rows) == total
            assert table.total.params == sum(row.params for row in table.rows) == graph.total_params
            assert table.total.ops == sum(row.ops for row in table.rows) == len(graph.ops)
            written = sum(row.activation_bytes for row in table.rows)
            assert table.total.activation_bytes == written == graph.activation_bytes
            read = sum(row.buffers for row in table.rows)
            assert table.total.buffers == read == graph.buffers - table.unread_buffers
            shares = sum(row.share for row in table.rows)
            assert shares == pytest.approx(1 if total else 0)
            assert len({row.id for row in table.rows}) == len(table.rows)
            assert table.aux_params == graph.aux_params
        inside = module_totals(graph, convention)
        assert inside[""].amount == total
        assert inside[""].params == graph.total_params
        for node in graph.modules:
            own = [op for op in graph.ops if op.module == node.id]
            children = [inside[child.id] for child in graph.children.get(node.id, ())]
            assert inside[node.id].ops == len(own) + sum(row.ops for row in children)
            assert inside[node.id].amount == sum(op_count(op, convention) for op in own) + sum(
                row.amount for row in children
            )


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(stack=stacks)
def test_random_networks(stack: list[Layer]) -> None:
    """Counts are torch's own, and all tables sum, for small CNNs drawn at random."""
    module = Drawn(stack).eval()
    graph = trace(module, torch.empty(2, 3, 33, 29))
    assert graph.method == "export"
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.to("meta")(torch.empty(2, 3, 33, 29, device="meta"))
    assert count(graph, Convention.FLOPS) == counter.get_total_flops()
    assert count(graph, Convention.MACS) * 2 == counter.get_total_flops()
    assert graph.total_params == sum(p.numel() for p in module.parameters())
    assert uncounted(graph) == []
    check_sums(graph)


@pytest.mark.parametrize("model", ["googlenet", "mobilenet_v3_small", "vit_b_32"])
def test_real_networks(model: str) -> None:
    check_sums(trace_spec(find(model)))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_networks_of_torchvision() -> None:
    from torchvision import models

    for name in models.list_models(module=models):
        check_sums(trace_spec(find(name)))


def test_rows_of_a_network() -> None:
    graph = trace_spec(find("vgg11_bn"))
    ops = breakdown(graph, "op")
    assert [row.id for row in ops.rows] == [op.id for op in graph.ops]
    first = ops.rows[0]
    assert (first.kind, first.target, first.name) == ("convolution", "conv2d", "features.0")
    assert first.params == 3 * 3 * 3 * 64 + 64
    assert first.amount == 3 * 3 * 3 * 64 * 224 * 224
    kinds = breakdown(graph, "kind")
    assert [row.id for row in kinds.rows][:2] == ["convolution", "linear"]
    # Three linear layers: 25088·4096 + 4096·4096 + 4096·1000 weights, each used once.
    linear = kinds.rows[1]
    assert linear.amount == 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    assert linear.params == linear.amount + 4096 + 4096 + 1000
    with pytest.raises(ValueError, match="by='layer'"):
        breakdown(graph, "layer")


def test_stages_are_resolutions() -> None:
    def rows(model: str) -> list[str]:
        return [row.id for row in breakdown(trace_spec(find(model)), "stage").rows]

    halvings = ["112×112", "56×56", "28×28", "14×14", "7×7", "head"]
    assert rows("resnet18") == halvings
    assert rows("vgg11_bn") == ["224×224", *halvings]
    # Squeeze-and-excitation works on 1×1 pixels in the middle of blocks; it stays in their stage.
    assert rows("mobilenet_v3_small") == halvings
    # 49 patches of 32×32 pixels and the class token.
    assert rows("vit_b_32") == ["50 tokens", "head"]
    graph = trace_spec(find("resnet18"))
    stage = stages(graph)
    assert stage["conv2d_1"] == stage["relu_1"] == "112×112"
    assert stage["linear_1"] == "head"


def test_blocks_open_the_container_that_holds_the_network() -> None:
    vgg = [row.id for row in breakdown(trace_spec(find("vgg11_bn")), "block").rows]
    assert vgg[:2] == ["features.0", "features.1"]
    resnet = [row.id for row in breakdown(trace_spec(find("resnet18")), "block").rows]
    assert "layer1" in resnet
    assert "layer1.0" not in resnet


def test_an_unknown_op_is_listed_and_makes_totals_lower_bounds() -> None:
    class Fourier(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.ifft2(torch.fft.fft2(x)).real + torch.fft.fft2(x).real

    graph = trace(Fourier(), torch.empty(1, 3, 8, 8))
    assert uncounted(graph) == [("fft_fft2", 2), ("fft_ifft2", 1)]
    assert not breakdown(graph, "kind").total.counted
    assert not module_totals(graph)[""].counted
