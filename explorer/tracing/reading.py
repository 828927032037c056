"""Reads the ATen graph of ``torch.export`` into a ``Record``."""

from __future__ import annotations

import logging
import operator
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from explorer.graph import Tensor
from explorer.tracing import kinds
from explorer.tracing.assemble import first_names, storage_of, tensor_of
from explorer.tracing.records import Frame, Record, Value
from explorer.tracing.writing import Invocation, Writer

if TYPE_CHECKING:
    from torch import nn
    from torch._ops import OpOverload

logger = logging.getLogger(__name__)

PASSED_THROUGH = frozenset({"lift_fresh_copy", "lift_fresh", "lift", "alias"})


def read_export(module: nn.Module, program: ExportedProgram) -> Record:
    """The ops, edges and module calls of an exported program."""
    reader = _Reader(module, program)
    return reader.run(program)


class _Reader:
    def __init__(self, module: nn.Module, program: ExportedProgram) -> None:
        self._writer = Writer()
        self._names = first_names(module)
        self._values: dict[fx.Node, Any] = {}
        self._inputs = 0
        self._specs = {
            spec.arg.name: spec
            for spec in program.graph_signature.input_specs
            if hasattr(spec.arg, "name")
        }

    def run(self, program: ExportedProgram) -> Record:
        module = program.graph_module
        for node in module.graph.find_nodes(op="placeholder"):
            self._values[node] = self._placeholder(node)
        results = self._walk(module, ())
        return self._writer.finish(_flat(results))

    def _placeholder(self, node: fx.Node) -> Any:
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            return value
        spec = self._specs.get(node.name)
        tensor, storage = tensor_of(value), storage_of(value)
        if spec is not None and spec.kind in (InputKind.PARAMETER, InputKind.BUFFER):
            name = self._names.get(str(spec.target), str(spec.target))
            return Value("", 0, tensor, storage, name)
        if spec is not None and spec.kind is InputKind.USER_INPUT:
            name = "input" if self._inputs == 0 else f"input_{self._inputs}"
            self._inputs += 1
            return Value(name, 0, tensor, storage)
        return Value("", 0, tensor, storage)

    def _walk(self, module: fx.GraphModule, outer: Sequence[Frame]) -> Any:
        """Walks a graph whose placeholders have values; returns what it outputs."""
        results: Any = ()
        for node in module.graph.nodes:
            if node.op == "call_function":
                self._values[node] = self._call(module, node, outer)
            elif node.op == "output":
                results = self._resolve(node.args[0])
        return results

    def _call(self, module: fx.GraphModule, node: fx.Node, outer: Sequence[Frame]) -> Any:
        target: Any = node.target
        stack = _frames(node) or tuple(outer)
        if target is operator.getitem:
            # Several results are one op; picking one of them is no work.
            picked, index = self._resolve(node.args[0]), node.args[1]
            return picked[index] if isinstance(index, int) and isinstance(picked, tuple) else picked
        if isinstance(target, torch._ops.HigherOrderOperator):
            return self._inline(module, node, stack)
        if not isinstance(target, torch._ops.OpOverload):
            return node.meta.get("val")  # Arithmetic on sizes.
        name, parameters, mutates = _signature(target)
        if kinds.base_name(name) in kinds.BOOKKEEPING:
            return node.meta.get("val")
        if name in PASSED_THROUGH:
            return self._resolve(node.args[0])
        arguments = dict(parameters)
        arguments.update(zip(arguments, self._resolve(node.args), strict=False))
        arguments.update((key, self._resolve(value)) for key, value in node.kwargs.items())
        return self._write(Invocation(name, arguments, _outputs(node), mutates, stack), node)

    def _write(self, call: Invocation, node: fx.Node) -> Any:
        written = iter(self._writer.write(call))
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor):
            return next(written)
        if isinstance(value, list | tuple):
            return tuple(
                next(written) if isinstance(item, torch.Tensor) else None for item in value
            )
        return value

    def _inline(self, module: fx.GraphModule, node: fx.Node, stack: Sequence[Frame]) -> Any:
        """Regions under another gradient or autocast mode are graphs of their own: opened here."""
        bodies = [
            module.get_submodule(str(arg.target))
            for arg in node.args
            if isinstance(arg, fx.Node) and arg.op == "get_attr"
        ]
        given = [
            self._resolve(arg)
            for arg in node.args
            if isinstance(arg, fx.Node) and arg.op != "get_attr"
        ]
        name = str(getattr(node.target, "name", lambda: node.target)())
        if len(bodies) == 1 and name.startswith("wrap"):
            body = bodies[0]
            assert isinstance(body, fx.GraphModule)
            for placeholder, value in zip(
                body.graph.find_nodes(op="placeholder"), given, strict=True
            ):
                self._values[placeholder] = value
            return self._walk(body, stack)
        logger.warning("%s has a body that is not opened; it is listed as not counted", name)
        call = Invocation(
            f"higher_order::{name}", {"operands": given}, _outputs(node), False, stack
        )
        return self._write(call, node)

    def _resolve(self, argument: Any) -> Any:
        if isinstance(argument, fx.Node):
            return self._values.get(argument)
        if isinstance(argument, list | tuple):
            return tuple(self._resolve(item) for item in argument)
        return argument


def _flat(results: Any) -> list[Value]:
    if isinstance(results, Value):
        return [results]
    if isinstance(results, list | tuple):
        return [value for item in results for value in _flat(item)]
    return []


def _outputs(node: fx.Node) -> list[tuple[Tensor, int]]:
    value = node.meta.get("val")
    tensors = value if isinstance(value, list | tuple) else (value,)
    return [
        (tensor_of(item), storage_of(item)) for item in tensors if isinstance(item, torch.Tensor)
    ]


def _frames(node: fx.Node) -> tuple[Frame, ...]:
    """The module calls around a node; "@1" on a key of torch's is the second call of the path."""
    frames = []
    for key, (path, source) in (node.meta.get("nn_module_stack") or {}).items():
        repeat = key.rpartition("@")[2] if "@" in key else "0"
        name = f"{path}@{int(repeat) + 1}" if repeat.isdigit() and repeat != "0" else path
        frames.append(Frame(name, path, source if isinstance(source, str) else _qualified(source)))
    return tuple(frames)


def _qualified(source: type) -> str:
    return f"{source.__module__}.{source.__qualname__}"


@cache
def _signature(target: OpOverload) -> tuple[str, tuple[tuple[str, Any], ...], bool]:
    """Name without overload, arguments with their defaults, and whether the first is written to."""
    schema = target._schema
    namespace, _, name = schema.name.partition("::")
    parameters = tuple(
        (argument.name, argument.default_value if argument.has_default_value() else None)
        for argument in schema.arguments
    )
    mutates = any(
        argument.alias_info is not None and argument.alias_info.is_write
        for argument in schema.arguments
    )
    return (name if namespace == "aten" else f"{namespace}::{name}"), parameters, mutates


signature = _signature
