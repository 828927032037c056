"""Complexity: where parameters, multiply–accumulates and activation memory go."""

import streamlit as st

from explorer.i18n import _
from explorer.ui.complexity.calculator import show_calculator
from explorer.ui.complexity.cards import show_cards
from explorer.ui.complexity.other import load_view
from explorer.ui.complexity.picture import (
    choose_quantity,
    show_depth,
    show_nested,
    with_times_if_wanted,
)
from explorer.ui.complexity.roof import show_roofline
from explorer.ui.complexity.sources import show_counters, show_python, show_torchinfo
from explorer.ui.complexity.table import show_table
from explorer.ui.complexity.view import PHONE, CostView, choose_convention, short_names
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width


def main(selection: Selection) -> None:
    page_head(
        _("Complexity"),
        _("Where the network spends: a bar is a layer, in the order of the forward pass."),
        selection,
    )
    width = viewport_width()
    cards, controls, tabs, picture = _places(width)
    with tabs:
        shown = choice("view", _("View"), _views(), kind="select" if width < PHONE else "segmented")
    with controls:
        left, middle, right = st.columns([1.15, 1.55, 0.9])
    with left:
        convention = choose_convention()
    if shown == "calculator":
        with picture:
            show_calculator(convention, width)
        _explain()
        return
    with middle:
        by = choose_quantity(short_names()[convention])
    view = load_view(selection, convention, width, (right, controls, picture))
    if view is not None:
        with cards:
            show_cards(view)
        with picture:
            _show(shown, view, by)
    _explain()


def _places(width: int) -> tuple[st.delta_generator.DeltaGenerator, ...]:
    """Cards, controls, tabs, picture; on a phone the picture comes before cards and controls."""
    if width < PHONE:
        tabs, picture, cards, controls = (st.container() for _place in range(4))
    else:
        cards, controls, tabs, picture = (st.container() for _place in range(4))
    return cards, controls, tabs, picture


def _views() -> dict[str, str]:
    return {
        "depth": _("Along the depth"),
        "nested": _("Nested"),
        "table": _("Table"),
        "roofline": _("Roofline"),
        "counters": _("Which counter to believe"),
        "calculator": _("Bottleneck calculator"),
        "torchinfo": "torchinfo",
        "python": "Python",
    }


def _show(shown: str, view: CostView, by: str) -> None:
    if shown in ("depth", "nested"):
        timed = with_times_if_wanted(view, by)
        if timed is not None:
            (show_depth if shown == "depth" else show_nested)(timed, by)
        return
    parts = {
        "table": show_table, "roofline": show_roofline, "counters": show_counters,
        "torchinfo": show_torchinfo, "python": show_python,
    }  # fmt: skip
    if shown in parts:
        parts[shown](view)


def _explain() -> None:
    how_computed(
        _(
            "Counted on the traced operations: a convolution is out channels × kernel × "
            "in channels / "
            "groups × output positions, a linear layer inputs × outputs; attention is counted, "
            "normalisation, activation and pooling are zero by convention. One FLOP "
            "count is 2 × MACs. "
            "Activation memory is the bytes that all operations write. “2016 operations” are "
            "those of Canziani, Paszke and Culurciello (arXiv:1605.07678): convolutions with "
            "their groups ignored, biases, ReLU and pooling included. Receptive fields follow "
            "Araujo, Norris and Sim 2019 (doi:10.23915/distill.00021), the roofline Williams, "
            "Waterman and Patterson 2009 (doi:10.1145/1498765.1498785)."
        )
    )


main(st.session_state["_selection"])
