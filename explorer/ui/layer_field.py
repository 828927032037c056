"""Receptive field of a position of the selected layer, on the visitor's image."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.charts.inspection import FieldView, field_over_image
from explorer.costs import ReceptiveField, receptive_fields
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.inspection.choosing import Chosen
from explorer.inspection.grids import Grid, grid_of
from explorer.inspection.types import EffectiveField
from explorer.tasks import EffectiveField as Task
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.layer_maps import panel_photo
from explorer.ui.params import number
from explorer.ui.selection import Selection
from explorer.ui.weights_view import weights_ready


def show_field(chosen: Chosen, graph: LayerGraph, selection: Selection) -> None:
    """Draws the part; runs its task."""
    if not weights_ready(selection, slot="panel"):
        return
    trained = selection.weights or selection.spec
    size = trained.preprocessing.input_size[1:]
    grid = _grid(chosen, graph)
    if grid is None:
        st.info(
            _("This layer's output is no map of the image; select an earlier layer."),
            icon=":material/info:",
        )
        return
    photo = panel_photo(selection)
    if photo is None:
        return
    if graph.input_shape[-2:] != size:
        st.info(
            _(
                "The field is computed on images of {height}×{width} pixels, the size of these "
                "weights; choose the network's own input size to see it."
            ).format(height=size[0], width=size[1]),
            icon=":material/info:",
        )
        return
    position = _choose_position(grid)
    task = Task(selection.ref, photo.data, chosen.layer, position)
    found: EffectiveField | None = run_task(task, _("Computing the gradient"))
    if found is None:
        return
    theory = _theory(chosen, graph)
    view = _view(found, theory, size)
    show_figure(field_over_image(found.crop, view), "receptive-field", on_click=_clicked)
    st.caption(_("Click a point to look at another position."))
    _words(found, theory)


def _grid(chosen: Chosen, graph: LayerGraph) -> Grid | None:
    if not chosen.outputs:
        return None
    height, width = graph.input_shape[-2:]
    return grid_of(chosen.outputs[0].shape, (height, width))


def _choose_position(grid: Grid) -> tuple[int, int]:
    """Row and column; sliders, so that keyboards reach them as well."""
    place = []
    row, column = st.columns(2)
    for where, key, label, count in (
        (row, "row", _("Row"), grid.height),
        (column, "column", _("Column"), grid.width),
    ):
        with where:
            if count == 1:
                place.append(0)
                continue
            place.append(int(number(key, label, (0, count - 1), default=count // 2)))
    return place[0], place[1]


def _clicked(data: list[Any]) -> None:
    """Hands the position that was clicked to the sliders, before they are drawn."""
    if len(data) == 2:
        st.session_state["_w_row"], st.session_state["_w_column"] = int(data[0]), int(data[1])


def _theory(chosen: Chosen, graph: LayerGraph) -> ReceptiveField | None:
    """The field of the op that writes the layer's output."""
    fields = receptive_fields(graph)
    writers = [op for op in chosen.ops if op.outputs and op.outputs[0] == chosen.outputs[0]]
    return fields.get(writers[-1].id) if writers else None


def _view(found: EffectiveField, theory: ReceptiveField | None, size: tuple[int, int]) -> FieldView:
    """Where the positions lie on the image; without a theory, spread evenly."""
    centres = []
    for axis in (0, 1):
        index = np.arange(found.grid[axis], dtype=np.float32)
        if theory is None:
            step = size[axis] / found.grid[axis]
            centres.append((index + 0.5) * np.float32(step) - np.float32(0.5))
        else:
            first, stride = np.float32(theory.offset[axis]), np.float32(theory.stride[axis])
            centres.append(first + index * stride)
    box = None
    if theory is not None:
        row, column = centres[0][found.position[0]], centres[1][found.position[1]]
        half = (theory.size[0] - 1) / 2, (theory.size[1] - 1) / 2
        box = (
            float(row) - half[0], float(row) + half[0],
            float(column) - half[1], float(column) + half[1],
        )  # fmt: skip
    drawn = found.map if found.extent is not None else None
    return FieldView(drawn, found.grid, found.position, box, (centres[0], centres[1]))


def _words(found: EffectiveField, theory: ReceptiveField | None) -> None:
    if theory is not None:
        sentence = _(
            "**Theoretical field** (frame): {height} × {width} pixels, one every {stride:g} "
            "pixels; the recurrence of Araujo et al. 2019, padding included."
        ).format(height=theory.size[0], width=theory.size[1], stride=theory.stride[0])
    else:
        sentence = _(
            "**Theoretical field**: every position can see the whole image, because attention or "
            "a flattening lies before it."
        )
    st.markdown(sentence)
    if found.extent is None:
        sentence = _(
            "**Effective field**: the sum of this position's channels does not depend on the image "
            "(layer normalisation makes it a constant, a dead unit is zero); select the layer "
            "before."
        )
    else:
        top, bottom, left, right = found.extent
        sentence = _(
            "**Effective field** (colours): the gradient at the pixels, Luo et al. 2016. It "
            "reaches {height} × {width} pixels here; half of it lies in a square of {half} pixels."
        ).format(height=bottom - top + 1, width=right - left + 1, half=found.half_mass)
    st.markdown(sentence)
