"""The main picture: along the depth, or nested by module; a click leads to the layer graph."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.charts.costs import (
    KIND_TITLES,
    PANELS,
    ProfileOptions,
    Quantity,
    kind_shares,
    profile,
)
from explorer.charts.nested import FORMS, NestedOptions, nested
from explorer.cost_tasks import MeasureRoofline
from explorer.i18n import _
from explorer.ui.charts import show_figure
from explorer.ui.complexity.view import CostView, operation_names
from explorer.ui.jobs import run_task
from explorer.ui.kept import kept_figure
from explorer.ui.params import choice

_NONE = ""


def choose_quantity(operations: str) -> str:
    """What is shown (``?by=``): "macs" stands for work in the chosen convention."""
    options = {
        "macs": operations,
        "params": _("parameters"),
        "activation_bytes": _("activations"),
        "latency": _("time"),
    }
    return choice("by", _("Show"), options, kind="segmented")


def quantity_of(by: str, view: CostView) -> Quantity:
    """The quantity of a choice in the page's convention."""
    found: dict[str, Quantity] = {
        "params": "params", "activation_bytes": "activation_bytes", "latency": "latency"
    }  # fmt: skip
    return found.get(by, view.operations)


def with_times_if_wanted(view: CostView, by: str) -> CostView | None:
    """The view with measured times where they are shown; None while they are measured."""
    if by != "latency":
        return view
    if view.changed:
        st.info(
            _("Times are measured for the network as it is: one image of its own size, fp32."),
            icon=":material/timer:",
        )
    renewed = int(st.session_state.get("_roofline_renewed", 0))
    result = run_task(MeasureRoofline(view.selection.spec.id, renewed), _("Measuring"))
    return None if result is None else view.with_times(result.by_layer)


def show_depth(view: CostView, by: str) -> None:
    """Bars along the depth, with channels, resolution, receptive field and memory below."""
    quantity = quantity_of(by, view)
    chosen = st.session_state.get("_w_layer", _NONE)
    setting = view.setting if view.changed and by != "latency" else ""
    options = ProfileOptions(
        setting=setting, operations=view.operations, ghost=tuple(view.other_rows),
        ghost_name=view.other, panels=tuple(PANELS), chosen=chosen,
    )  # fmt: skip
    height = 300 if view.phone else 330
    figure = kept_figure(
        profile, tuple(view.rows), quantity, width=view.width, height=height, options=options
    )
    show_figure(figure, "profile", on_click=_choose_layer)
    _layer_link(view)


def show_nested(view: CostView, by: str) -> None:
    """Areas by module path."""
    forms = {"treemap": _("treemap"), "sunburst": _("sunburst"), "icicle": _("icicle")}
    colours = {
        "kind": _("kind of layer"),
        "macs": operation_names()[view.convention],
        "params": _("parameters"),
        "activation_bytes": _("activation memory"),
    }
    left, right = st.columns(2)
    with left:
        form = choice("form", _("Form"), forms, kind="segmented")
    with right:
        colour = choice("colour", _("Colour"), colours)
    options = NestedOptions(
        form=next(one for one in FORMS if one == form),
        colour="kind" if colour == "kind" else quantity_of(colour, view),
        title=view.selection.spec.name,
        setting=view.setting if view.changed else "",
        height=420 if view.phone else 520,
    )
    rows = tuple(view.rows)
    show_figure(kept_figure(nested, rows, quantity_of(by, view), options), "nested")
    show_figure(
        kept_figure(kind_shares, rows, width=view.width, operations=view.operations), "kinds"
    )


def _choose_layer(data: list[Any]) -> None:
    if data:
        st.session_state["_w_layer"] = str(data[0])


def _layer_link(view: CostView) -> None:
    """The layer that was clicked or chosen, and the same one in the layer graph."""
    names = [row.name for row in view.rows if row.name]
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        options = {_NONE: _("click a bar, or choose here")} | {name: name for name in names}
        chosen = choice("layer", _("Layer"), options)
    if not chosen:
        return
    row = next(row for row in view.rows if row.name == chosen)
    page = st.session_state["_pages"]["graph.py"]
    with right:
        st.page_link(
            page, label=_("Show it in the layer graph"), icon=page.icon,
            query_params={"select": chosen},
        )  # fmt: skip
    said = [
        _("{kind} `{class_name}`, writes {shape}").format(
            kind=_(KIND_TITLES[row.kind]), class_name=row.class_name,
            shape="×".join(str(size) for size in row.shape),
        )
    ]  # fmt: skip
    if row.receptive_field is not None:
        said.append(_("receptive field {field} pixels").format(field=row.receptive_field))
    st.caption(" · ".join(said))
