"""Other counters beside ours, torchinfo's table, and the same numbers from Python."""

from __future__ import annotations

import streamlit as st

from explorer.cost_tasks import Reconcile
from explorer.i18n import _
from explorer.reconcile import reason_text
from explorer.results import OtherCount
from explorer.tasks import TorchinfoSummary
from explorer.ui.complexity.view import CostView
from explorer.ui.jobs import run_task
from explorer.ui.page import table_downloads


def show_counters(view: CostView) -> None:
    """Every count that there is of the network as it is, and why it differs."""
    found = run_task(Reconcile(view.selection.spec.id), _("Counting with other tools"))
    if found is None:
        return
    st.caption(
        _("For one image of {size}, fp32; differences above 0.5 % are explained.").format(
            size="×".join(str(side) for side in view.own.input_shape[1:])
        )
    )
    rows = [_row(one) for one in found]
    st.table(rows)
    table_downloads(f"counters-{view.own.model.replace('/', '-')}", rows, {"model": view.own.model})


def _row(one: OtherCount) -> dict[str, str]:
    units = {"macs": _("GMACs"), "canziani": _("2016 G-Ops")}
    how = {"published": _("published"), "live": _("counted now")}
    deviation = one.deviation
    return {
        _("Counter"): one.source,
        _("How"): how[one.how],
        _("Says"): "–" if one.amount is None else f"{one.amount / 1e9:.3f}",
        _("Ours"): f"{one.ours / 1e9:.3f}",
        _("Unit"): units[one.unit],
        _("Difference"): "–" if deviation is None else f"{100 * deviation:+.2f} %",
        _("Why"): reason_text(one, _),
    }


def show_torchinfo(view: CostView) -> None:
    """The tool's own table."""
    summary = run_task(TorchinfoSummary(view.selection.spec.id), _("Summarising"))
    if summary is not None:
        st.caption(
            _("As torchinfo {version} prints it; it sees modules, not functions.").format(
                version=summary.version
            )
        )
        st.code(summary.text, language=None, height=520)


def snippet(view: CostView) -> str:
    """Python that gives the page's numbers; prints the total and the rows by stage."""
    _batch, *size = view.graph.input_shape
    own = tuple(size) == view.selection.spec.input_size
    change = view.change
    lines = [
        "from explorer.catalog import find",
        "from explorer.costs import Convention, breakdown, count",
        "from explorer.trace import trace_spec",
    ]
    if view.changed and (change.batch, change.dtype, change.classes) != (1, "float32", None):
        lines.append("from explorer.what_if import WhatIf, what_if")
    lines.append("")
    place = "" if own else f", ({', '.join(str(side) for side in size)})"
    lines.append(f'graph = trace_spec(find("{view.graph.model}"){place})')
    if "what_if" in lines[3]:
        lines.append(
            f'graph = what_if(graph, WhatIf(batch={change.batch}, dtype="{change.dtype}", '
            f"classes={change.classes}))"
        )
    lines += [
        f"convention = Convention.{view.convention.name}",
        "print(graph.total_params, count(graph, convention), graph.activation_bytes)",
        'for row in breakdown(graph, "stage", convention).rows:',
        "    print(row.name, row.params, row.amount, row.activation_bytes)",
        "",
    ]
    return "\n".join(lines)


def show_python(view: CostView) -> None:
    """The snippet, to be run in the app's folder."""
    st.caption(_("Run it in the app's folder, with the app's Python; no weights are needed."))
    st.code(snippet(view), language="python")
