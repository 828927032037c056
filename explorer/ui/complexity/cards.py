"""Headline figures: the totals in the chosen convention, with a bar of what they are made of."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.charts.costs import KIND_COLOURS, KIND_TITLES, LayerCost, Quantity, reader
from explorer.costs import Convention, count, memory_profile, parameter_memory, uncounted
from explorer.graph import LayerGraph
from explorer.i18n import _, ngettext
from explorer.ui.complexity.view import CostView
from explorer.ui.units import memory, si

_STYLE = """<style>
.cost-cards { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.4rem 1.6rem; }
.cost-cards .head { display: flex; flex-wrap: wrap; align-items: baseline;
  justify-content: space-between; column-gap: 0.5rem; }
.cost-cards .name { font-size: 0.9rem; opacity: 0.8; }
.cost-cards .value { font-size: 1.4rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.cost-cards .note { font-size: 0.8rem; opacity: 0.8; line-height: 1.3; }
/* Tabs say what they are: their label is for screen readers, the room for the picture. */
.st-key-_w_view [data-testid="stWidgetLabel"] { position: absolute; width: 1px; height: 1px;
  min-height: 0; overflow: hidden; clip-path: inset(50%); }
.cost-cards .bar { display: flex; height: 8px; border-radius: 4px; overflow: hidden;
  margin: 0.15rem 0 0.3rem; background: rgba(128, 132, 142, 0.25); }
@media (max-width: 900px) { .cost-cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .cost-cards .head { display: block; } }
</style>"""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure.

    Attributes:
        name: What it is.
        value: The figure with its unit.
        notes: Lines below: convention, comparisons.
        shares: (what, its colour, part of the whole 0…1).
    """

    name: str
    value: str
    notes: Sequence[str]
    shares: Sequence[tuple[str, str, float]]


def show_cards(view: CostView) -> None:
    """The cards; below them what is not counted, and auxiliary heads."""
    cards = [_parameters(view), _operations(view), _activations(view), _memory(view)]
    st.html(_STYLE + '<div class="cost-cards">' + "".join(map(_html, cards)) + "</div>")
    if view.graph.aux_params:
        st.caption(
            _(
                "Auxiliary heads, which inference does not run, have {count} more parameters."
            ).format(count=si(view.graph.aux_params))
        )
    unknown = uncounted(view.graph)
    if unknown:
        st.warning(
            ngettext(
                "One operation has no formula, so the totals are “at least”: {names}.",
                "{count} operations have no formula, so the totals are “at least”: {names}.",
                len(unknown),
            ).format(
                count=len(unknown),
                names=", ".join(f"`{name}` ×{times}" for name, times in unknown),
            )
        )


def operations_text(graph: LayerGraph, convention: Convention) -> str:
    """The total with its unit: "4.09 GMACs", "≥ 4.09 GMACs" where an op has no formula."""
    units = {
        Convention.MACS: _("MACs"), Convention.FLOPS: _("FLOPs"), Convention.CANZIANI: _("-Ops")
    }  # fmt: skip
    at_least = "" if graph.complete else "≥ "
    return at_least + si(count(graph, convention), units[convention])


def _parameters(view: CostView) -> Card:
    graph, dtype = view.graph, view.change.dtype
    size = parameter_memory(graph, dtype).inference
    notes = [_("{size} in {dtype}, with buffers").format(size=memory(size), dtype=dtype)]
    notes += _compared(view, "params", lambda one: si(one.total_params))
    return Card(_("Parameters"), si(graph.total_params), notes, shares_of(view.rows, "params"))


def _operations(view: CostView) -> Card:
    rules = {
        Convention.MACS: _("multiply–accumulates, {setting}"),
        Convention.FLOPS: _("2 × multiply–accumulates, {setting}"),
        Convention.CANZIANI: _("as the 2016 chart counts, groups ignored, {setting}"),
    }
    notes = [rules[view.convention].format(setting=view.setting)]
    notes += _compared(view, view.operations, lambda one: operations_text(one, view.convention))
    names = {
        Convention.MACS: _("MACs"), Convention.FLOPS: _("FLOPs"),
        Convention.CANZIANI: _("2016 operations"),
    }  # fmt: skip
    return Card(
        names[view.convention], operations_text(view.graph, view.convention), notes,
        shares_of(view.rows, view.operations),
    )  # fmt: skip


def _activations(view: CostView) -> Card:
    notes = [_("bytes written, {setting}").format(setting=view.setting)]
    notes += _compared(view, "activation_bytes", lambda one: memory(one.activation_bytes))
    return Card(
        _("Activations"), memory(view.graph.activation_bytes), notes,
        shares_of(view.rows, "activation_bytes"),
    )  # fmt: skip


def _memory(view: CostView) -> Card:
    peak = memory_profile(view.graph)
    weights = parameter_memory(view.graph, view.change.dtype).inference
    whole = weights + peak.peak_bytes
    notes = [
        _("weights + {live} of live activations at {op}").format(
            live=memory(peak.peak_bytes), op=peak.peak_op
        ),
        _("kept for training: {size}").format(size=memory(peak.training_bytes)),
    ]
    share = weights / whole if whole else 0.0
    shares = [
        (_("weights"), "#5b6b8c", share),
        (_("live activations"), "#cc79a7", 1 - share),
    ]
    return Card(_("Peak memory"), memory(whole), notes, shares)


def _compared(view: CostView, quantity: Quantity, text: object) -> list[str]:
    """Lines that hold the figure against the network as it is, and against the second one."""
    lines = []
    _axis, value = reader(quantity)
    now = sum(value(row) for row in view.rows)
    others = []
    if view.changed:
        others.append((_("as published"), view.own))
    if view.other_graph is not None:
        others.append((view.other, view.other_graph))
    for name, graph in others:
        then = {
            "params": graph.total_params,
            "activation_bytes": graph.activation_bytes,
        }.get(quantity, count(graph, view.convention))
        shown = text(graph) if callable(text) else ""
        ratio = f" ({now / then:.2f}×)" if then else ""
        lines.append(f"{name}: {shown}{ratio}")
    return lines


def shares_of(rows: Sequence[LayerCost], quantity: Quantity) -> list[tuple[str, str, float]]:
    """(kind, its colour, its part of the sum), largest first."""
    _axis, value = reader(quantity)
    sums: dict[str, float] = {}
    for row in rows:
        sums[row.kind] = sums.get(row.kind, 0.0) + value(row)
    total = sum(sums.values())
    found = sorted(sums.items(), key=lambda pair: -pair[1])
    return [
        (_(KIND_TITLES[kind]), KIND_COLOURS[kind], amount / total)
        for kind, amount in found
        if amount
    ]


def _html(card: Card) -> str:
    parts = "".join(
        f'<span style="width:{100 * share:.2f}%;background:{colour}" '
        f'title="{html.escape(what)} {100 * share:.1f} %"></span>'
        for what, colour, share in card.shares
    )
    said = ", ".join(f"{what} {100 * share:.0f} %" for what, _colour, share in card.shares)
    notes = "".join(f'<div class="note">{html.escape(note)}</div>' for note in card.notes)
    return (
        f'<div role="group" aria-label="{html.escape(card.name)}">'
        f'<div class="head"><div class="name">{html.escape(card.name)}</div>'
        f'<div class="value">{html.escape(card.value)}</div></div>'
        f'<div class="bar" role="img" aria-label="{html.escape(said)}">{parts}</div>{notes}</div>'
    )
