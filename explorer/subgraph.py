"""A part of a layer graph as a graph of its own, for drawing one block of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.errors import ExplorerError
from explorer.graph import Edge, LayerGraph, ModuleNode, Op
from explorer.i18n import N_


class NoSuchModuleError(ExplorerError):
    """A module call that the network does not have; ``values["module"]`` is its id."""


def subgraph(graph: LayerGraph, modules: Sequence[str]) -> LayerGraph:
    """What runs inside some module calls, with what enters and leaves it as input and output.

    Ids stay those of the whole network. Parameters, MACs and edges are those of the part.

    Args:
        graph: The whole network.
        modules: Ids of calls, none inside another, in order of execution. Of a single one the
            inside is shown; none at all is the whole network.

    Raises:
        NoSuchModuleError: The network has no such call.
    """
    if not modules:
        return graph
    for name in modules:
        if name not in graph.module_by_id:
            raise NoSuchModuleError(
                N_("{model} has no module “{module}”: correct it in history.json."),
                model=graph.model, module=name,
            )  # fmt: skip
    inside = _inside(graph, modules)
    single = modules[0] if len(modules) == 1 else None
    ops = tuple(
        replace(op, module="" if op.module == single else op.module)
        for op in graph.ops
        if op.module in inside
    )
    nodes = tuple(
        replace(node, parent=_parent(node, modules, single))
        for node in graph.modules
        if node.id in inside and node.id != single
    )
    edges = _edges(graph, {op.id for op in ops})
    used = {name for op in ops for name in op.params}
    return LayerGraph(
        model=graph.model,
        input_shape=next((e.tensor.shape for e in edges if e.source == "input"), ()),
        ops=ops,
        modules=(_root(graph, ops, single, used), *nodes),
        edges=edges,
        parameters=tuple(p for p in graph.parameters if p.name in used),
        method=graph.method,
        missing=graph.missing,
        versions=graph.versions,
    )


def _inside(graph: LayerGraph, modules: Sequence[str]) -> set[str]:
    """The calls and everything that they call."""
    found = set(modules)
    for node in graph.modules:  # parents come first
        if node.parent in found:
            found.add(node.id)
    return found


def _parent(node: ModuleNode, modules: Sequence[str], single: str | None) -> str | None:
    return "" if node.id in modules or node.parent == single else node.parent


def _edges(graph: LayerGraph, ops: set[str]) -> tuple[Edge, ...]:
    """Edges inside, and those over the border: one input for each tensor that enters."""
    inputs: dict[tuple[str, int], str] = {}
    found: list[Edge] = []
    leaving: set[tuple[str, int]] = set()
    for edge in graph.edges:
        tensor = (edge.source, edge.index)
        if edge.target in ops:
            source, index = edge.source, edge.index
            if source not in ops:
                number = f"_{len(inputs)}" if inputs else ""
                source, index = inputs.setdefault(tensor, f"input{number}"), 0
            found.append(replace(edge, source=source, index=index))
        elif edge.source in ops and tensor not in leaving:
            leaving.add(tensor)
            found.append(replace(edge, target="output"))
    return tuple(found)


def _root(graph: LayerGraph, ops: tuple[Op, ...], single: str | None, used: set[str]) -> ModuleNode:
    node = graph.module_by_id[single or ""]
    params = [p for p in graph.parameters if p.name in used]
    return replace(
        node, id="", path="", parent=None, macs=sum(op.macs for op in ops),
        total_params=sum(p.tensor.numel for p in params if p.trainable),
        buffers=sum(p.tensor.numel for p in params if not p.trainable),
    )  # fmt: skip
