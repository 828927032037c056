"""Predictions and maps: values equal the results, one scale where asked, signs by colour."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.charts.attribution import (
    MapOptions,
    attribution_map,
    probability_bars,
    shared_scale,
)
from explorer.results import Attribution, ClassScore

CROP = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def attribution(values: Any) -> Attribution:
    return Attribution(
        "m", "w", "saliency", np.asarray(values, np.float32), 0, np.ones(10, np.float32) / 10, CROP,
        None, None, {}, 0.1,
    )  # fmt: skip


def test_bars_equal_the_prediction_and_names_are_escaped() -> None:
    top = (ClassScore(7, "<b>cat", 0.75, 3.0), ClassScore(2, "dog", 0.25, 1.0))
    fig = probability_bars(top)
    bars = fig.data[0]
    assert list(bars.x) == [75.0, 25.0]
    assert list(bars.text) == ["75.0 %", "25.0 %"]
    assert [note.text for note in fig.layout.annotations] == ["&lt;b&gt;cat", "dog"]
    assert "[%]" in fig.layout.xaxis.title.text
    # The first class stands on top: the axis runs downwards.
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]
    none = probability_bars(())
    assert none.layout.annotations[0].text == "The network gave no class."


def test_the_map_holds_the_values_over_the_crop() -> None:
    values = np.linspace(-1, 1, 24).reshape(4, 6)
    fig = attribution_map(attribution(values))
    heat = fig.data[0]
    np.testing.assert_allclose(np.asarray(heat.z), values, atol=1e-6)
    assert heat.zmin == -heat.zmax
    # Pixel (0, 0) is drawn at the upper left, in the middle of the first unit square.
    assert (heat.x0, heat.y0) == (0.5, 0.5)
    assert tuple(fig.layout.yaxis.range) == (4, 0)
    image = fig.layout.images[0]
    assert (image.sizex, image.sizey) == (6, 4)
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.split(",")[1]))))
    np.testing.assert_array_equal(decoded, CROP)


def test_modes_change_what_is_drawn() -> None:
    values = np.array([[-2.0, 1.0]])
    heat = attribution_map(attribution(values), MapOptions(mode="positive")).data[0]
    assert np.asarray(heat.z).tolist() == [[0.0, 1.0]]
    assert heat.zmin == 0
    heat = attribution_map(attribution(values), MapOptions(mode="absolute")).data[0]
    assert np.asarray(heat.z).tolist() == [[2.0, 1.0]]


def test_one_scale_for_several_maps() -> None:
    small, large = attribution(np.full((4, 6), 0.5)), attribution(np.full((4, 6), -3.0))
    scale = shared_scale([small, large])
    assert scale == pytest.approx(3.0)
    drawn = [attribution_map(item, MapOptions(scale=scale)).data[0] for item in (small, large)]
    assert {(heat.zmin, heat.zmax) for heat in drawn} == {(-3.0, 3.0)}
    assert shared_scale([]) == 0.0


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_maps_without_a_scale_are_drawn(value: float) -> None:
    heat = attribution_map(attribution(np.full((4, 6), value))).data[0]
    assert heat.zmax == 1.0
    assert np.asarray(heat.z).tolist() == [[0.0] * 6] * 4


def test_signs_differ_by_blue_and_orange() -> None:
    stops = attribution_map(attribution(np.zeros((4, 6)))).data[0].colorscale
    low, middle, high = stops[0][1], stops[2][1], stops[-1][1]
    red, _green, blue = (int(part) for part in low[5:-3].split(","))
    assert blue > red
    red, _green, blue = (int(part) for part in high[5:-3].split(","))
    assert red > blue
    assert middle.endswith(",0)")
