"""From the controls to the view: traces, the what-if, and the second network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.charts.costs import LayerCost
from explorer.costs import Convention
from explorer.errors import CostFileError
from explorer.exports import read_costs
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.tasks import Trace
from explorer.ui.banners import show_error
from explorer.ui.complexity.view import (
    CostView,
    changed_graph,
    choose_change,
    choose_other,
    rows_of,
)
from explorer.ui.jobs import run_task
from explorer.ui.selection import Selection
from explorer.what_if import WhatIf, what_if

Place = st.delta_generator.DeltaGenerator


def load_view(
    selection: Selection, convention: Convention, width: int, places: tuple[Place, Place, Place]
) -> CostView | None:
    """The view; None while something is traced, or after it failed (said).

    Args:
        selection: The chosen network.
        convention: How work is counted.
        width: Pixels of the page.
        places: For the second network's control, the what-if panel, and progress.
    """
    spec = selection.spec
    compare, panel, progress = places
    with compare:
        other = choose_other(selection)
    with progress:
        own = run_task(Trace(spec.id, light=True), _("Tracing"))
    with panel:
        change, side, (saved_name, saved) = choose_change(spec, own, _uploaded)
    if own is None:
        return None
    with progress:
        graph = changed_graph(spec, change, side)
        if graph is None:
            return None
        found = None if other is None else run_task(Trace(other.id, light=True), _("Tracing"))
    other_graph: LayerGraph | None = None
    if found is not None:
        other_graph = what_if(found, WhatIf(change.batch, change.dtype))
    rows: Sequence[LayerCost] = () if other_graph is None else rows_of(other_graph, change)
    return CostView(
        selection=selection,
        own=own,
        graph=graph,
        rows=rows_of(graph, change),
        convention=convention,
        change=change,
        other=saved_name or ("" if other is None else other.name),
        other_graph=other_graph,
        other_rows=saved or rows,
        width=width,
    )


def _uploaded() -> tuple[str, Sequence[LayerCost]]:
    """Name and layers of a file of costs that this page made before."""
    file = st.file_uploader(
        _("Compare with a saved file: JSON that this page made"), type=["json"], key="_cost_file"
    )
    if file is None:
        return "", ()
    try:
        about, records = read_costs(file.getvalue())
    except CostFileError as error:
        show_error(error)
        return "", ()
    return str(about.get("model", file.name))[:80], [_layer(record) for record in records]


def _layer(record: dict[str, Any]) -> LayerCost:
    return LayerCost(
        name=record["name"],
        kind=record["kind"],
        params=record["params"],
        macs=record["macs"],
        activation_bytes=record["activation_bytes"],
        canziani_ops=record["canziani_ops"],
    )
