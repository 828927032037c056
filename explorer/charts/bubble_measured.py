"""Kept measurements → rows of the bubble chart: published accuracy, speed of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from explorer.catalog.pretraining import training_data
from explorer.charts.axes import AXES
from explorer.charts.bubble import BubbleRow
from explorer.charts.bubble_rows import origin_lines, with_ratios
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.catalog.spec import ModelSpec, WeightsSpec


class Measured(Protocol):
    """One batch size of one measurement, as ``explorer.measurements.Row`` has it."""

    @property
    def series_id(self) -> int:
        """Unique."""

    @property
    def model(self) -> str:
        """Catalog id."""

    @property
    def weights(self) -> str | None:
        """Weights id; None for the untrained network."""

    @property
    def device(self) -> str:
        """Name of the device."""

    @property
    def mode(self) -> str:
        """How the network was run."""

    @property
    def dtype(self) -> str:
        """Element type."""

    @property
    def threads(self) -> int:
        """CPU threads."""

    @property
    def input_size(self) -> tuple[int, int, int]:
        """(C, H, W)."""

    @property
    def batch_size(self) -> int:
        """Images per pass."""

    @property
    def runs(self) -> int:
        """Size of the sample."""

    @property
    def images_per_second(self) -> float | None:
        """Throughput."""

    @property
    def image_seconds(self) -> float | None:
        """The median shared among the batch's images."""

    @property
    def peak_bytes(self) -> int | None:
        """Of one pass."""

    @property
    def joules_per_image(self) -> float | None:
        """Energy."""

    @property
    def started_at(self) -> str:
        """UTC, ISO 8601."""


def setup_of(row: Measured) -> str:
    """What must be equal for times to be compared: device, mode, type, batch and threads."""
    return "|".join([row.device, row.mode, row.dtype, str(row.batch_size), str(row.threads)])


def rows_measured(
    measurements: Iterable[Measured], catalog: Mapping[str, ModelSpec]
) -> list[BubbleRow]:
    """One row for each network, size and weights measured in one setup, the newest that there is.

    Args:
        measurements: Newest first.
        catalog: For what was published; networks that it does not have are left out.
    """
    found: dict[tuple[str, str | None, tuple[int, int, int]], BubbleRow] = {}
    for row in measurements:
        key = (row.model, row.weights, row.input_size)
        if row.model in catalog and row.image_seconds and key not in found:
            found[key] = _row(row, catalog[row.model])
    return list(found.values())


def _published(row: Measured, spec: ModelSpec) -> WeightsSpec | None:
    """The weights measured, or the network's first with an accuracy: speed is the same for all."""
    ordered = sorted(spec.weights, key=lambda weights: weights.id != row.weights)
    return next((one for one in ordered if one.top1 is not None), None)


def _row(row: Measured, spec: ModelSpec) -> BubbleRow:
    weights = _published(row, spec)
    optional = {
        "latency": row.image_seconds,
        "images_per_second": row.images_per_second,
        "peak_bytes": row.peak_bytes,
        "joules": row.joules_per_image,
        "top1": None if weights is None else weights.top1,
        "top5": None if weights is None else weights.top5,
        "year": spec.year,
    }
    values = {key: float(value) for key, value in optional.items() if value is not None}
    values["params"] = float(spec.params)
    own_size = row.input_size == spec.input_size
    if spec.macs is not None and own_size:
        values |= {"macs": float(spec.macs), "flops": 2.0 * spec.macs}
    notes = []
    if weights is not None and weights.id != row.weights:
        notes.append(_("Measured untrained; the accuracy is published for {weights}.").format(
            weights=weights.id
        ))  # fmt: skip
    crop = 0 if weights is None else weights.preprocessing.input_size[1]
    if crop and crop != row.input_size[1]:
        notes.append(
            _("Measured at {size} px; the accuracy is published for {crop} px.").format(
                size=row.input_size[1], crop=crop
            )
        )
    return BubbleRow(
        id=f"measured:{row.series_id}",
        label=spec.name,
        family=spec.family,
        group="measured",
        values=with_ratios(values),
        model=spec.id,
        weights=row.weights or "",
        dataset=spec.dataset,
        hover=_card(row, spec, weights, values),
        note=" ".join(notes),
        licence="" if weights is None else weights.licence,
        data="" if weights is None else training_data(weights.id),
        crop=crop,
    )


def _card(
    row: Measured, spec: ModelSpec, weights: WeightsSpec | None, values: Mapping[str, float]
) -> tuple[tuple[str, str], ...]:
    lines = [
        (_("Measured here"), f"{row.device}, {row.mode}, {row.dtype}"),
        (_("Batch size, threads, runs"), f"{row.batch_size}, {row.threads}, {row.runs}"),
        (_("Input [pixels]"), "×".join(str(side) for side in row.input_size[1:])),
    ]
    for key in ("latency", "images_per_second", "peak_bytes", "joules"):
        if key in values:
            lines.append((_(AXES[key].title), AXES[key].text(values[key])))
    if weights is not None and weights.top1 is not None:
        published = _("Top-1, published for {weights}").format(weights=weights.id)
        lines.append((published, AXES["top1"].text(weights.top1)))
    lines.append((_("Date"), row.started_at[:10]))
    return (*lines, *origin_lines(spec, "" if weights is None else weights.licence))
