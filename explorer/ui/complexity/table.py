"""The table: rows that sum to the totals, subtotals by stage, downloads, the same from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.charts.costs import KIND_TITLES, LayerCost
from explorer.costs import Convention, CostTable, arithmetic_intensity, breakdown, receptive_fields
from explorer.exports import FORMATS, VERSION, Table
from explorer.graph import KINDS, LayerGraph
from explorer.i18n import _
from explorer.ui.complexity.view import CostView, operation_names
from explorer.ui.params import choice, text

Row = dict[str, Any]


def show_table(view: CostView) -> None:
    """Subtotals by stage, then the rows, both with a last row of totals."""
    stages = breakdown(view.graph, "stage", view.convention)
    group, kind, words = _filters(view)
    table = breakdown(view.graph, group, view.convention)
    rows = cost_rows(view, table, _kept(view, table, kind, words))
    if not rows[:-1]:
        st.info(_("No row has this kind and these words."), icon=":material/filter_alt_off:")
    columns = _columns(view)
    height = min(560, 36 * (len(rows) + 1) + 3)
    st.dataframe(rows, hide_index=True, height=height, column_config=columns)
    show_downloads(view, rows)
    st.markdown(f"**{_('Subtotals by stage')}**")
    st.dataframe(stage_rows(view, stages), hide_index=True, column_config=columns)


def _columns(view: CostView) -> dict[str, Any]:
    """Counts with separators between the thousands."""
    counts = (_("Parameters"), operation_names()[view.convention], _("Activation bytes"))
    return {name: st.column_config.NumberColumn(format="localized") for name in counts}


def _filters(view: CostView) -> tuple[str, str, str]:
    groups = {
        "module": _("module"), "op": _("operation"), "block": _("block"), "stage": _("stage"),
        "kind": _("kind of layer"),
    }  # fmt: skip
    kinds = {"": _("all")} | {kind: _(KIND_TITLES[kind]) for kind in KINDS}
    columns = st.columns(3)
    with columns[0]:
        group = choice("group", _("A row is a"), groups)
    with columns[1]:
        kind = choice("kind", _("Kind"), kinds)
    with columns[2]:
        words = text("find", _("Name contains"), placeholder="layer3 conv")
    return group, kind, words


def _kept(view: CostView, table: CostTable, kind: str, words: str) -> Sequence[int]:
    """Places of the rows that the filters let through."""
    kinds = _kinds(view, table)
    asked = words.lower().split()
    return [
        place
        for place, row in enumerate(table.rows)
        if (not kind or kinds[place] == kind)
        and all(word in f"{row.name} {row.id} {row.kind}".lower() for word in asked)
    ]


def _kinds(view: CostView, table: CostTable) -> list[str]:
    """The kind of work of each row; "" for groups of several."""
    if table.by == "module":
        known = {row.name: row.kind for row in view.rows}
        return [known.get(row.id, "") for row in table.rows]
    return [row.kind if table.by in ("op", "kind") else "" for row in table.rows]


def cost_rows(view: CostView, table: CostTable, kept: Sequence[int]) -> list[Row]:
    """The rows for display; the last one is their sum, the table's total when all are kept."""
    whole = len(kept) == len(table.rows)
    details = _details(view, table)
    kinds = _kinds(view, table)
    head = operation_names()[view.convention]
    at_least = "" if table.total.counted else "≥ "
    rows: list[Row] = []
    for place in kept:
        row = table.rows[place]
        kind = kinds[place]
        rows.append(
            {
                _("Layer"): _row_name(table, row),
                _("Kind"): _(KIND_TITLES[kind]) if kind in KIND_TITLES else "",
                _("Parameters"): row.params,
                head: row.amount,
                _("Share of {what} (%)").format(what=head): round(100 * row.share, 2),
                _("Activation bytes"): row.activation_bytes,
                **details[place],
            }
        )
    members = [table.rows[place] for place in kept]
    share = sum(row.share for row in members)
    total: Row = {
        _("Layer"): at_least + (_("Total") if whole else _("Sum of these rows")),
        _("Kind"): "",
        _("Parameters"): sum(row.params for row in members),
        head: sum(row.amount for row in members),
        _("Share of {what} (%)").format(what=head): round(100 * share, 2),
        _("Activation bytes"): sum(row.activation_bytes for row in members),
        **dict.fromkeys(details[0] if details else {}),
    }
    return [*rows, total]


def _row_name(table: CostTable, row: Any) -> str:
    """A path as it is; a kind of layer in the visitor's language."""
    return _(KIND_TITLES[row.id]) if table.by == "kind" else row.id or _("(top level)")


def _details(view: CostView, table: CostTable) -> list[Row]:
    """Columns that a module or an op has and a group has not."""
    empty: Row = {}
    if table.by == "module":
        known = {row.name: row for row in view.rows}
        return [_module_details(known[row.id]) for row in table.rows]
    if table.by == "op":
        fields, intensity = receptive_fields(view.graph), arithmetic_intensity(view.graph)
        return [
            {
                _("Operation"): row.target,
                _("Output"): _shape(view.graph, row.id),
                _("Receptive field"): max(fields[row.id].size) if row.id in fields else None,
                _("FLOP/byte"): round(intensity[row.id], 2),
            }
            for row in table.rows
        ]
    return [empty for _row in table.rows]


def _module_details(row: LayerCost) -> Row:
    return {
        _("Module"): row.class_name,
        _("Stage"): row.stage,
        _("Output"): "×".join(str(size) for size in row.shape),
        _("Receptive field"): row.receptive_field,
        **({} if row.seconds is None else {_("Time (ms)"): round(1e3 * row.seconds, 4)}),
    }


def _shape(graph: LayerGraph, op: str) -> str:
    outputs = graph.op_by_id[op].outputs
    return "×".join(str(size) for size in outputs[0].shape) if outputs else ""


def stage_rows(view: CostView, table: CostTable) -> list[Row]:
    """One row a stage and a last one with the totals."""
    head = operation_names()[view.convention]

    def line(name: str, one: Any) -> Row:
        return {
            _("Stage"): name,
            _("Operations in the graph"): one.ops,
            _("Parameters"): one.params,
            head: one.amount,
            _("Share of {what} (%)").format(what=head): round(100 * one.share, 2),
            _("Activation bytes"): one.activation_bytes,
        }

    return [*(line(row.name, row) for row in table.rows), line(_("Total"), table.total)]


def about(view: CostView) -> Mapping[str, Any]:
    """What the numbers of a download are."""
    rules = {
        Convention.MACS: "multiply-accumulates",
        Convention.FLOPS: "2 x multiply-accumulates",
        Convention.CANZIANI: "operations as counted in arXiv:1605.07678",
    }
    return {
        "model": view.graph.model,
        "input": list(view.graph.input_shape),
        "dtype": view.change.dtype,
        "classes": view.change.classes or view.selection.spec.num_classes,
        "convention": view.convention.value,
        "counts": rules[view.convention],
        "complete": view.graph.complete,
        "file_version": VERSION,
        "versions": dict(view.graph.versions),
    }


def show_downloads(view: CostView, rows: Sequence[Row]) -> None:
    """One button a format; the file is made when it is asked for."""
    records = [
        {
            "name": row.name, "kind": row.kind, "params": row.params, "macs": row.macs,
            "activation_bytes": row.activation_bytes, "canziani_ops": row.canziani_ops,
        }
        for row in view.rows
    ]  # fmt: skip
    table = Table(rows, about(view), records)
    name = f"complexity-{view.graph.model.replace('/', '-')}-{view.convention.value}"
    with st.container(horizontal=True):
        for ending, (label, mime, write) in FORMATS.items():
            st.download_button(
                label, partial(write, table), f"{name}.{ending}", mime, on_click="ignore",
                icon=":material/download:", key=f"download-{ending}",
            )  # fmt: skip
