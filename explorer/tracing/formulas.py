"""Multiply–accumulates of one op from its shapes: small functions, one per family, no torch.

The convention is that of ``torch.utils.flop_counter.flop_registry``, halved: a convolution and a
matrix product count one multiply–accumulate per weight and position; bias, normalisation,
activation, pooling, interpolation and elementwise ops count none; causal masks are not deducted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from explorer.graph import Tensor
from explorer.tracing.kinds import CONVOLUTION, RECURRENT, base_name

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One op as it was called.

    Attributes:
        target: ATen name without overload.
        args: Arguments by the names of the schema; tensors as ``Tensor``.
        outputs: Tensors written.
    """

    target: str
    args: Mapping[str, Any]
    outputs: tuple[Tensor, ...]

    def shape(self, *names: str) -> Shape:
        """Shape of the first of these arguments that is there.

        Raises:
            KeyError: None of them is a tensor.
        """
        for name in names:
            value = self.args.get(name)
            if isinstance(value, Tensor):
                return value.shape
        raise KeyError(names)


Formula = Callable[[Call], int]


def convolution(call: Call) -> int:
    """N·positions·weights: every weight meets every output position (input position if transposed).

    The weight's second size is Cin / groups already, so groups need no further division.
    """
    x, weight = call.shape("input", "self"), call.shape("weight")
    transposed = call.target.startswith("conv_transpose") or bool(call.args.get("transposed"))
    spatial_dims = len(weight) - 2
    positions = (x if transposed else call.outputs[0].shape)[-spatial_dims:]
    batch = x[0] if len(x) == len(weight) else 1
    return batch * prod(positions) * prod(weight)


def linear(call: Call) -> int:
    """Positions·Cin·Cout."""
    x, weight = call.shape("input", "self"), call.shape("weight")
    return prod(x[:-1]) * prod(weight)


def matmul(call: Call) -> int:
    """…×m×k by …×k×n: every output element sums over k (the first operand's last size)."""
    first = call.shape("batch1", "mat1", "self", "input")
    return call.outputs[0].numel * first[-1]


def addmm(call: Call) -> int:
    """Bias + m×k by k×n; ``self`` is the bias."""
    first = call.shape("mat1", "batch1", "mat")
    return call.outputs[0].numel * first[-1]


def addbmm(call: Call) -> int:
    """Bias + Σ_b m×k by k×n, summed over the batch."""
    batch, rows, inner = call.shape("batch1")
    return batch * rows * inner * call.shape("batch2")[-1]


def dot(call: Call) -> int:
    """Length of the vectors."""
    return prod(call.shape("self", "input"))


def attention(call: Call) -> int:
    """Q·Kᵀ and the product with V; masks and causality are not deducted.

    Queries … ×s_q×d, keys … ×s_k×d, values … ×s_k×d_v: s_q·s_k·(d + d_v) per head.
    """
    query, key, value = call.shape("query"), call.shape("key"), call.shape("value")
    return prod(query[:-2]) * query[-2] * key[-2] * (query[-1] + value[-1])


def fused_attention_block(call: Call) -> int:
    """``_native_multi_head_attention``: projections in and out and the attention between them."""
    query, key, value = call.shape("query"), call.shape("key"), call.shape("value")
    dim = int(call.args["embed_dim"])
    batch, s_q, s_k = query[0], query[1], key[1]
    projections = batch * (s_q + key[1] + value[1]) * dim * dim + batch * s_q * dim * dim
    return projections + batch * s_q * s_k * 2 * dim


def fused_encoder_layer(call: Call) -> int:
    """``_transformer_encoder_layer_fwd``: the attention block and the two linear layers."""
    batch, length, dim = call.shape("src")
    attended = batch * length * (4 * dim * dim + 2 * length * dim)
    hidden = call.shape("ffn_weight_1")[0]
    return attended + 2 * batch * length * dim * hidden


def einsum(call: Call) -> int:
    """Pairs from left to right; a pair that sums over no index is a plain product and counts 0."""
    operands = [t.shape for t in call.args["tensors"]]
    terms, _, result = str(call.args["equation"]).replace(" ", "").partition("->")
    if "." in terms:
        terms, result, operands = _spell_out_ellipsis(terms, result, operands)
    names = terms.split(",")
    if "->" not in str(call.args["equation"]):
        result = "".join(sorted(c for c in set(terms) - {","} if terms.count(c) == 1))
    sizes: dict[str, int] = {}
    for name, shape in zip(names, operands, strict=True):
        for index, size in zip(name, shape, strict=True):
            sizes[index] = max(sizes.get(index, 1), size)
    total, left = 0, set(names[0])
    for position, name in enumerate(names[1:], start=1):
        later = set(result).union(*names[position + 1 :])
        together = left | set(name)
        left_alone = left & set(name)
        if left_alone - later:
            total += prod(sizes[index] for index in together)
        left = together & later
    return total


def _spell_out_ellipsis(
    terms: str, result: str, operands: list[Shape]
) -> tuple[str, str, list[Shape]]:
    """Replaces "..." by capital letters that are not in use, aligned at the right."""
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in terms]
    names = terms.split(",")
    widest = max(
        len(shape) - len(name.replace("...", ""))
        for name, shape in zip(names, operands, strict=True)
        if "..." in name
    )
    spelled = []
    for name, shape in zip(names, operands, strict=True):
        width = len(shape) - len(name.replace("...", ""))
        spelled.append(name.replace("...", "".join(spare[widest - width : widest])))
    return ",".join(spelled), result.replace("...", "".join(spare[:widest])), operands


def bilinear(call: Call) -> int:
    """x₁ᵀ·W·x₂ per output: every weight meets every position twice; counted once per weight."""
    return prod(call.shape("input1")[:-1]) * prod(call.shape("weight"))


def recurrent(call: Call) -> int:
    """LSTM, GRU and plain recurrence: every weight matrix meets every step of every sequence."""
    x = call.shape("input", "self")
    weights: tuple[Tensor, ...] = call.args["params"]
    return prod(x[:-1]) * sum(p.numel for p in weights if len(p.shape) == 2)


FORMULAS: dict[str, Formula] = {
    **dict.fromkeys(RECURRENT, recurrent),
    **dict.fromkeys(CONVOLUTION, convolution),
    "linear": linear,
    "matmul": matmul,
    "__matmul__": matmul,
    "mm": matmul,
    "bmm": matmul,
    "mv": matmul,
    "inner": matmul,
    "addmm": addmm,
    "baddbmm": addmm,
    "addmv": addmm,
    "addbmm": addbmm,
    "_scaled_mm": matmul,
    "dot": dot,
    "vdot": dot,
    "einsum": einsum,
    "bilinear": bilinear,
    "scaled_dot_product_attention": attention,
    "_scaled_dot_product_efficient_attention": attention,
    "_scaled_dot_product_flash_attention": attention,
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "_scaled_dot_product_cudnn_attention": attention,
    "_scaled_dot_product_attention_math": attention,
    "_scaled_dot_product_attention_math_for_mps": attention,
    "_scaled_dot_product_fused_attention_overrideable": attention,
    "_native_multi_head_attention": fused_attention_block,
    "_transformer_encoder_layer_fwd": fused_encoder_layer,
}


def formula_for(target: str) -> Formula | None:
    """The formula of an op; None when it has none."""
    return FORMULAS.get(base_name(target))
