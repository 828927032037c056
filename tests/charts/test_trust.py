"""Curves of the checks, and the difference of two maps."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.charts.attribution import difference_map, trust_curves
from explorer.results import Attribution, PerturbationCurve, TrustCard


def attribution(values: np.ndarray) -> Attribution:
    return Attribution(
        "lenet5", None, "saliency", values.astype(np.float32), 0, np.ones(10, np.float32) / 10,
        np.zeros((*values.shape, 3), np.uint8), None, None, {}, 0.1,
    )  # fmt: skip


def test_maps_are_divided_by_their_strength_before_they_are_subtracted() -> None:
    ramp = np.linspace(0, 1, 100).reshape(10, 10)
    assert np.abs(difference_map(attribution(ramp), attribution(7 * ramp)).data[0].z).max() < 1e-5
    found = difference_map(attribution(ramp), attribution(np.zeros((10, 10)))).data[0]
    # The 99th percentile of 0, 1/99 … 1 lies at 0.99 · 99 = 98.01 steps of 1/99.
    assert found.z.max() == pytest.approx(1 / (98.01 / 99), rel=1e-4)
    assert (found.zmin, found.zmax) == (-1, 1)


def test_curves_and_their_band() -> None:
    shares = np.array([0, 0.5, 1], np.float32)
    scores = np.array([0.9, 0.2, 0.1], np.float32)
    random = np.array([[0.9, 0.6, 0.1], [0.9, 0.8, 0.1]], np.float32)
    deletion = PerturbationCurve(shares, scores, random, removes=True)
    # Trapezoids of width 0.5: 0.5 · ((0.9 + 0.2) / 2 + (0.2 + 0.1) / 2)
    assert deletion.auc == pytest.approx(0.35)
    assert deletion.better_than == 2
    card = TrustCard("lenet5", "w", "saliency", 3, deletion=deletion)
    band, line = trust_curves(card).data
    assert list(line.y) == pytest.approx([90, 20, 10])
    assert max(band.y) == pytest.approx(90)
    assert list(band.y[:3]) == pytest.approx([90, 80, 10])
    assert trust_curves(TrustCard("lenet5", "w", "saliency", 3)).layout.annotations
