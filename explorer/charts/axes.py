"""Quantities that a chart may have on an axis: name, unit, convention, which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from explorer.charts.theme import axis_title, wrap
from explorer.compare_table import written
from explorer.i18n import N_, _

SMALLER_UNITS = {"GMACs": N_("MMACs"), "GFLOPs": N_("MFLOPs"), "G-Ops": N_("M-Ops")}
LEAST_SHOWN = 2e-3


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
        if self.id == "year":
            return f"{value:.0f}"
        return f"{written(self.show(value), self.digits)} {_(self.unit)}".strip()

    def fitting(self, most: float) -> Axis:
        """The axis in the next smaller unit, where a chart's largest value is a thousandth of one.

        A layer of LeNet-5 has 0.24 MMACs; plotly.js would write "240μ" GMACs.

        Args:
            most: The largest value, in base units.
        """
        smaller = SMALLER_UNITS.get(self.unit)
        if smaller is None or self.show(most) >= LEAST_SHOWN:
            return self
        return replace(self, unit=smaller, scale=self.scale / 1e3)

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
        Axis(
            "top1_per_mparam",
            N_("Accuracy per parameter"),
            N_("% per million"),
            1.0,
            N_("top-1 over million parameters (figure 10 of the 2016 paper)"),
            "high",
        ),
        Axis(
            "top1_per_gmac",
            N_("Accuracy per operation"),
            N_("% per GMAC"),
            1.0,
            N_("top-1 over 10⁹ multiply–accumulates of one image"),
            "high",
        ),
        Axis(
            "conv_activations",
            N_("Activations, as timm counts"),
            N_("million"),
            1e6,
            N_("elements that convolutions and matrix products write, one image"),
            "low",
        ),
        Axis(
            "cpu_latency",
            N_("Time per image, Core i7"),
            N_("ms"),
            1e-3,
            N_("published by timm: i7-12700H, fp32, torch.compile, batch 1"),
            "low",
        ),
        Axis(
            "gpu_images_per_second",
            N_("Throughput, RTX 5090"),
            N_("images/s"),
            1.0,
            N_("published by timm: mixed precision, large batches"),
            "high",
            0,
        ),
        Axis(
            "peak_bytes",
            N_("Peak memory"),
            N_("MiB"),
            2**20,
            N_("allocated by one pass above the level before it, measured here"),
            "low",
            1,
        ),
        Axis(
            "joules",
            N_("Energy per image"),
            N_("J"),
            1.0,
            N_("of the whole device, measured here"),
            "low",
            3,
        ),
    )
}
ACCURACIES = frozenset({"top1", "top5"})
