"""The drawn roofline: points at their intensity, under a roof with its ridge."""

from __future__ import annotations

import pytest

from explorer.charts.roofline import bound_text, draw_roofline
from explorer.results import DevicePeaks, LayerTime, RooflineResult

PEAKS = DevicePeaks("x", "cpu", 2, {"float32": 100e9}, 10e9, "2026-01-01T00:00:00+00:00", {})
LAYERS = (
    LayerTime("conv", "convolution", 50_000_000, 1_000_000, 0.002),
    LayerTime("fc", "linear", 1_000_000, 4_000_000, 0.001),
    LayerTime("bn", "normalisation", 0, 1_000_000, 0.001),
)


def result(layers: tuple[LayerTime, ...]) -> RooflineResult:
    return RooflineResult("net", (3, 8, 8), PEAKS, layers, 0.004, 0.005, 5)


@pytest.mark.parametrize("width", [360, 1200])
def test_points_stand_at_intensity_and_speed(width: int) -> None:
    fig = draw_roofline(result(LAYERS), width=width, chosen="fc")
    roof, *points = fig.data
    assert roof.y[1] == roof.y[2] == 100  # GFLOP/s from the ridge on
    assert roof.x[1] == 10
    assert roof.y[0] == pytest.approx(roof.x[0] * 10)  # 10 GB/s · FLOP/byte
    at = {point.customdata[0][0]: (point.x[0], point.y[0]) for point in points}
    assert at["conv"] == (100, pytest.approx(50))  # 2·50e6/1e6; 1e8/0.002 s
    assert at["fc"] == (0.5, pytest.approx(2))  # 2·1e6/4e6; 2e6/0.001 s
    assert "bn" not in at
    assert any("<b>fc</b>" in note.text for note in fig.layout.annotations)
    assert "1 of 2 layers" in fig.layout.meta["alt"]


def test_the_limit_is_named() -> None:
    assert [bound_text(layer, PEAKS) for layer in LAYERS[:2]] == [
        "bound by arithmetic",
        "bound by memory",
    ]


def test_nothing_that_multiplies_is_a_sentence() -> None:
    assert "no layer multiplies" in draw_roofline(result(LAYERS[2:])).layout.annotations[0].text
