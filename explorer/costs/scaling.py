"""What a graph costs at another batch size, without tracing again."""

from __future__ import annotations

from dataclasses import replace

from explorer.errors import InputSizeError
from explorer.graph import Edge, LayerGraph, Op, Tensor
from explorer.i18n import N_


def batch_scaled(graph: LayerGraph, batch: int) -> LayerGraph:
    """The graph for ``batch`` images instead of the traced number.

    Whatever depends on the input grows in proportion; what is computed from parameters alone
    (masks, position tables) does not. The first size of each tensor carries the factor, so byte and
    element counts are exact; where the first size is not the batch, the shape is only nominal.

    Raises:
        InputSizeError: The batch is below 1.
    """
    if batch < 1:
        raise InputSizeError(
            N_("A batch of {batch} images cannot be classified; use 1 or more."), batch=batch
        )
    traced = graph.input_shape[0]
    if batch == traced:
        return graph
    grows = _depends_on_input(graph)

    def scaled(tensor: Tensor) -> Tensor:
        if not tensor.shape:
            return tensor
        first, *rest = tensor.shape
        return Tensor((first * batch // traced, *rest), tensor.dtype)

    def scaled_edge(edge: Edge) -> Edge:
        return replace(edge, tensor=scaled(edge.tensor)) if edge.source in grows else edge

    incoming: dict[str, list[Edge]] = {}
    edges = tuple(scaled_edge(edge) for edge in graph.edges)
    for edge in edges:
        incoming.setdefault(edge.target, []).append(edge)

    def scaled_op(op: Op) -> Op:
        if op.id not in grows:
            return op
        return replace(
            op,
            inputs=tuple(edge.tensor for edge in incoming.get(op.id, ())),
            outputs=tuple(scaled(tensor) for tensor in op.outputs),
            macs=op.macs * batch // traced,
        )

    ops = tuple(scaled_op(op) for op in graph.ops)
    return replace(
        graph,
        input_shape=(batch, *graph.input_shape[1:]),
        ops=ops,
        edges=edges,
        modules=tuple(
            replace(
                node,
                inputs=tuple(scaled(tensor) for tensor in node.inputs),
                outputs=tuple(scaled(tensor) for tensor in node.outputs),
                macs=macs,
            )
            for node, macs in zip(graph.modules, _module_macs(graph, ops), strict=True)
        ),
    )


def _depends_on_input(graph: LayerGraph) -> frozenset[str]:
    """The inputs and every op that data from them reaches."""
    incoming: dict[str, list[str]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge.source)
    found = {edge.source for edge in graph.edges if edge.source not in graph.op_by_id}
    for op in graph.ops:
        if any(source in found for source in incoming.get(op.id, ())):
            found.add(op.id)
    return frozenset(found)


def _module_macs(graph: LayerGraph, ops: tuple[Op, ...]) -> list[int]:
    parents = {node.id: node.parent for node in graph.modules}
    macs = dict.fromkeys(parents, 0)
    for op in ops:
        current: str | None = op.module
        while current is not None:
            macs[current] += op.macs
            current = parents[current]
    return [macs[node.id] for node in graph.modules]
