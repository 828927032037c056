"""Batches lie channels last where the network takes it, and as they are where it does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.attribution.running import Run


class Viewing(nn.Module):
    """A network that views its features as if they lay contiguous, as LeNet's first codes did."""

    def __init__(self, view: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head, self.view = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 5), view
        self.seen: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.is_contiguous())
        x = self.conv(x).relu()
        return self.head(x.view(len(x), -1) if self.view else x.flatten(1))


def run_of(module: nn.Module) -> Run:
    loaded: Any = SimpleNamespace(
        module=module, device=torch.device("cpu"), spec=SimpleNamespace(name="tiny", macs=1000)
    )
    return Run(loaded, torch.rand(1, 3, 8, 8), np.zeros((8, 8, 3), np.uint8), target=2)


def test_a_network_that_cannot_take_channels_last_gets_them_as_they_are() -> None:
    x = torch.rand(4, 3, 8, 8)
    results = []
    for view in (False, True):
        module = Viewing(view)
        run = run_of(module)
        with torch.no_grad():
            results.append(run.scores(lambda a, b: x[a:b], 4))
        results.append(run.gradient(x))
        assert run.plain is view
        # The first try of the viewing network is the only one that lay channels last.
        assert module.seen == ([False, True, True] if view else [False, False])
        assert run.passes == 8
    assert torch.allclose(results[0], results[2], atol=1e-6)
    assert torch.allclose(results[1], results[3], atol=1e-6)
    one = run_of(Viewing(view=False))
    assert torch.allclose(one.gradient(x[:1])[0], results[1][0], atol=1e-6)


def test_other_errors_pass_through() -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        run_of(Broken()).forward(torch.rand(2, 3, 8, 8))
