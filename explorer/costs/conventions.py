"""What a count counts: multiply–accumulates, FLOPs, or the operations of the 2016 chart."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from math import ceil, prod

from explorer.graph import LayerGraph, Op


class Convention(StrEnum):
    """How the work of an op is counted.

    Attributes:
        MACS: Multiply–accumulates of convolutions, matrix products and attention; nothing else.
        FLOPS: Two per multiply–accumulate.
        CANZIANI: The counter behind figure 2 of Canziani, Paszke & Culurciello 2016
            (arXiv:1605.07678): ``apaszke/torch-opCounter`` at 0f1f35e. Convolution: outputs times
            (2·kH·kW·Cin + 1), groups ignored; linear: 2·weights + biases; ReLU: 1 per input
            element; pooling: k² per output position, channels not multiplied; addition: 2 per
            element; log-softmax: 3 per class; batch normalisation and dropout: 0. That counter
            knew no attention and no other activation: here products of two activations count 2
            per multiply–accumulate, and other activations 0.
    """

    MACS = "macs"
    FLOPS = "flops"
    CANZIANI = "canziani"


def count(graph: LayerGraph, convention: Convention = Convention.MACS) -> int:
    """The network's total in this convention, batch as traced."""
    return sum(op_count(op, convention) for op in graph.ops)


def op_count(op: Op, convention: Convention = Convention.MACS) -> int:
    """One op's count in this convention."""
    if convention is Convention.MACS:
        return op.macs
    if convention is Convention.FLOPS:
        return 2 * op.macs
    return canziani_ops(op)


def uncounted(graph: LayerGraph) -> list[tuple[str, int]]:
    """Ops that may multiply and have no formula: (target, how many), most frequent first.

    When the list is not empty, totals are "at least".
    """
    return Counter(op.target for op in graph.ops if not op.counted).most_common()


_RELU = frozenset(
    {"relu", "relu6", "leaky_relu", "prelu", "_prelu_kernel", "hardtanh", "threshold"}
)


def canziani_ops(op: Op) -> int:
    """Operations of one op as the counter of the 2016 chart has them (``Convention.CANZIANI``)."""
    base = op.target[:-1] if op.target.endswith("_") else op.target
    if op.kind in ("convolution", "depthwise"):
        kernel, channels = op.attributes.get("kernel"), op.attributes.get("in_channels")
        if kernel is None or channels is None:
            return 2 * op.macs
        return op.outputs[0].numel * (2 * int(prod(kernel)) * int(channels) + 1)
    if op.kind == "pooling" or _is_spatial_mean(op):
        return _pooling(op)
    if base in _RELU:
        return op.inputs[0].numel if op.inputs else 0
    if base == "add":
        return 2 * op.outputs[0].numel if len(op.inputs) > 1 else 0
    if base in ("log_softmax", "_log_softmax"):
        return 3 * op.outputs[0].numel
    if base == "linear" and op.attributes.get("bias"):
        return 2 * op.macs + op.outputs[0].numel
    if base == "addmm":
        return 2 * op.macs + op.outputs[0].numel
    return 2 * op.macs


def _is_spatial_mean(op: Op) -> bool:
    """A mean over both sides of an image is average pooling by another name."""
    dims = op.attributes.get("dim")
    if op.target != "mean" or not op.inputs or not isinstance(dims, tuple):
        return False
    rank = len(op.inputs[0].shape)
    return rank == 4 and sorted(d % rank for d in dims) == [2, 3]


def _pooling(op: Op) -> int:
    """The window's size at every output position, batch included, channels not multiplied."""
    read, written = op.inputs[0].shape, op.outputs[0].shape
    kernel = op.attributes.get("kernel")
    if kernel is None:
        # Adaptive pooling, or a mean: the window that this size of input makes.
        sides = written[2:] if len(written) == len(read) else ()
        windows = [
            ceil(before / after) for before, after in zip(read[2:], sides or (1, 1), strict=False)
        ]
        positions = prod(sides)
    else:
        windows, positions = list(kernel), prod(written[-len(kernel) :])
    batch = read[0] if len(read) == len(windows) + 2 else 1
    return batch * positions * prod(windows)
