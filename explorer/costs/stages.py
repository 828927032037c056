"""Stages of a network: the stretches between two reductions of its resolution."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod

from explorer.graph import LayerGraph, Op

# Class and register tokens may stand beside the patches of an image.
_EXTRA_TOKENS = 16


def stages(graph: LayerGraph) -> dict[str, str]:
    """The stage of every op.

    An op belongs to the largest resolution that the network still works at from this op on. So a
    squeezed branch (1×1 pixels in the middle of a block) stays in its block's stage, and a stride-2
    branch of an inception module goes with the module until the last op at the larger size has run.
    Resolution is read off convolutions and poolings (height × width) and off linear layers on
    tokens; other ops work at the largest resolution that they read.

    Returns:
        Op id → "112×112", "197 tokens", or "head" once a single position is left.
    """
    sources: dict[str, list[str]] = {}
    for edge in graph.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    sizes: dict[str, tuple[int, str]] = {}
    last = 0
    for op in graph.ops:
        found = _resolution(op, graph.input_shape[0], last)
        if found is not None:
            last = found[0]
        read = [sizes[source] for source in sources.get(op.id, ()) if source in sizes]
        sizes[op.id] = found or max(read, default=(0, ""))
    stage: dict[str, str] = {}
    largest = (1, "head")
    for op in reversed(graph.ops):
        if sizes[op.id][0] > largest[0]:
            largest = sizes[op.id]
        stage[op.id] = largest[1]
    return {op.id: stage[op.id] for op in graph.ops}


def _resolution(op: Op, batch: int, last: int) -> tuple[int, str] | None:
    """Positions that the op works at, and their name; None where it does not tell."""
    if not op.outputs or not op.inputs:
        return None
    shape = op.outputs[0].shape
    if op.kind in ("convolution", "depthwise", "pooling") and len(shape) == 4:
        return prod(shape[2:]), _named(shape[2:])
    if op.target == "linear" and len(shape) > 1:
        positions = prod(shape[:-1]) // max(batch, 1)
        if positions <= last + _EXTRA_TOKENS:  # More are channels in disguise (token mixing).
            side = isqrt(positions)
            square = side * side == positions
            return positions, _named((side, side)) if square else f"{positions} tokens"
    return None


def _named(sides: Sequence[int]) -> str:
    return "head" if prod(sides) == 1 else "×".join(str(side) for side in sides)
