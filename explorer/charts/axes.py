"""Quantities that a chart may have on an axis: name, unit, convention, which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from explorer.charts.theme import axis_title, wrap
from explorer.i18n import N_, _


@dataclass(frozen=True, slots=True)
class Axis:
    """A quantity on an axis or as a bubble's area.

    Attributes:
        id: Key in ``BubbleRow.values`` and in the address ("macs").
        title: Msgid of what it is.
        unit: Msgid of the unit shown; "" for a pure number.
        scale: Base units in one unit shown (1e9 for GMACs).
        convention: Msgid of what exactly is counted.
        better: Which end a Pareto front prefers; None where there is none.
        digits: Decimals shown.
    """

    id: str
    title: str
    unit: str
    scale: float
    convention: str
    better: Literal["low", "high"] | None
    digits: int = 2

    def show(self, value: float) -> float:
        """A value in base units → in the unit shown."""
        return value / self.scale

    def text(self, value: float) -> str:
        """The value with its unit, for a hover card."""
        number = f"{self.show(value):,.{self.digits}f}"
        if self.id == "year":
            return f"{value:.0f}"
        return f"{number} {_(self.unit)}".strip()

    def layout(self, pixels: float = 1000.0) -> dict[str, Any]:
        """Plotly's ``title`` for this axis, in the current language.

        Args:
            pixels: Length of the axis; the convention is broken into lines that fit.
        """
        return axis_title(_(self.title), _(self.unit), wrap(_(self.convention), int(pixels / 6.6)))


_ONE_PASS = N_("one image through the network at its own input size")
_IMAGENET = N_("ImageNet validation set, one central crop")

AXES: Mapping[str, Axis] = {
    axis.id: axis
    for axis in (
        Axis("macs", N_("Multiply–accumulates"), N_("GMACs"), 1e9, _ONE_PASS, "low"),
        Axis(
            "flops",
            N_("Floating-point operations"),
            N_("GFLOPs"),
            1e9,
            N_("2 × multiply–accumulates, one image at the network's own input size"),
            "low",
        ),
        Axis(
            "canziani_ops",
            N_("Operations"),
            N_("G-Ops"),
            1e9,
            N_("as the 2016 paper counts: 2 × MACs, plus bias, ReLU and pooling; groups ignored"),
            "low",
        ),
        Axis(
            "params",
            N_("Parameters"),
            N_("million"),
            1e6,
            N_("trainable, without auxiliary heads"),
            "low",
        ),
        Axis(
            "activation_bytes",
            N_("Activation memory"),
            N_("MiB"),
            2**20,
            N_("bytes that all operations write, fp32, one image"),
            "low",
            1,
        ),
        Axis(
            "latency",
            N_("Time per image"),
            N_("ms"),
            1e-3,
            N_("median forward time on this machine, batch 1"),
            "low",
        ),
        Axis(
            "images_per_second",
            N_("Throughput"),
            N_("images/s"),
            1.0,
            N_("batch size over the median forward time on this machine"),
            "high",
            1,
        ),
        Axis("year", N_("Year"), "", 1.0, N_("of first publication"), None, 0),
        Axis("top1", N_("Top-1 accuracy"), N_("%"), 1.0, _IMAGENET, "high"),
        Axis("top5", N_("Top-5 accuracy"), N_("%"), 1.0, _IMAGENET, "high"),
    )
}
ACCURACIES = frozenset({"top1", "top5"})
