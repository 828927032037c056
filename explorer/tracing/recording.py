"""The fallback: runs the network once and writes down every ATen op and module call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.tracing import kinds
from explorer.tracing.assemble import first_names
from explorer.tracing.ledger import Ledger
from explorer.tracing.reading import signature
from explorer.tracing.records import Frame, Record

if TYPE_CHECKING:
    from torch import nn


def record_forward(module: nn.Module, example: torch.Tensor, *, values: bool = True) -> Record:
    """Walks one forward pass by running it.

    Args:
        module: In evaluation mode.
        example: The input.
        values: True computes for real, so that branches on values can be followed. False runs on
            tensors without values, at no cost in time or memory.

    Raises:
        Exception: Whatever the forward pass raises.
    """
    if values:
        return _record(module, example, dict(all_tensors(module)))
    with _numpy_needs_values():
        return _record_fakes(module, example)


class NeedsValuesError(RuntimeError):
    """The forward pass asks for the values of a tensor that has none."""


@contextmanager
def _numpy_needs_values() -> Iterator[None]:
    """Tells a tensor that is turned into numbers apart from a wrong shape."""
    try:
        yield
    except RuntimeError as error:
        if ".numpy()" in str(error) or ".tolist()" in str(error):
            raise NeedsValuesError(str(error)) from error
        raise


def _record_fakes(module: nn.Module, example: torch.Tensor) -> Record:
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    fakes: dict[str, torch.Tensor] = {
        name: mode.from_tensor(tensor) for name, tensor in all_tensors(module)
    }
    with mode, torch.nn.utils.stateless._reparametrize_module(module, fakes):
        return _record(module, mode.from_tensor(example), fakes)


def all_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters, then buffers, by name."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def _record(module: nn.Module, example: torch.Tensor, tensors: dict[str, torch.Tensor]) -> Record:
    names = first_names(module)
    ledger = Ledger({names.get(name, name): tensor for name, tensor in tensors.items()}, example)
    with torch.no_grad(), calls(module, ledger.stack), _Watch(ledger):
        result = module(example)
    return ledger.finish(result)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every op below autograd."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._ledger = ledger

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name, _, _ = signature(func)
        if kinds.base_name(name) in kinds.BOOKKEEPING or name in ("detach", "lift_fresh"):
            for given, made in zip(args, (result,), strict=False):
                if isinstance(given, torch.Tensor) and isinstance(made, torch.Tensor):
                    self._ledger.know(made, self._ledger.known(given))
        else:
            self._ledger.write(func, args, kwargs or {}, result)
        return result


@contextmanager
def calls(module: nn.Module, stack: list[Frame]) -> Iterator[None]:
    """Keeps ``stack`` at the module calls that are under way; the hooks are removed at the end."""
    repeats: Counter[str] = Counter()

    def enter(path: str, source: str) -> Any:
        def hook(called: nn.Module, args: Any) -> None:
            repeats[path] += 1
            count = repeats[path]
            stack.append(Frame(f"{path}@{count}" if count > 1 else path, path, source))

        return hook

    def leave(called: nn.Module, args: Any, result: Any) -> None:
        stack.pop()

    with ExitStack() as hooks:
        for path, part in module.named_modules():
            kind = type(part)
            before = part.register_forward_pre_hook(
                enter(path, f"{kind.__module__}.{kind.__qualname__}")
            )
            hooks.callback(before.remove)
            hooks.callback(part.register_forward_hook(leave).remove)
        yield
