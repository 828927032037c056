"""Catalog entries and measurements → rows of the bubble chart, with their hover cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from explorer.catalog.counted import counted
from explorer.catalog.forms import library_form
from explorer.catalog.pretraining import LABELS, training_data
from explorer.charts.axes import AXES
from explorer.charts.bubble import BubbleRow
from explorer.i18n import N_, _

if TYPE_CHECKING:
    from explorer.catalog.spec import ModelSpec, WeightsSpec


class PaperPoint(Protocol):
    """A circle of the 2016 chart, as ``explorer.catalog.paper2016`` has it."""

    @property
    def network(self) -> str:
        """Name in the figure."""

    @property
    def top1(self) -> float:
        """Percent."""

    @property
    def ops_giga(self) -> float:
        """G-Ops as plotted."""

    @property
    def params_millions(self) -> float:
        """Million parameters as plotted."""

    @property
    def density(self) -> float:
        """Percent of top-1 per million parameters."""

    @property
    def colour(self) -> str:
        """Hexadecimal, with the hash sign."""

    @property
    def model_id(self) -> str | None:
        """The same or the closest network in the catalog."""


# Family and year of first publication.
PAPER_NETWORKS: Mapping[str, tuple[str, int]] = {
    "AlexNet": ("AlexNet", 2012),
    "BN-AlexNet": ("BN-AlexNet", 2016),
    "BN-NIN": ("BN-NIN", 2016),
    "ENet": ("ENet", 2016),
    "GoogLeNet": ("GoogLeNet", 2014),
    "ResNet-18": ("ResNet", 2015),
    "VGG-16": ("VGG", 2014),
    "VGG-19": ("VGG", 2014),
    "ResNet-34": ("ResNet", 2015),
    "ResNet-50": ("ResNet", 2015),
    "ResNet-101": ("ResNet", 2015),
    "ResNet-152": ("ResNet", 2015),
    "Inception-v3": ("Inception-v3", 2015),
    "Inception-v4": ("Inception-v4", 2016),
}

_PAPER_NOTES: Mapping[str, str] = {
    "Inception-v4": N_(
        "Not reproducible: the network has 42.68 million parameters and needs 24.51 G-Ops; "
        "the paper plotted 31.57 and 18.44."
    ),
    "AlexNet": N_(
        "The paper's counter ignores groups, hence 2.26 G-Ops; with its two groups the network "
        "needs 1.45 GFLOPs."
    ),
}


def rows_2016(points: Iterable[PaperPoint]) -> list[BubbleRow]:
    """The paper's 14 circles, exactly as plotted (arXiv:1605.07678v4, figure 2).

    Args:
        points: From ``explorer.catalog.paper2016``.
    """
    return [_paper_row(point) for point in points]


def rows_today(specs: Iterable[ModelSpec]) -> list[BubbleRow]:
    """One row for each set of ImageNet weights with a published top-1; MNIST networks are left out.

    Args:
        specs: Catalog entries, ``CATALOG.values()``.
    """
    return [
        _weights_row(spec, weights)
        for spec in specs
        for weights in spec.weights
        if weights.dataset == "imagenet" and weights.top1 is not None
    ]


def ghosts(points: Iterable[PaperPoint], catalog: Mapping[str, ModelSpec]) -> list[BubbleRow]:
    """Today's weights of the paper's networks, each following its 2016 point.

    Their operations are counted on the traced graph as the paper counts, so that both stand on one
    axis; their accuracies are the publishers', at the crop named on the card.
    """
    found = []
    for point in points:
        # The library's form of a network has weights where the published form has none.
        model = point.model_id or ""
        spec = catalog.get(library_form(model) or model)
        if spec is None:
            continue
        rows = rows_today([spec])
        found += [
            replace(row, follows=f"2016:{point.network}", colour=point.colour) for row in rows
        ]
    return found


def _paper_row(point: PaperPoint) -> BubbleRow:
    family, year = PAPER_NETWORKS.get(point.network, (point.network, 2016))
    values = {
        "canziani_ops": point.ops_giga * 1e9,
        "params": point.params_millions * 1e6,
        "top1": point.top1,
        "top1_per_mparam": point.density,
        "year": float(year),
    }
    hover = (
        (_("Top-1, one central crop, as plotted in 2016"), f"{point.top1:.2f} %"),
        (_("Operations, as the paper counts"), f"{point.ops_giga:.2f} {_('G-Ops')}"),
        (_("Parameters"), f"{point.params_millions:.2f} {_('million')}"),
        (_("Accuracy per million parameters"), f"{point.density:.2f} %"),
        (_("Year"), str(year)),
    )
    note = _PAPER_NOTES.get(point.network, "")
    return BubbleRow(
        id=f"2016:{point.network}",
        label=point.network,
        family=family,
        group="2016",
        values=values,
        model=point.model_id or "",
        colour=point.colour,
        hover=hover,
        note=_(note),
        data="in1k",
        crop=299 if point.network.startswith("Inception-v") else 224,
    )


def _weights_row(spec: ModelSpec, weights: WeightsSpec) -> BubbleRow:
    macs = weights.macs if weights.macs is not None else spec.macs
    params = weights.params if weights.params is not None else spec.params
    values: dict[str, float] = {"top1": float(weights.top1 or 0.0), "params": float(params)}
    if weights.top5 is not None:
        values["top5"] = weights.top5
    if macs is not None:
        values |= {"macs": float(macs), "flops": 2.0 * macs}
    if spec.year is not None:
        values["year"] = float(spec.year)
    crop = weights.preprocessing.input_size[1]
    if (costs := counted(spec.id, crop)) is not None:
        values["canziani_ops"] = float(costs.canziani_ops)
        values["activation_bytes"] = float(costs.activation_bytes)
    return BubbleRow(
        id=f"today:{spec.id}:{weights.id}",
        label=spec.name,
        family=spec.family,
        group="today",
        values=with_ratios(values),
        model=spec.id,
        weights=weights.id,
        dataset=weights.dataset,
        hover=_weights_card(spec, weights, values),
        licence=weights.licence,
        data=training_data(weights.id),
        crop=crop,
        follows=_older(spec, weights.id),
    )


def with_ratios(values: dict[str, float]) -> dict[str, float]:
    """The values with accuracy per million parameters and per GMAC, where both are known."""
    top1, params, macs = (values.get(key) for key in ("top1", "params", "macs"))
    if top1 is not None and params:
        values["top1_per_mparam"] = top1 / params * 1e6
    if top1 is not None and macs:
        values["top1_per_gmac"] = top1 / macs * 1e9
    return values


def _older(spec: ModelSpec, weights_id: str) -> str:
    """Row id of the weights that these replaced (V2 after V1 of one name); "" where none did."""
    match = re.fullmatch(r"(.+_V)(\d+)", weights_id)
    older = f"{match[1]}{int(match[2]) - 1}" if match else ""
    known = {weights.id for weights in spec.weights if weights.top1 is not None}
    return f"today:{spec.id}:{older}" if older in known else ""


def _weights_card(
    spec: ModelSpec, weights: WeightsSpec, values: Mapping[str, float]
) -> tuple[tuple[str, str], ...]:
    """Lines of the hover card: accuracy with crop and weights, costs with convention."""
    prep = weights.preprocessing
    crop = f"{prep.input_size[1]}×{prep.input_size[2]} / {prep.resize}"
    lines = [(_("Weights"), weights.id), (_("Top-1, published"), AXES["top1"].text(values["top1"]))]
    if "top5" in values:
        lines.append((_("Top-5, published"), AXES["top5"].text(values["top5"])))
    lines.append((_("Crop / resized side [pixels]"), crop))
    if "macs" in values:
        macs, flops = AXES["macs"], AXES["flops"]
        both = f"{macs.text(values['macs'])} (= {flops.text(values['flops'])})"
        lines.append((_("Multiply–accumulates, one image"), both))
    lines.append((_("Parameters"), AXES["params"].text(values["params"])))
    lines.append((_("Training data"), _(LABELS[training_data(weights.id)])))
    return (*lines, *origin_lines(spec, weights.licence))


def origin_lines(spec: ModelSpec, licence: str) -> tuple[tuple[str, str], ...]:
    """Year, paper and licence, for a card."""
    lines: list[tuple[str, str]] = []
    if spec.year is not None:
        lines.append((_("Year"), str(spec.year)))
    if spec.paper is not None:
        title = spec.paper.title
        lines.append((_("Paper"), title if len(title) <= 60 else title[:59] + "…"))
    lines.append((_("Licence of the weights"), licence or _("not stated")))
    return tuple(lines)
