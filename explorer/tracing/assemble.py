"""From what a tracer wrote down to ``LayerGraph``: module calls, boundaries, parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.graph import Edge, LayerGraph, ModuleNode, Parameter, Tensor
from explorer.tracing.records import Frame, Record

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, slots=True)
class Origin:
    """What a graph says about itself besides its ops.

    Attributes:
        model: Catalog id or class name.
        input_shape: Batch first.
        method: "export", "draft_export" or "hooks".
        missing: What the method could not see, one sentence each.
        versions: Library versions.
    """

    model: str
    input_shape: tuple[int, ...]
    method: str
    missing: tuple[str, ...]
    versions: dict[str, str]


def tensor_of(value: torch.Tensor) -> Tensor:
    """Shape and dtype of a torch tensor."""
    return Tensor(tuple(int(size) for size in value.shape), str(value.dtype)[6:])


def storage_of(value: torch.Tensor) -> int:
    """A number for the memory that a tensor is in; views share it."""
    return int(value.untyped_storage()._cdata)


def first_names(module: nn.Module) -> dict[str, str]:
    """Every name of a parameter or buffer → the first name that it has."""
    first: dict[int, str] = {}
    names: dict[str, str] = {}
    for found in (module.named_parameters, module.named_buffers):
        for name, tensor in found(remove_duplicate=False):
            names[name] = first.setdefault(id(tensor), name)
    return names


def assemble(module: nn.Module, record: Record, origin: Origin) -> LayerGraph:
    """The layer graph of a network that was walked."""
    return LayerGraph(
        model=origin.model,
        input_shape=origin.input_shape,
        ops=tuple(record.ops),
        modules=tuple(_modules(module, record)),
        edges=tuple(record.edges),
        parameters=tuple(_parameters(module, record.used)),
        method=origin.method,
        missing=origin.missing,
        versions=origin.versions,
    )


def _parameters(module: nn.Module, used: set[str]) -> Iterable[Parameter]:
    """Parameters, then buffers; what the forward pass never reads belongs to an auxiliary head.

    A buffer that is not read (a batch counter) is auxiliary when all parameters beside it are.
    """
    beside: dict[str, set[bool]] = {}
    for name, parameter in module.named_parameters():
        aux = name not in used
        beside.setdefault(name.rpartition(".")[0], set()).add(aux)
        yield Parameter(name, tensor_of(parameter), trainable=True, aux=aux)
    for name, buffer in module.named_buffers():
        aux = name not in used and beside.get(name.rpartition(".")[0]) == {True}
        yield Parameter(name, tensor_of(buffer), trainable=False, aux=aux)


def _modules(module: nn.Module, record: Record) -> Iterable[ModuleNode]:
    root = type(module)
    frames: dict[str, tuple[Frame, str | None]] = {
        "": (Frame("", "", f"{root.__module__}.{root.__qualname__}"), None)
    }
    frames |= {name: found for name, found in record.frames.items() if name}
    chains = {name: _chain(name, frames) for name in frames}
    macs = dict.fromkeys(frames, 0)
    where: dict[str, tuple[str, ...]] = {}
    for op in record.ops:
        where[op.id] = chains[op.module]
        for name in chains[op.module]:
            macs[name] += op.macs
    inputs, outputs = _boundaries(record.edges, where)
    for name, (frame, parent) in frames.items():
        called = module.get_submodule(frame.path)
        yield ModuleNode(
            id=name,
            path=frame.path,
            parent=parent,
            class_name=frame.source.rpartition(".")[2],
            source=frame.source,
            inputs=tuple(inputs.get(name, {}).values()),
            outputs=tuple(outputs.get(name, {}).values()),
            own_params=sum(p.numel() for p in called.parameters(recurse=False)),
            total_params=sum(p.numel() for p in called.parameters()),
            buffers=sum(b.numel() for b in called.buffers()),
            macs=macs[name],
        )


def _chain(name: str, frames: dict[str, tuple[Frame, str | None]]) -> tuple[str, ...]:
    """The module call and all that it is inside of, root last."""
    chain: list[str] = []
    current: str | None = name
    while current is not None:
        chain.append(current)
        current = frames[current][1]
    return tuple(chain)


_Crossing = dict[str, dict[tuple[str, int], Tensor]]


def _boundaries(
    edges: Iterable[Edge], where: dict[str, tuple[str, ...]]
) -> tuple[_Crossing, _Crossing]:
    """Tensors that enter and leave each module call, each once, in order of use."""
    inputs: _Crossing = {}
    outputs: _Crossing = {}
    for edge in edges:
        start, end = where.get(edge.source, ()), where.get(edge.target, ())
        if start == end:
            continue
        key = (edge.source, edge.index)
        for name in end:
            if name not in start:
                inputs.setdefault(name, {}).setdefault(key, edge.tensor)
        for name in start:
            if name not in end:
                outputs.setdefault(name, {}).setdefault(key, edge.tensor)
    return inputs, outputs
