"""The four findings: the statistics on data of known relation, and on timm's published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer.findings import (
    FEWEST,
    Finding,
    Point,
    at_common_batch,
    findings,
    fisher_interval,
    fit_hyperbola,
    hyperbola,
    imagenet_only,
    operations,
    timm_findings,
)


def points(n: int = 12, **changes: float | None) -> list[Point]:
    """Networks whose time is a nanosecond for a thousand operations, with hyperbolic accuracy."""
    found = []
    for i in range(n):
        macs = 1e8 * 1.5**i
        seconds = macs * 1e-12 * 50
        values: dict[str, float | None] = {
            "macs": macs, "params": 1e6 * (i + 1), "top1": 80 - 0.05 / (seconds + 0.002),
            "watts": 10.0 + 0.1 * (i % 2), "joules": macs * 1e-10,
        }  # fmt: skip
        found.append(Point(f"net{i}", 1, seconds, **{**values, **changes}))  # type: ignore[arg-type]
    return found


def by_id(found: tuple[Finding, ...]) -> dict[str, Finding]:
    return {one.id: one for one in found}


def test_all_four_hold_on_data_made_so() -> None:
    found = by_id(findings(points()))
    assert {one.verdict for one in found.values()} == {"holds"}
    assert found["operations"].statistics["pearson"] == pytest.approx(1.0)
    assert found["operations"].statistics["factor"] == pytest.approx(1.0)
    assert found["hyperbola"].statistics["r2"] == pytest.approx(1.0, abs=1e-6)
    assert found["hyperbola"].statistics["limit"] == pytest.approx(80.0, abs=0.05)
    # Alternately 10.0 and 10.1 W: mean 10.05, standard deviation 0.05·√(12/11).
    cv = 0.05 * math.sqrt(12 / 11) / 10.05
    assert found["power"].statistics["cv"] == pytest.approx(cv)
    assert found["energy"].statistics["spearman"] == pytest.approx(1.0)


def test_all_four_fail_on_data_made_so() -> None:
    rng = np.random.default_rng(0)
    spoiled = [
        Point(
            one.model, 1, float(rng.uniform(0.01, 0.02)), macs=one.macs,
            top1=90 - 2.0 * i, watts=5.0 + i, joules=(one.joules or 0) * rng.uniform(0.9, 1.1),
        )
        for i, one in enumerate(points())
    ]  # fmt: skip
    found = by_id(findings(spoiled))
    assert {one.verdict for one in found.values()} == {"fails"}


def test_what_was_not_measured_cannot_be_tested() -> None:
    found = by_id(findings(points(watts=None, joules=None)))
    assert (found["power"].verdict, found["energy"].verdict) == ("untestable", "untestable")
    assert found["power"].reason == "No power was measured."
    few = by_id(findings(points(FEWEST - 1)))
    assert {one.verdict for one in few.values()} == {"untestable"}
    assert few["operations"].values == {"n": FEWEST - 1, "needed": FEWEST}
    assert {one.verdict for one in findings([])} == {"untestable"}


def test_a_straight_line_is_no_hyperbola() -> None:
    line = [Point(f"n{i}", 1, 0.01 * (i + 1), top1=60.0 + i) for i in range(12)]
    found = hyperbola(line)
    assert found.verdict == "fails"
    assert found.statistics["line_r2"] == pytest.approx(1.0)


def test_less_accuracy_for_more_time_does_not_hold() -> None:
    falling = [
        Point(one.model, 1, one.image_seconds, top1=20 + 0.05 / (one.image_seconds + 0.002))
        for one in points()
    ]
    assert hyperbola(falling).verdict == "fails"


@pytest.mark.parametrize(("limit", "scale", "shift"), [(80, 0.1, 0.0), (76, 1.0, 0.03)])
def test_the_fit_finds_the_hyperbola_that_made_the_data(
    limit: float, scale: float, shift: float
) -> None:
    seconds = np.geomspace(0.002, 0.5, 40)
    fit = fit_hyperbola(seconds, limit - scale / (seconds + shift))
    assert fit.limit == pytest.approx(limit, rel=1e-3)
    assert fit.scale == pytest.approx(scale, rel=2e-2)
    assert fit.shift == pytest.approx(shift, abs=2e-4 + 0.02 * shift)
    assert fit.at(seconds) == pytest.approx(limit - scale / (seconds + shift), abs=0.05)


def test_equal_values_have_no_relation() -> None:
    same = [Point(f"n{i}", 1, 0.01, macs=1e9, top1=70.0) for i in range(12)]
    assert operations(same).verdict == "untestable"
    assert hyperbola(same).verdict == "untestable"


def test_the_batch_size_of_most_networks_is_taken() -> None:
    mixed = [Point("a", 1, 1.0), Point("a", 8, 1.0), Point("b", 8, 1.0), Point("c", 1, 1.0)]
    assert {point.model for point in at_common_batch(mixed)} == {"a", "c"}
    assert at_common_batch([*mixed, Point("d", 8, 1.0)])[0].batch_size == 8
    assert at_common_batch([]) == ()


def test_fishers_interval() -> None:
    # artanh 0.9 = 1.4722; 1.96/√9 = 0.6533: tanh 0.8189 and tanh 2.1255
    low, high = fisher_interval(0.9, 12)
    assert (low, high) == (pytest.approx(0.6745, abs=1e-3), pytest.approx(0.9719, abs=1e-3))
    assert fisher_interval(1.0, 12) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("device", "n", "pearson", "spearman"),
    # As published with the tables: log GMACs against log time per image.
    [("cpu", 1440, 0.978, 0.985), ("gpu", 1627, 0.937, 0.922)],
)
def test_timms_tables(device: str, n: int, pearson: float, spearman: float) -> None:
    found = by_id(timm_findings("cpu" if device == "cpu" else "gpu"))
    finding = found["operations"]
    assert (finding.n, finding.verdict) == (n, "holds")
    assert finding.statistics["pearson"] == pytest.approx(pearson, abs=5e-4 + 1e-9)
    assert finding.statistics["spearman"] == pytest.approx(spearman, abs=5e-4 + 1e-9)
    assert found["hyperbola"].verdict == "holds"
    assert found["power"].verdict == found["energy"].verdict == "untestable"


@pytest.mark.parametrize(
    ("tag", "only"),
    [
        ("tv_in1k", True), ("a1_in1k", True), ("fb_dist_in1k", True), ("in21k_ft_in1k", False),
        ("clip_laion2b_ft_in1k", False), ("ns_jft_in1k", False), ("fb_swsl_ig1b_ft_in1k", False),
        ("", False),
    ],
)  # fmt: skip
def test_tags_of_imagenet_alone(tag: str, only: bool) -> None:
    assert imagenet_only(tag) is only
