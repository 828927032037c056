from __future__ import annotations

import numpy as np
import pytest

from explorer.charts.inspection import (
    MOST_MARKS,
    FieldView,
    channel_norms,
    field_over_image,
    profile,
    weight_histogram,
)

CROP = np.zeros((224, 224, 3), np.uint8)


def view(side: int, *, box: bool = True, heat: bool = True) -> FieldView:
    centres = np.linspace(0, 223, side, dtype=np.float32)
    map_ = np.zeros((224, 224), np.float32)
    map_[100, 100] = 0.25
    return FieldView(
        map_ if heat else None, (side, side), (1, 2), (10, 20, 30, 40) if box else None,
        (centres, centres),
    )  # fmt: skip


def test_the_histogram_draws_every_bin_on_a_logarithmic_axis() -> None:
    counts, edges = np.array([1, 0, 100]), np.array([-3, -1, 1, 3], np.float32)
    figure = weight_histogram(counts, edges)
    assert list(figure.data[0].x) == [-2, 0, 2]
    assert list(figure.data[0].y) == [1, 0, 100]
    assert figure.layout.yaxis.type == "log"
    assert "101 weights" in figure.layout.meta["alt"]


def test_norms_and_profiles_keep_their_order() -> None:
    values = np.array([3, 1, 2], np.float32)
    assert list(channel_norms(values).data[0].y) == [3, 1, 2]
    line = profile(values, "Value")
    assert list(line.data[0].y) == [3, 1, 2]
    assert "Value" in line.layout.yaxis.title.text


@pytest.mark.parametrize("side", [3, 14, 112])
def test_positions_can_be_clicked_and_stay_few(side: int) -> None:
    figure = field_over_image(CROP, view(side))
    marks = next(trace for trace in figure.data if trace.customdata is not None)
    assert len(marks.customdata) == min(side, MOST_MARKS) ** 2
    assert list(marks.customdata[0]) == [0, 0]
    assert list(marks.customdata[-1]) == [side - 1, side - 1]
    assert (marks.x[-1], marks.y[-1]) == (223, 223)


def test_the_frame_holds_whole_pixels_and_may_be_left_out() -> None:
    (frame,) = field_over_image(CROP, view(14)).layout.shapes
    assert (frame.y0, frame.y1, frame.x0, frame.x1) == (9.5, 20.5, 29.5, 40.5)
    bare = field_over_image(CROP, view(14, box=False, heat=False))
    assert not bare.layout.shapes
    assert not any(trace.type == "heatmap" for trace in bare.data)


def test_the_heat_is_the_square_root() -> None:
    heat = field_over_image(CROP, view(14)).data[0]
    assert heat.type == "heatmap"
    assert np.asarray(heat.z).max() == 0.5  # √0.25
