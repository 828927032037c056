"""The headline numbers of several models as rows: values, units, ratios, the best of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from explorer.catalog.spec import WeightsSpec
from explorer.graph import LayerGraph
from explorer.i18n import N_


@dataclass(frozen=True, slots=True)
class Quantity:
    """A row of the table.

    Attributes:
        id: Key.
        title: Msgid: what it is, with its unit and convention.
        digits: Decimals of a value that is not small.
        better: Which end is best; None where neither is.
        ratio: Whether a ratio says something (percentages are compared by difference).
    """

    id: str
    title: str
    digits: int
    better: Literal["low", "high"] | None
    ratio: bool = True


QUANTITIES = (
    Quantity("top1", N_("Top-1 on ImageNet, published (%)"), 2, "high", ratio=False),
    Quantity("top5", N_("Top-5 on ImageNet, published (%)"), 2, "high", ratio=False),
    Quantity("params", N_("Parameters (million)"), 2, "low"),
    Quantity("macs", N_("Multiply–accumulates (GMACs)"), 3, "low"),
    Quantity("flops", N_("FLOPs (G, 2 × MACs)"), 3, "low"),
    Quantity("activations", N_("Activation memory (MiB, fp32)"), 1, "low"),
    Quantity("latency", N_("Median latency, measured here (ms, batch 1)"), 2, "low"),
    Quantity("ops", N_("Operations in the graph"), 0, None),
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One quantity of all models.

    Attributes:
        quantity: What it is.
        values: By model, in their order; None where it is not known.
        best: Places of the best values; empty where all are equal, or only one is known.
        against: By model: ratio to the reference, or the difference in percentage points.
    """

    quantity: Quantity
    values: tuple[float | None, ...]
    best: frozenset[int]
    against: tuple[float | None, ...]

    def text(self, place: int) -> str:
        """A value as written; "–" where it is not known."""
        value = self.values[place]
        return "–" if value is None else written(value, self.quantity.digits)

    def against_text(self, place: int) -> str:
        """Its ratio "1.52×" or "9,817×", or difference "+1.30"; "–" where there is none."""
        value = self.against[place]
        if value is None:
            return "–"
        if not self.quantity.ratio:
            return f"{value:+.2f}"
        return f"{written(value, 2 if value < 100 else 0)}×"


def written(value: float, digits: int) -> str:
    """A number with so many decimals; a small one with two digits in place of zeros.

    LeNet-5 has 0.00042 GMACs, not 0.000.

    Args:
        value: Not negative.
        digits: Decimals of a value that is not small.
    """
    if value and value * 10**digits < 10:
        return f"{Decimal(f'{value:.2g}'):f}"  # without an exponent
    return f"{value:,.{digits}f}"


def numbers_of(
    graph: LayerGraph, weights: WeightsSpec | None, latency: float | None = None
) -> dict[str, float | None]:
    """The values of one model by quantity id, in the units of the table.

    Args:
        graph: Batch 1, at the network's own input size.
        weights: With their published accuracies, which count on ImageNet only.
        latency: Seconds per batch of one; None where it was not measured here.
    """
    on_imagenet = weights is not None and weights.dataset == "imagenet"
    return {
        "top1": weights.top1 if weights is not None and on_imagenet else None,
        "top5": weights.top5 if weights is not None and on_imagenet else None,
        "params": graph.total_params / 1e6,
        "macs": graph.total_macs / 1e9,
        "flops": 2 * graph.total_macs / 1e9,
        "activations": graph.activation_bytes / 2**20,
        "latency": None if latency is None else latency * 1e3,
        "ops": float(len(graph.ops)),
    }


def table(models: Sequence[Mapping[str, float | None]], reference: int) -> list[TableRow]:
    """Rows of the quantities that at least one model has.

    Args:
        models: From ``numbers_of``.
        reference: Place of the model that ratios are taken to.
    """
    rows = []
    for quantity in QUANTITIES:
        values = tuple(model.get(quantity.id) for model in models)
        if any(value is not None for value in values):
            against = tuple(_against(quantity, value, values[reference]) for value in values)
            rows.append(TableRow(quantity, values, _best(quantity, values), against))
    return rows


def _against(quantity: Quantity, value: float | None, reference: float | None) -> float | None:
    if value is None or reference is None:
        return None
    if not quantity.ratio:
        return value - reference
    return value / reference if reference else None


def _best(quantity: Quantity, values: Sequence[float | None]) -> frozenset[int]:
    known = [value for value in values if value is not None]
    if quantity.better is None or len(known) < 2 or min(known) == max(known):
        return frozenset()
    best = min(known) if quantity.better == "low" else max(known)
    return frozenset(place for place, value in enumerate(values) if value == best)
