"""The traced modules as an outline that opens level by level."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.graph import LayerGraph, ModuleNode, Tensor
from explorer.i18n import _
from explorer.ui.page import table_downloads
from explorer.ui.params import choice
from explorer.ui.units import si

INDENT = "\u2003"


def show_outline(graph: LayerGraph) -> None:
    """Totals, a choice of depth, and the modules down to it."""
    totals = st.columns(4)
    at_least = "" if graph.complete else "≥ "
    totals[0].metric(_("Parameters"), f"{graph.total_params:,}")
    totals[1].metric(_("Multiply–accumulates"), at_least + si(graph.total_macs, _("MACs")))
    totals[2].metric(_("Modules"), f"{len(graph.modules):,}")
    totals[3].metric(_("Operations in the graph"), f"{len(graph.ops):,}")
    deepest = max((_depth(node) for node in graph.modules), default=0)
    levels = {str(level): str(level) for level in range(1, deepest + 1)} | {"all": _("all")}
    level = choice("level", _("Levels shown"), levels, kind="segmented") if deepest > 1 else "all"
    rows = [
        _row(node, graph)
        for node in graph.modules
        if node.parent is not None and (level == "all" or _depth(node) <= int(level))
    ]
    st.dataframe(rows, hide_index=True, height=min(620, 38 + 35 * len(rows)))
    about = {"model": graph.model, "input": list(graph.input_shape), "versions": graph.versions}
    table_downloads(f"modules-{graph.model.replace('/', '-')}", rows, about)


def _depth(node: ModuleNode) -> int:
    return node.path.count(".") + 1 if node.path else 0


def _row(node: ModuleNode, graph: LayerGraph) -> dict[str, Any]:
    name = node.id.rsplit(".", 1)[-1]
    return {
        _("Module"): INDENT * (_depth(node) - 1) + name,
        _("Class"): node.class_name,
        _("Input"): _shapes(node.inputs),
        _("Output"): _shapes(node.outputs),
        _("Parameters"): node.total_params,
        _("MACs"): node.macs,
        _("Share of MACs (%)"): round(100 * node.macs / graph.total_macs, 2)
        if graph.total_macs
        else 0.0,
    }


def _shapes(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join("×".join(str(size) for size in tensor.shape) for tensor in tensors[:3])
