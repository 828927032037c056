"""Multiply–accumulates of one op as a product with the numbers put in; no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from explorer.graph import Op
from explorer.i18n import N_


@dataclass(frozen=True, slots=True)
class Formula:
    """How the multiply–accumulates of an op come about.

    Attributes:
        names: What is multiplied, in words (English, msgid); "" where nothing is.
        product: "3×3×64×128×56×56 = 231,211,008"; "0" where the convention counts none, "" where
            no formula with factors is known.
        why: One sentence on the convention (English, msgid); "" where the product says it all.
    """

    names: str
    product: str
    why: str = ""


NOTHING_BY_CONVENTION = N_(
    "Counts 0 multiply–accumulates by convention: normalisation, activation, pooling, copies and "
    "elementwise operations are not counted."
)
UNKNOWN = N_("No formula is known for this operation; totals with it are lower bounds.")


def formula(op: Op) -> Formula:
    """The product behind ``op.macs``; it multiplies out to exactly this number."""
    if not op.counted:
        return Formula("", "", UNKNOWN)
    if op.macs == 0:
        return Formula("", "0", NOTHING_BY_CONVENTION)
    maker = _MAKERS.get(op.kind)
    found = maker(op) if maker is not None else None
    if found is None or prod(found[1]) != op.macs:
        return Formula("", f"{op.macs:,}")
    names, factors = found
    return Formula(names, f"{'×'.join(map(str, factors))} = {op.macs:,}")


_Found = tuple[str, tuple[int, ...]] | None


def _convolution(op: Op) -> _Found:
    a = op.attributes
    if not {"kernel", "in_channels", "out_channels"} <= set(a) or not op.outputs:
        return None
    kernel = tuple(int(side) for side in a["kernel"])
    groups = int(a.get("groups", 1))
    per_group = int(a["in_channels"]) // groups
    transposed = op.target.startswith("conv_transpose")
    where = op.inputs[0].shape if transposed and op.inputs else op.outputs[0].shape
    positions = where[-len(kernel) :]
    batch = where[0] if len(where) == len(kernel) + 2 and where[0] != 1 else None
    factors = (*kernel, per_group, int(a["out_channels"]), *positions)
    if transposed:
        per_out = int(a["out_channels"]) // groups
        factors = (*kernel, int(a["in_channels"]), per_out, *positions)
        names = N_("kernel × input channels × output channels ÷ groups × input positions")
    elif groups > 1:
        names = N_("kernel × input channels ÷ groups × output channels × output positions")
    else:
        names = N_("kernel × input channels × output channels × output positions")
    return names, factors if batch is None else (batch, *factors)


def _linear(op: Op) -> _Found:
    a = op.attributes
    if "in_features" in a and "out_features" in a and op.outputs:
        positions = prod(op.outputs[0].shape[:-1])
        if positions == 1:
            factors = (int(a["in_features"]), int(a["out_features"]))
            return N_("input features × output features"), factors
        return (
            N_("positions × input features × output features"),
            (positions, int(a["in_features"]), int(a["out_features"])),
        )
    if not op.outputs or not op.inputs:
        return None
    shape = tuple(size for size in op.outputs[0].shape if size != 1) or (1,)
    # Every element of the result sums over the inner size, whatever the order of the operands.
    inner = op.macs // op.outputs[0].numel
    if inner * op.outputs[0].numel != op.macs:
        return None
    return N_("elements of the result × inner size"), (*shape, inner)


def _attention(op: Op) -> _Found:
    if len(op.inputs) < 3:
        return None
    query, key, value = (tensor.shape for tensor in op.inputs[:3])
    if min(len(query), len(key), len(value)) < 3:
        return None
    heads = prod(query[:-2])
    return (
        N_("heads × queries × keys × (size of a key + size of a value)"),
        (heads, query[-2], key[-2], query[-1] + value[-1]),
    )


_MAKERS: Mapping[str, Callable[[Op], _Found]] = {
    "convolution": _convolution,
    "depthwise": _convolution,
    "linear": _linear,
    "attention": _attention,
}
