"""Networks that torch.export does not read: how they are traced then, and what is said about it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.errors import TraceError
from explorer.trace import trace
from tests.trace.networks import Branches, Opaque, Residual, ThroughNumpy
from tests.trace.test_structure import check


def test_a_branch_on_values_is_followed_for_one_example() -> None:
    graph = trace(Branches(), torch.ones(1, 3, 8, 8))
    assert graph.method == "draft_export"
    assert "Branches that depend on the values" in graph.missing[0]
    assert graph.total_macs == 4 * 3 * 3 * 3 * 6 * 6
    assert {p.name for p in graph.parameters if p.aux} == {"dark.weight", "dark.bias"}
    other = trace(Branches(), -torch.ones(1, 3, 8, 8))
    assert other.total_macs == 4 * 3 * 5 * 5 * 4 * 4


def test_what_leaves_torch_is_recorded_while_it_runs() -> None:
    graph = trace(ThroughNumpy(), torch.ones(2, 4))
    assert graph.method == "hooks"
    assert len(graph.missing) == 2
    assert graph.total_macs == 2 * (2 * 4 * 4)
    assert [node.id for node in graph.modules] == ["", "fc", "fc@2"]
    assert graph.total_params == 4 * 4 + 4


def test_the_recorder_sees_what_export_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    example = torch.empty(1, 4, 8, 8)
    exported, recorded = trace(Residual(), example), trace(Opaque(), example)
    assert recorded.method == "hooks"
    check(recorded)
    assert recorded.total_macs == exported.total_macs
    assert recorded.total_params == exported.total_params
    assert recorded.buffers == exported.buffers
    assert [op.module for op in recorded.ops if op.macs] == ["block.conv1", "block.conv2"]
    kinds = [op.kind for op in exported.ops]
    assert [op.kind for op in recorded.ops if op.kind in kinds] == kinds


def test_nothing_runs_where_it_may_not() -> None:
    with pytest.raises(TraceError):
        trace(Branches(), torch.ones(1, 3, 8, 8), may_run=False)


class Fails(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no way through")


def test_what_cannot_be_traced_says_so_and_is_put_back() -> None:
    module = Fails().train()
    module.inner.bn1.eval()
    with pytest.raises(TraceError) as caught:
        trace(module, torch.ones(1))
    assert "no way through" in str(caught.value)
    assert str(caught.value).startswith("Fails could not be traced")
    assert module.training
    assert not module.inner.bn1.training
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert torch.backends.mha.get_fastpath_enabled()


def test_hooks_are_gone_after_a_recording() -> None:
    module = Opaque()
    trace(module, torch.empty(1, 4, 8, 8))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    assert all(not parameter.is_meta for parameter in module.parameters())
