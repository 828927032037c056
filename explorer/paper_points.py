"""Measurements that are kept → points of the paper's figures, one set of conditions at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from explorer.catalog import CATALOG
from explorer.catalog.spec import ModelSpec
from explorer.findings import Point
from explorer.measurements.rows import Row


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to be equal for times of networks to be compared.

    Attributes:
        device: Its name.
        mode: As in ``LatencyRequest``.
        dtype: Element type.
        memory_format: "contiguous" or "channels_last".
        threads: Intra-op CPU threads.
    """

    device: str
    mode: str
    dtype: str
    memory_format: str
    threads: int


def points_by_conditions(rows: Iterable[Row]) -> Mapping[Conditions, tuple[Point, ...]]:
    """One point a network and batch size, of its newest measurement; most networks first.

    Left out: imports, measurements that were stopped, other input sizes than the network's own (its
    operations and accuracy are known for that one), and networks that the catalog does not know.

    Args:
        rows: Newest first, as ``MeasurementStore.rows`` gives them.
    """
    found: dict[Conditions, dict[tuple[str, int], Point]] = {}
    for row in rows:
        spec = CATALOG.get(row.model)
        if spec is None or row.origin != "measured" or not row.finished or not row.median:
            continue
        if row.input_size != spec.input_size:
            continue
        key = Conditions(row.device, row.mode, row.dtype, row.memory_format, row.threads)
        found.setdefault(key, {}).setdefault((row.model, row.batch_size), _point(row, spec))
    groups = {key: tuple(points.values()) for key, points in found.items()}
    return dict(sorted(groups.items(), key=lambda group: -len({p.model for p in group[1]})))


def _point(row: Row, spec: ModelSpec) -> Point:
    return Point(
        model=spec.name,
        batch_size=row.batch_size,
        image_seconds=row.image_seconds or 0.0,
        macs=spec.macs,
        params=spec.params,
        top1=published_top1(spec),
        peak_bytes=row.peak_bytes,
        watts=row.watts,
        joules=row.joules_per_image,
        family=spec.family,
    )


def published_top1(spec: ModelSpec) -> float | None:
    """Percent on ImageNet of the best default weights at the network's own input size."""
    for weights in spec.weights:
        own = weights.preprocessing.input_size == spec.input_size
        if weights.dataset == "imagenet" and weights.top1 is not None and own:
            return weights.top1
    return None
