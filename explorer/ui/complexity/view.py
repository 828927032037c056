"""What the complexity page shows: network, convention, what-if, and a second network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from explorer.catalog import find
from explorer.catalog.spec import ModelSpec
from explorer.charts.costs import LayerCost, Quantity, layer_costs
from explorer.costs import Convention
from explorer.errors import ExplorerError, UnknownModelError
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.offered import find_offered
from explorer.tasks import Trace
from explorer.ui.banners import show_error
from explorer.ui.jobs import run_task
from explorer.ui.params import choice, entry, number
from explorer.ui.selection import Selection, curated_ids
from explorer.what_if import DTYPES, MOST_CLASSES, WhatIf, classifiers, what_if

QUANTITIES: dict[Convention, Quantity] = {
    Convention.MACS: "macs",
    Convention.FLOPS: "flops",
    Convention.CANZIANI: "canziani_ops",
}
MOST_IMAGES = 1024
PHONE = 600


@dataclass(frozen=True, slots=True)
class CostView:
    """Everything that the parts of the page draw from.

    Attributes:
        selection: The chosen network.
        own: Its graph at its own size, one image, fp32.
        graph: The same after the what-if.
        rows: Layers of ``graph``.
        convention: How work is counted.
        change: What the what-if panel says.
        other: The second network's name, "" for none.
        other_graph: Its graph at the same batch and element type.
        other_rows: Its layers, or those of a file that was uploaded.
        width: Pixels of the page.
    """

    selection: Selection
    own: LayerGraph
    graph: LayerGraph
    rows: Sequence[LayerCost]
    convention: Convention
    change: WhatIf
    other: str
    other_graph: LayerGraph | None
    other_rows: Sequence[LayerCost]
    width: int

    @property
    def phone(self) -> bool:
        """Whether the page is narrow."""
        return self.width < PHONE

    @property
    def changed(self) -> bool:
        """Whether the what-if panel differs from the network's own setting."""
        return self.graph is not self.own

    @property
    def operations(self) -> Quantity:
        """The quantity that the convention counts."""
        return QUANTITIES[self.convention]

    @property
    def setting(self) -> str:
        """What every number was counted for, in words."""
        _batch, *size = self.graph.input_shape
        return setting_text(size, self.change.batch, self.change.dtype)

    def with_times(self, seconds: dict[str, float]) -> CostView:
        """The same with measured times of the layers."""
        rows = [replace(row, seconds=seconds.get(row.name)) for row in self.rows]
        return replace(self, rows=rows)


def setting_text(size: Sequence[int], batch: int, dtype: str) -> str:
    """What was counted, such as "batch 1, 3×224×224, float32", in the visitor's language."""
    return _("batch {batch}, {size}, {dtype}").format(
        batch=batch, size="×".join(str(side) for side in size), dtype=dtype
    )


def operation_names() -> dict[Convention, str]:
    """What each convention calls its count."""
    return {
        Convention.MACS: _("MACs"),
        Convention.FLOPS: _("FLOPs"),
        Convention.CANZIANI: _("2016 operations"),
    }


def short_names() -> dict[Convention, str]:
    """The same for a switch."""
    return operation_names() | {Convention.CANZIANI: _("2016 ops")}


def choose_convention() -> Convention:
    """The switch (``?convention=``)."""
    labels = {one.value: name for one, name in short_names().items()}
    return Convention(choice("convention", _("Count work as"), labels, kind="segmented"))


Saved = tuple[str, Sequence[LayerCost]]


def choose_change(
    spec: ModelSpec, own: LayerGraph | None, saved_file: Callable[[], Saved]
) -> tuple[WhatIf, int, Saved]:
    """The what-if panel.

    Args:
        spec: The chosen network.
        own: Its graph, where it is there.
        saved_file: Draws the place for a file of costs.

    Returns:
        What changes, the side of the image, and what the file holds.
    """
    side = spec.input_size[1]
    _forget_other_models_defaults(spec)
    with st.expander(
        _("What if: image size, batch, precision, classes; a saved file"), icon=":material/tune:",
        expanded=any(key in st.query_params for key in ("size", "batch", "dtype", "classes")),
    ):  # fmt: skip
        columns = st.columns(4)
        with columns[0]:
            bounds = (min(64, side), max(512, side))
            size = int(number("size", _("Image side (pixels)"), bounds, default=side))
        with columns[1]:
            batch = entry("batch", _("Batch (images)"), (1, MOST_IMAGES), default=1)
        with columns[2]:
            dtype = choice("dtype", _("Precision"), DTYPES)
        heads, classes = ((), spec.num_classes) if own is None else classifiers(own)
        with columns[3]:
            if heads:
                bounds = (1, MOST_CLASSES)
                asked = entry("classes", _("Classes"), bounds, default=classes)
            else:
                asked = classes
                st.caption(_("This network ends in no layer of classes."))
        saved = saved_file()
    return WhatIf(batch, dtype, None if asked == classes else asked), size, saved


def _forget_other_models_defaults(spec: ModelSpec) -> None:
    """A size or a number of classes that the address does not name is that of the new model."""
    state = st.session_state
    if state.get("_cost_model") not in (None, spec.id):
        for key in ("size", "classes"):
            if key not in st.query_params:
                state.pop(f"_w_{key}", None)
    state["_cost_model"] = spec.id
    # A closed expander mounts its widgets late, and a widget that mounts after the run in which its
    # value was set begins at its own default: the value is set in every run.
    for key in ("size", "batch", "dtype", "classes"):
        if f"_w_{key}" in state:
            state[f"_w_{key}"] = state[f"_w_{key}"]


def changed_graph(spec: ModelSpec, change: WhatIf, side: int) -> LayerGraph | None:
    """The graph after the what-if; None while it is traced, or when it is not possible (said)."""
    own = side == spec.input_size[1]
    size = None if own else (spec.input_size[0], side, side)
    graph = run_task(Trace(spec.id, size, light=True), _("Tracing"))
    if graph is None or change == WhatIf():
        return graph
    try:
        found: LayerGraph = _changed(spec.id, side, (change.batch, change.dtype, change.classes),
                                     graph)  # fmt: skip
    except ExplorerError as error:
        show_error(error)
        return None
    return found


# Keyed by all that the graph and the change are made of; the graph itself is not hashed.
@st.cache_resource(max_entries=24, show_spinner=False)
def _changed(
    model: str, side: int, change: tuple[int, str, int | None], _graph: LayerGraph
) -> LayerGraph:
    return what_if(_graph, WhatIf(*change))


def rows_of(graph: LayerGraph, change: WhatIf) -> Sequence[LayerCost]:
    """The layers of a graph that this change has made."""
    key = (graph.model, graph.input_shape, change.dtype, change.classes)
    found: Sequence[LayerCost] = _rows(key, tuple(graph.versions.items()), graph)
    return found


@st.cache_resource(max_entries=48, show_spinner=False)
def _rows(
    key: tuple[object, ...], versions: tuple[tuple[str, str], ...], _graph: LayerGraph
) -> Sequence[LayerCost]:
    return tuple(layer_costs(_graph))


def choose_other(selection: Selection) -> ModelSpec | None:
    """The second network (``?other=``); None for none."""
    options = {"": _("nothing")} | {
        name: find(name).name for name in curated_ids() if name != selection.spec.id
    }
    asked = st.query_params.get("other")
    if asked and asked not in options:
        with contextlib.suppress(UnknownModelError):  # the control says so, with what it takes
            spec = find_offered(asked)
            options[spec.id] = spec.name
    chosen = choice("other", _("Compare with"), options)
    return find_offered(chosen) if chosen else None
