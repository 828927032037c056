"""Writes ops and edges down while a network is walked; the same for every way of walking.

In-place ops and views make the dataflow harder than the calls show: an op that writes into memory
is also the source of everything that reads the same memory later through another name. The writer
keeps the last op that wrote to each piece of memory and adds the edge where no call shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.graph import Edge, Op, Tensor
from explorer.tracing import kinds
from explorer.tracing.formulas import Call, formula_for
from explorer.tracing.records import Frame, Record, Value, plain

# Names of ATen's schemas that say the same thing, under the one that pages show.
_RENAMED = {"kernel_size": "kernel", "dilations": "dilation"}
_NOISE = frozenset({"memory_format", "pin_memory", "non_blocking", "layout", "device", "generator"})
_SPATIAL = ("stride", "padding", "dilation", "output_padding", "kernel")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One op as a tracer saw it.

    Attributes:
        target: ATen name without overload; "namespace::name" outside ATen.
        arguments: By the schema's names, defaults filled in; tensors as ``Value``.
        outputs: Shape, dtype and memory of each tensor written, in order.
        mutates: Whether it writes into its first argument.
        stack: Module calls around it, root first.
    """

    target: str
    arguments: Mapping[str, Any]
    outputs: Sequence[tuple[Tensor, int]]
    mutates: bool
    stack: Sequence[Frame]


class Writer:
    """Collects a ``Record``, one ``Invocation`` after another."""

    def __init__(self) -> None:
        self.record = Record()
        self._order: dict[str, int] = {}
        self._last_write: dict[int, Value] = {}
        self._counts: Counter[str] = Counter()

    def write(self, call: Invocation) -> tuple[Value, ...]:
        """Adds the op with its edges.

        Returns:
            The tensors that it wrote, in order.
        """
        read = _values(call.arguments.values())
        self.record.used.update(value.param for value in read if value.param)
        if kinds.base_name(call.target) in kinds.GENERATORS:
            read = []
        flows = self._with_hidden_writes([value for value in read if value.source])
        op_id = self._name(call.target)
        aliased = {value.storage for value in read}
        shared = bool(call.outputs) and all(storage in aliased for _, storage in call.outputs)
        macs, counted = _macs(call)
        op = Op(
            id=op_id,
            target=call.target,
            kind=_kind(call),
            module=self._enter(call.stack),
            inputs=tuple(value.tensor for value in flows),
            outputs=tuple(tensor for tensor, _ in call.outputs),
            attributes=_attributes(call),
            params=tuple(dict.fromkeys(value.param for value in read if value.param)),
            macs=macs,
            counted=counted,
            view=shared and not _writes(call),
        )
        self._order[op_id] = len(self.record.ops)
        self.record.ops.append(op)
        for value in flows:
            self.record.edges.append(Edge(value.source, op_id, value.tensor, value.index))
        written = tuple(
            Value(op_id, index, tensor, storage)
            for index, (tensor, storage) in enumerate(call.outputs)
        )
        if call.mutates and not op.view:
            self._last_write.update((value.storage, value) for value in written)
        return written

    def finish(self, results: Sequence[Value]) -> Record:
        """Adds the edges to "output" and hands the record out."""
        for value in self._with_hidden_writes([value for value in results if value.source]):
            self.record.edges.append(Edge(value.source, "output", value.tensor, value.index))
        return self.record

    def _with_hidden_writes(self, read: list[Value]) -> list[Value]:
        """The values read and, for memory that was overwritten since, the op that did it."""
        flows = list(read)
        for value in read:
            writer = self._last_write.get(value.storage)
            if writer is None or any(known.source == writer.source for known in flows):
                continue
            if self._order.get(value.source, -1) < self._order[writer.source]:
                flows.append(writer)
        return flows

    def _name(self, target: str) -> str:
        base = kinds.base_name(target).rpartition("::")[2].strip("_") or "op"
        base = f"{base}_op" if base in ("input", "output") else base
        self._counts[base] += 1
        return f"{base}_{self._counts[base]}"

    def _enter(self, stack: Sequence[Frame]) -> str:
        parent = ""
        for frame in stack:
            self.record.frames.setdefault(frame.id, (frame, parent))
            parent = frame.id
        return parent


# In-place ops of the kind "layout" that do write data, unlike ``squeeze_`` or ``t_``.
_WRITING_LAYOUT = frozenset(
    {"copy", "fill", "zero", "index_put", "index_add", "scatter", "scatter_add", "scatter_reduce"}
)


def _writes(call: Invocation) -> bool:
    """Whether it changes values in memory that was there before; ``squeeze_`` changes none."""
    base = kinds.base_name(call.target)
    moves_only = kinds.kind_of(call.target) == "layout" and base not in _WRITING_LAYOUT
    return call.mutates and not moves_only


def _values(arguments: Any) -> list[Value]:
    found: list[Value] = []
    for argument in arguments:
        if isinstance(argument, Value):
            found.append(argument)
        elif isinstance(argument, list | tuple):
            found.extend(_values(argument))
    return found


def _tensors(argument: Any) -> Any:
    if isinstance(argument, Value):
        return argument.tensor
    if isinstance(argument, list | tuple):
        return tuple(_tensors(item) for item in argument)
    return argument


def _macs(call: Invocation) -> tuple[int, bool]:
    """Multiply–accumulates, and whether they are known."""
    formula = formula_for(call.target)
    if formula is None:
        return 0, kinds.is_known(call.target) and kinds.base_name(call.target) not in kinds.LINEAR
    arguments = {name: _tensors(argument) for name, argument in call.arguments.items()}
    return formula(Call(call.target, arguments, tuple(tensor for tensor, _ in call.outputs))), True


def _kind(call: Invocation) -> str:
    kind = kinds.kind_of(call.target)
    if kind != "convolution":
        return kind
    groups = int(call.arguments.get("groups", 1))
    weight = call.arguments.get("weight")
    if groups > 1 and isinstance(weight, Value):
        transposed = call.target.startswith("conv_transpose") or call.arguments.get("transposed")
        channels = weight.tensor.shape[0] if transposed else weight.tensor.shape[1] * groups
        return "depthwise" if channels == groups else kind
    return kind


def _attributes(call: Invocation) -> dict[str, Any]:
    """The arguments that are not tensors, by name, with sizes spelled out per dimension."""
    found = {
        _RENAMED.get(name, name): plain(argument)
        for name, argument in call.arguments.items()
        if argument is not None and name not in _NOISE and not _values([argument])
    }
    weight = call.arguments.get("weight")
    if kinds.base_name(call.target) in kinds.CONVOLUTION and isinstance(weight, Value):
        found |= _convolution_attributes(call, weight.tensor.shape)
    elif call.target == "linear" and isinstance(weight, Value):
        found["in_features"] = weight.tensor.shape[-1]
        found["out_features"] = weight.tensor.shape[0] if len(weight.tensor.shape) > 1 else 1
        found["bias"] = isinstance(call.arguments.get("bias"), Value)
    if "kernel" in found:
        dims = len(weight.tensor.shape) - 2 if isinstance(weight, Value) else _digits(call.target)
        if kinds.kind_of(call.target) == "pooling" and not found.get("stride"):
            found["stride"] = found["kernel"]
        for name in _SPATIAL:
            found[name] = _per_dimension(found[name], dims) if name in found else None
            if found[name] is None:
                del found[name]
        if isinstance(found.get("padding"), str):
            found |= _named_padding(found)
    return found


def _convolution_attributes(call: Invocation, weight: tuple[int, ...]) -> dict[str, Any]:
    groups = int(call.arguments.get("groups", 1))
    transposed = call.target.startswith("conv_transpose") or bool(call.arguments.get("transposed"))
    first, second = weight[0], weight[1] * groups
    return {
        "kernel": weight[2:],
        "groups": groups,
        "in_channels": first if transposed else second,
        "out_channels": second if transposed else first,
        "bias": isinstance(call.arguments.get("bias"), Value),
    }


def _named_padding(found: dict[str, Any]) -> dict[str, Any]:
    """Padding "same" or "valid" in numbers: what is added in front; the odd one goes behind."""
    total = [
        d * (k - 1) if found["padding"] == "same" else 0
        for k, d in zip(found["kernel"], found["dilation"], strict=True)
    ]
    return {"padding": tuple(t // 2 for t in total), "padding_mode": found["padding"]}


def _per_dimension(value: Any, dims: int) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = (value,)
    if isinstance(value, tuple) and len(value) == 1:
        return value * dims
    return value


def _digits(target: str) -> int:
    """Spatial dimensions from the name: "max_pool2d" → 2."""
    return next((int(c) for c in target if c in "123"), 2)
