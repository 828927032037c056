"""The leaderboard is what its rows say, and the intervals are what they claim to be."""

from __future__ import annotations

import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from docs.make_attribution_leaderboard import PAGE, RANDOM, ROWS, Mean, bootstrap, gap, page
from explorer.atlas.attribution import SCHEMA
from explorer.attribution import METHODS
from tests.tools.gather_photos import OF_EACH_DIGIT, PHOTOS

NETWORKS = {"tf_efficientnet_lite0": len(PHOTOS), "lenet5": 10 * OF_EACH_DIGIT}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return pq.ParquetFile(ROWS).read().to_pylist()


def test_the_page_is_written_from_the_rows() -> None:
    assert PAGE.read_text("utf-8") == page()


def test_every_image_meets_every_method_once(rows: list[dict[str, object]]) -> None:
    assert pq.ParquetFile(ROWS).schema_arrow.names == SCHEMA.names
    assert len(PHOTOS) >= 40
    for model, count in NETWORKS.items():
        found = [(row["image"], row["method"]) for row in rows if row["model"] == model]
        assert len(found) == len(set(found)) == count * len(METHODS)
        assert {method for _image, method in found} == set(METHODS)
    failed = [row for row in rows if row["state"] != "done"]
    assert {row["method"] for row in failed} == {"attention_rollout"}  # neither is a transformer
    assert all(row["reason"] for row in failed)


def test_the_order_is_that_of_the_mean_gaps(rows: list[dict[str, object]]) -> None:
    told = re.findall(
        r"^\| (\d+) \| ([^|]+) \| (-?\d\.\d+) ", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(told) == 2 * (len(METHODS) - 1)
    names = {method.name: id for id, method in METHODS.items()}
    for model, part in (("tf_efficientnet_lite0", told[:19]), ("lenet5", told[19:])):
        means = []
        for place, (number, name, value) in enumerate(part, 1):
            assert int(number) == place
            kept = [r for r in rows if r["model"] == model and r["method"] == names[name]]
            means.append(float(np.mean([gap(row) for row in kept])))
            assert value == f"{means[-1]:.3f}"
        assert means == sorted(means, reverse=True)


def test_random_orders_gain_nothing_over_all_methods(rows: list[dict[str, object]]) -> None:
    """The same random orders stand beside every map of an image."""
    random = {(row["model"], row["image"], row["deletion_random"]) for row in rows if row["orders"]}
    assert len(random) == sum(NETWORKS.values())
    assert PAGE.read_text("utf-8").count(f"|  | {RANDOM} |") == len(NETWORKS)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """300 samples of 40 draws of a normal variable: 95 % intervals hold its mean 90 to 98 times."""
    rng = np.random.default_rng(3)
    found = [bootstrap(rng.normal(2, 1, 40), resamples=500, seed=n) for n in range(300)]
    held = sum(one.low <= 2 <= one.high for one in found) / len(found)
    assert 0.90 <= held <= 0.98


def test_equal_values_leave_no_interval() -> None:
    assert bootstrap(np.full(5, 0.25)) == Mean(0.25, 0.25, 0.25)
    assert str(Mean(0.1, -0.05, 0.2)) == "0.100 [-0.050, 0.200]"
