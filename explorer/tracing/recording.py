"""The fallback: runs the network once and writes down every ATen op and module call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from explorer.graph import Tensor
from explorer.tracing import kinds
from explorer.tracing.assemble import first_names, tensor_of
from explorer.tracing.reading import signature
from explorer.tracing.records import Frame, Record, Value
from explorer.tracing.writing import Invocation, Writer

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
    recorder = _Recorder({names.get(name, name): tensor for name, tensor in tensors.items()})
    recorder.know(example, Value("input", 0, tensor_of(example), _storage(example)))
    with torch.no_grad(), calls(module, recorder.stack), recorder:
        result = module(example)
    leaves, _ = tree_flatten(result)
    results = [recorder.known(leaf) for leaf in leaves if isinstance(leaf, torch.Tensor)]
    return recorder.writer.finish(results)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every op below autograd and keeps what it reads and writes."""

    def __init__(self, parameters: dict[str, torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.writer = Writer()
        self.stack: list[Frame] = []
        self._values: dict[int, Value] = {}
        self._alive: list[torch.Tensor] = []  # An id is only unique while its tensor lives.
        for name, tensor in parameters.items():
            self.know(tensor, Value("", 0, tensor_of(tensor), _storage(tensor), name))

    def know(self, tensor: torch.Tensor, value: Value) -> None:
        self._values[id(tensor)] = value
        self._alive.append(tensor)

    def known(self, tensor: torch.Tensor) -> Value:
        found = self._values.get(id(tensor))
        if found is None:
            found = Value("", 0, tensor_of(tensor), _storage(tensor))
            self.know(tensor, found)
        return found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name, parameters, mutates = signature(func)
        if kinds.base_name(name) in kinds.BOOKKEEPING or name in ("detach", "lift_fresh"):
            for given, made in zip(args, (result,), strict=False):
                if isinstance(given, torch.Tensor) and isinstance(made, torch.Tensor):
                    self.know(made, self.known(given))
            return result
        arguments = dict(parameters)
        arguments.update(
            zip(arguments, tree_map_only(torch.Tensor, self.known, args), strict=False)
        )
        arguments.update(tree_map_only(torch.Tensor, self.known, kwargs))
        made = [leaf for leaf in tree_flatten(result)[0] if isinstance(leaf, torch.Tensor)]
        outputs: list[tuple[Tensor, int]] = [(tensor_of(leaf), _storage(leaf)) for leaf in made]
        call = Invocation(name, arguments, outputs, mutates, tuple(self.stack))
        for tensor, value in zip(made, self.writer.write(call), strict=True):
            self.know(tensor, value)
        return result


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


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
