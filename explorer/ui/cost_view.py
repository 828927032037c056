"""Headline figures and the table of the complexity page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.charts.costs import LayerCost
from explorer.graph import LayerGraph
from explorer.i18n import _, ngettext
from explorer.ui.units import mebibytes, si


def headline(graph: LayerGraph) -> None:
    """Totals with their conventions; what is not counted is said."""
    at_least = "" if graph.complete else "≥ "
    params, macs, flops, activations = st.columns(4)
    params.metric(_("Parameters"), si(graph.total_params), help=_("trainable, each once"))
    macs.metric(_("MACs"), at_least + si(graph.total_macs), help=_("multiply–accumulates, batch 1"))
    flops.metric(_("FLOPs"), at_least + si(2 * graph.total_macs), help=_("2 × MACs"))
    activations.metric(
        _("Activations"), mebibytes(graph.activation_bytes), help=_("bytes written, fp32, batch 1")
    )
    if graph.aux_params:
        st.caption(
            _(
                "Auxiliary heads, which inference does not run, have {count} more parameters."
            ).format(count=si(graph.aux_params))
        )
    unknown = sorted({op.target for op in graph.ops if not op.counted})
    if unknown:
        st.warning(
            ngettext(
                "One operation has no formula, so the totals are lower bounds: {names}.",
                "{count} operations have no formula, so the totals are lower bounds: {names}.",
                len(unknown),
            ).format(count=len(unknown), names=", ".join(f"`{name}`" for name in unknown))
        )


def cost_table(graph: LayerGraph, rows: Sequence[LayerCost]) -> list[dict[str, Any]]:
    """One row a layer and a last one with the totals, which the columns add up to."""
    table = [
        {
            _("Layer"): row.name,
            _("Kind"): row.kind,
            _("Parameters"): row.params,
            _("MACs"): row.macs,
            _("Share of MACs (%)"): _percent(row.macs, graph.total_macs),
            _("Activation bytes"): row.activation_bytes,
        }
        for row in rows
    ]
    table.append(
        {
            _("Layer"): _("Total"),
            _("Kind"): "",
            _("Parameters"): graph.total_params,
            _("MACs"): graph.total_macs,
            _("Share of MACs (%)"): 100.0,
            _("Activation bytes"): graph.activation_bytes,
        }
    )
    return table


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
