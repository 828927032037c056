"""Receptive fields: the pixels of the input that one position of a feature map can see.

Recurrences of Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019 (doi:10.23915/distill.00021), carried forward per side: an output position at index i
sees the pixels ``low + i·stride … high + i·stride``. A convolution of kernel k, stride s, dilation
d and padding p makes them ``low − p·stride``, ``high + (d·(k−1) − p)·stride`` and ``stride·s``.

Conventions: at branches that meet, the union of what they see (equal to the largest branch where
they are centred); pixels of the padding count, so fields may exceed the image; normalisation is
followed position by position; a branch squeezed to 1×1 that only scales the others (squeeze-and-
excitation) is not followed. Ops behind attention, or behind a flattening of several positions, have
no entry: they see everything, and the recurrences say nothing about them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from explorer.graph import Edge, LayerGraph, Op, Tensor


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """What one position of an op's output sees, in pixels of the input; (height, width) each.

    Attributes:
        size: Pixels.
        stride: Pixels between what neighbouring positions see; also called jump.
        offset: Centre of what the first position sees; pixel centres are at whole numbers.
    """

    size: tuple[int, int]
    stride: tuple[float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Per side: first and last pixel of the first position, and the step; where the sides are."""

    low: tuple[float, float]
    high: tuple[float, float]
    step: tuple[float, float]
    sides: tuple[int, int]  # Dimensions of the tensor that are height and width.


def receptive_fields(graph: LayerGraph) -> dict[str, ReceptiveField]:
    """Receptive field, stride and offset of every op on a convolutional path.

    VGG-16: 196 at conv5_3 and 212 at pool5; AlexNet: 195 at pool5; ResNet-18: 435 at layer4 (the
    tables of Araujo et al. 2019).

    Returns:
        Op id → field; ops that are on no convolutional path are left out.
    """
    seen: dict[tuple[str, int], _Seen | None] = {}
    incoming: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge)
        if edge.source not in graph.op_by_id and len(edge.tensor.shape) == 4:
            seen[edge.source, edge.index] = _Seen((0, 0), (0, 0), (1, 1), (2, 3))
    found: dict[str, ReceptiveField] = {}
    for op in graph.ops:
        arriving = [
            (edge.tensor, seen.get((edge.source, edge.index))) for edge in incoming.get(op.id, ())
        ]
        result = _through(op, arriving)
        for index in range(len(op.outputs)):
            seen[op.id, index] = result
        if result is not None:
            found[op.id] = _field(result)
    return found


def _field(seen: _Seen) -> ReceptiveField:
    (top, left), (bottom, right) = seen.low, seen.high
    return ReceptiveField(
        size=(round(bottom - top) + 1, round(right - left) + 1),
        stride=seen.step,
        offset=((top + bottom) / 2, (left + right) / 2),
    )


_Arriving = list[tuple[Tensor, _Seen | None]]
_POINTWISE = frozenset({"elementwise", "activation", "normalisation"})
_SAME_PLACE = frozenset(
    {"contiguous", "clone", "to", "_to_copy", "type_as", "alias", "detach", "copy", "float", "half"}
)


def _through(op: Op, arriving: _Arriving) -> _Seen | None:
    """What the op's output sees, from what its inputs see."""
    if not arriving or not op.outputs:
        return None
    tensor, first = arriving[0]
    base = op.target[:-1] if op.target.endswith("_") else op.target
    if base == "cat" or (op.kind in _POINTWISE and len(arriving) > 1):
        return _met(op, arriving)
    if first is None:
        return None
    if op.kind in ("convolution", "depthwise"):
        return _window(op, first) if not base.startswith("conv_transpose") else None
    if op.kind == "pooling":
        return _pooled(op, tensor, first)
    if base in ("mean", "amax", "sum", "max"):
        return _reduced(op, tensor, first)
    if base == "linear":
        # Pointwise over positions as long as neither side is the one that is mixed.
        return first if len(tensor.shape) - 1 not in first.sides else None
    if op.kind in _POINTWISE or base in _SAME_PLACE:
        return first if op.outputs[0].shape == tensor.shape else None
    return _moved(op, base, tensor, first)


def _window(op: Op, seen: _Seen) -> _Seen | None:
    kernel, stride = op.attributes.get("kernel"), op.attributes.get("stride")
    if seen.sides != (2, 3) or not _pair(kernel) or not _pair(stride):
        return None
    padding = op.attributes.get("padding") or (0, 0)
    dilation = op.attributes.get("dilation") or (1, 1)
    return _step(seen, kernel, stride, (padding, dilation))


def _step(
    seen: _Seen, kernel: Any, stride: Any, spread: tuple[Any, Any] = ((0, 0), (1, 1))
) -> _Seen:
    """The recurrence; ``spread`` is (padding, dilation)."""
    padding, dilation = spread
    low = tuple(seen.low[a] - padding[a] * seen.step[a] for a in (0, 1))
    high = tuple(
        seen.high[a] + (dilation[a] * (kernel[a] - 1) - padding[a]) * seen.step[a] for a in (0, 1)
    )
    step = tuple(seen.step[a] * stride[a] for a in (0, 1))
    return _Seen((low[0], low[1]), (high[0], high[1]), (step[0], step[1]), seen.sides)


def _pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _pooled(op: Op, tensor: Tensor, seen: _Seen) -> _Seen | None:
    kernel = op.attributes.get("kernel")
    if isinstance(kernel, tuple) and len(kernel) == 3:
        return _over_channels(op, tensor, seen)
    if kernel is not None:
        return _window(op, seen)
    return _shrunk(tensor, op.outputs[0].shape[-2:], seen) if seen.sides == (2, 3) else None


def _over_channels(op: Op, tensor: Tensor, seen: _Seen) -> _Seen | None:
    """Pooling in three dimensions, of which local response normalisation uses one: the channels."""
    rank = len(tensor.shape)
    if seen.sides != (rank - 2, rank - 1):
        return None
    kernel, stride = op.attributes["kernel"][1:], op.attributes["stride"][1:]
    padding = (op.attributes.get("padding") or (0, 0, 0))[1:]
    return _step(seen, kernel, stride, (padding, (1, 1)))


def _shrunk(tensor: Tensor, after: tuple[int, ...], seen: _Seen) -> _Seen | None:
    """Adaptive pooling: windows of before/after positions; the widest where that is no whole."""
    before = [tensor.shape[side] for side in seen.sides]
    kernel = [-(-b // a) for b, a in zip(before, after, strict=True)]
    stride = [b / a for b, a in zip(before, after, strict=True)]
    return _step(seen, kernel, stride)


def _reduced(op: Op, tensor: Tensor, seen: _Seen) -> _Seen | None:
    """A mean over both sides sees the whole map; over channels alone it changes nothing."""
    dims = op.attributes.get("dim")
    dims = (dims,) if isinstance(dims, int) else dims
    if not isinstance(dims, tuple):
        return None
    over = {int(dim) % len(tensor.shape) for dim in dims}
    keeps = bool(op.attributes.get("keepdim"))
    if not over & set(seen.sides):
        if keeps:
            return seen
        sides = [side - sum(dim < side for dim in over) for side in seen.sides]
        return replace(seen, sides=(sides[0], sides[1]))
    if over >= set(seen.sides) and keeps:
        return _shrunk(tensor, (1, 1), seen)
    return None


def _met(op: Op, arriving: _Arriving) -> _Seen | None:
    """The union over branches; scalars, parameters' tables and 1×1 gates take no part."""
    shape = op.outputs[0].shape
    branches: list[_Seen] = []
    for tensor, seen in arriving:
        rank = len(shape)
        sides = seen.sides if seen is not None else (2, 3)
        if len(tensor.shape) != rank or max(sides) >= rank:
            if seen is None and tensor.numel > 1 and len(tensor.shape) >= rank:
                return None
            continue
        gate = prod(tensor.shape[s] for s in sides) == 1 < prod(shape[s] for s in sides)
        if gate:
            continue
        if seen is None:
            return None
        branches.append(seen)
    if not branches or any(b.sides != branches[0].sides for b in branches):
        return None
    return _Seen(
        low=(min(b.low[0] for b in branches), min(b.low[1] for b in branches)),
        high=(max(b.high[0] for b in branches), max(b.high[1] for b in branches)),
        step=(max(b.step[0] for b in branches), max(b.step[1] for b in branches)),
        sides=branches[0].sides,
    )


def _moved(op: Op, base: str, tensor: Tensor, seen: _Seen) -> _Seen | None:
    """Layout ops that keep height and width in sight."""
    after = op.outputs[0].shape
    if base in ("permute", "transpose"):
        order = _order(op, base, len(tensor.shape))
        return replace(seen, sides=(order.index(seen.sides[0]), order.index(seen.sides[1])))
    if base in ("constant_pad_nd", "pad"):
        return _padded(op, tensor, seen)
    if base in ("slice", "narrow", "select"):
        dim = int(op.attributes.get("dim", 0)) % len(tensor.shape)
        return seen if base == "slice" and dim not in seen.sides else None
    if base in ("split", "chunk", "split_with_sizes"):
        dim = int(op.attributes.get("dim", 0)) % len(tensor.shape)
        return seen if dim not in seen.sides else None
    if base in ("flatten", "squeeze", "unsqueeze", "view", "reshape", "unflatten"):
        return _reshaped(tensor, after, seen)
    return None


def _order(op: Op, base: str, rank: int) -> list[int]:
    """Where each dimension of the output comes from."""
    if base == "permute":
        return [int(dim) % rank for dim in op.attributes["dims"]]
    order = list(range(rank))
    first, second = (int(op.attributes[name]) % rank for name in ("dim0", "dim1"))
    order[first], order[second] = order[second], order[first]
    return order


def _padded(op: Op, tensor: Tensor, seen: _Seen) -> _Seen | None:
    """Padding in front moves the first position out of the image by that many steps."""
    pad = op.attributes.get("pad")
    if not isinstance(pad, tuple):
        return None
    rank = len(tensor.shape)
    front = [0, 0]
    for number, side in enumerate(seen.sides):
        place = 2 * (rank - 1 - side)
        front[number] = pad[place] if place < len(pad) else 0
    low = tuple(seen.low[a] - front[a] * seen.step[a] for a in (0, 1))
    high = tuple(seen.high[a] - front[a] * seen.step[a] for a in (0, 1))
    return replace(seen, low=(low[0], low[1]), high=(high[0], high[1]))


def _reshaped(tensor: Tensor, after: tuple[int, ...], seen: _Seen) -> _Seen | None:
    """Channels may be regrouped (shuffles) while height and width stay the last two dimensions."""
    sizes = tuple(tensor.shape[side] for side in seen.sides)
    rank = len(tensor.shape)
    if seen.sides == (rank - 2, rank - 1) and len(after) >= 3 and after[-2:] == sizes:
        return replace(seen, sides=(len(after) - 2, len(after) - 1))
    return None
