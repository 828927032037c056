"""What is changed on a module or in torch while it is traced, put back also on an error."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def inference_form(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, and attention as the ops that it consists of.

    torch's fused attention kernel hides the matrix products that are counted here.
    """
    training = [(part, part.training) for part in module.modules()]
    fused = torch.backends.mha.get_fastpath_enabled()
    module.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for part, was_training in training:
            part.training = was_training


# Loggers of torch that print tracebacks of what is caught and told in one sentence here.
_LOUD = ("torch.export", "torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes")


@contextmanager
def quiet() -> Iterator[None]:
    """Without torch's own words on tracing: what matters is said in ``LayerGraph.missing``."""
    levels = [(logging.getLogger(name), logging.getLogger(name).level) for name in _LOUD]
    for loud, _ in levels:
        loud.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for loud, level in levels:
            loud.setLevel(level)
