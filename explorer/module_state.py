"""A network in eval mode for a while, and put back as it was, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


@contextmanager
def preserved(module: nn.Module) -> Iterator[nn.Module]:
    """Eval mode without gradients of its own inside; all as before outside, also after an error.

    What is put back: the mode of every submodule, ``requires_grad`` and ``grad`` of every
    parameter, and the hooks, of which those added inside are removed.
    """
    modes = [(part, part.training) for part in module.modules()]
    parameters = [(p, p.requires_grad, p.grad) for p in module.parameters()]
    hooks = [
        (table, set(table))
        for part in module.modules()
        for table in (getattr(part, name) for name in _HOOKS)
    ]
    for parameter, _, _ in parameters:
        parameter.grad = None
    module.eval()
    try:
        yield module
    finally:
        for table, before in hooks:
            for key in [key for key in table if key not in before]:
                del table[key]
        for parameter, requires_grad, grad in parameters:
            parameter.requires_grad_(requires_grad)
            parameter.grad = grad
        for part, training in modes:
            part.training = training
