"""Kept measurements become points: one set of conditions at a time, the newest of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.catalog import find
from explorer.latency_results import LatencyResult, LatencySeries
from explorer.measurements import Row, rows_of
from explorer.paper_points import points_by_conditions, published_top1


def rows(of: str, milliseconds: float, **changes: object) -> tuple[Row, ...]:
    times = np.full(40, milliseconds / 1e3)
    result = LatencyResult(
        model=of, weights=None, series=(LatencySeries(4, times, np.cumsum(times)),),
        device="This one", threads=2, dtype="float32", memory_format="contiguous",
        input_size=find(of).input_size, versions={}, started_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return tuple(replace(row, **changes) for row in rows_of(result))  # type: ignore[arg-type]


def test_a_point_has_the_catalogs_numbers() -> None:
    ((conditions, (point,)),) = points_by_conditions(rows("resnet18", 40.0)).items()
    assert (conditions.device, conditions.threads) == ("This one", 2)
    # 40 ms a batch of four images; macs and top-1 as torchvision publishes them.
    assert point.image_seconds == 0.01
    assert (point.params, point.top1) == (11_689_512, 69.758)
    assert point.macs == find("resnet18").macs


def test_the_newest_counts_and_conditions_stay_apart() -> None:
    newest, older = rows("resnet18", 40.0), rows("resnet18", 80.0)
    other = rows("resnet18", 20.0, dtype="bfloat16")
    more = rows("alexnet", 8.0)
    groups = points_by_conditions([*newest, *older, *other, *more])
    (first, points), (second, few) = groups.items()
    assert (first.dtype, second.dtype) == ("float32", "bfloat16")
    assert [point.image_seconds for point in points] == [0.01, 0.002]
    assert len(few) == 1


def test_what_cannot_be_compared_is_left_out() -> None:
    assert not points_by_conditions(rows("resnet18", 1.0, origin="imported"))
    assert not points_by_conditions(rows("resnet18", 1.0, finished=False))
    assert not points_by_conditions(rows("resnet18", 1.0, input_size=(3, 64, 64)))
    assert not points_by_conditions(rows("resnet18", 1.0, model="no-such-network"))
    assert not points_by_conditions(rows("resnet18", 1.0, median=None))


def test_digits_have_no_imagenet_accuracy() -> None:
    assert published_top1(find("lenet5")) is None
