"""Where each model spends: profiles along the depth on one axis, areas on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import cast

import streamlit as st

from explorer.charts.compare import compare_profiles
from explorer.charts.layers import Quantity, layer_costs
from explorer.charts.nested import NestedOptions, nested
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.ui.charts import show_figure
from explorer.ui.compare.lineup import Entry
from explorer.ui.params import choice
from explorer.ui.viewport import viewport_width

#: Pixels of the largest network's area.
SIDE = 420
LEAST_SIDE = 150


def show_costs(entries: Sequence[Entry], graphs: Mapping[str, LayerGraph]) -> None:
    """How a quantity adds up along the depth of each, and which layers it goes to."""
    known = [entry for entry in entries if entry.name in graphs]
    titles = {
        "macs": _("Multiply–accumulates"),
        "params": _("Parameters"),
        "activation_bytes": _("Activation memory"),
    }
    quantity = cast(Quantity, choice("by", _("Quantity"), titles, kind="segmented"))
    rows = {entry.name: layer_costs(graphs[entry.name]) for entry in known}
    colours = [entry.member.colour for entry in known]
    width = viewport_width()
    figure = compare_profiles(
        [(entry.name, rows[entry.name]) for entry in known], quantity,
        width=width, colours=colours,
    )  # fmt: skip
    show_figure(figure, "compare-profiles")
    st.caption(_("One scale: the area of each drawing is proportional to the model's total."))
    totals = {name: sum(float(getattr(row, quantity)) for row in found)
              for name, found in rows.items()}  # fmt: skip
    most = max(totals.values()) or 1.0
    places = st.columns(len(known)) if width >= 820 else [st.container()] * len(known)
    for place, entry in zip(places, known, strict=True):
        # Equal widths: the height carries the share of the total.
        height = max(LEAST_SIDE, round(SIDE * totals[entry.name] / most))
        options = NestedOptions(title=entry.name, height=height)
        with place:
            st.markdown(f"**{entry.name}** · {_share(totals[entry.name], most)}")
            show_figure(nested(rows[entry.name], quantity, options), f"nested-{entry.member.slot}")
            if height == LEAST_SIDE and SIDE * totals[entry.name] / most < LEAST_SIDE:
                side = sqrt(totals[entry.name] / most)
                st.caption(
                    _("Drawn larger than its share: true to scale it would be {share:.0%} as wide "
                      "and as high as the largest.").format(share=side)
                )  # fmt: skip


def _share(total: float, most: float) -> str:
    return _("{share:.0%} of the largest").format(share=total / most)
