"""Arithmetic intensity: work per byte that has to move between memory and processor."""

from __future__ import annotations

from explorer.graph import LayerGraph, Op


def bytes_moved(graph: LayerGraph) -> dict[str, int]:
    """Bytes each op reads and writes at least once: inputs, parameters, outputs; views none."""
    sizes = {p.name: p.tensor.nbytes for p in graph.parameters}
    return {op.id: _moved(op, sizes) for op in graph.ops}


def arithmetic_intensity(graph: LayerGraph) -> dict[str, float]:
    """FLOPs (two per multiply–accumulate) per byte moved, for each op; 0 for ops without MACs.

    Every tensor is moved once, at the traced dtype and batch: the best that a cache can do, as in
    the roofline model (Williams, Waterman & Patterson 2009, doi:10.1145/1498765.1498785).
    """
    moved = bytes_moved(graph)
    return {op.id: 2 * op.macs / moved[op.id] if moved[op.id] else 0.0 for op in graph.ops}


def _moved(op: Op, sizes: dict[str, int]) -> int:
    if op.view:
        return 0
    read = sum(tensor.nbytes for tensor in op.inputs)
    return read + sum(sizes.get(name, 0) for name in op.params) + op.output_bytes
