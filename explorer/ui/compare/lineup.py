"""Who is compared: the models of the tray, or the chosen one and a second."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.catalog import find
from explorer.charts.compare import CompareEntry
from explorer.errors import UnknownModelError
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.offered import find_offered
from explorer.tasks import Trace
from explorer.ui.compare_set import Member, add, members
from explorer.ui.jobs import run_task
from explorer.ui.params import choice
from explorer.ui.selection import (
    UNTRAINED,
    Selection,
    curated_ids,
    offered_weights,
    with_weights,
)
from explorer.weights import default_weights


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the page.

    Attributes:
        member: Model, weights and colour.
        name: For display, different from the others'.
    """

    member: Member
    name: str

    @property
    def selection(self) -> Selection:
        """The model with its weights."""
        return self.member.selection

    @property
    def top1(self) -> float | None:
        """Published, percent; None for a network of other data, which has no place on that axis."""
        weights = self.selection.weights
        return None if weights is None or weights.dataset != "imagenet" else weights.top1


def choose_lineup(selection: Selection) -> list[Entry]:
    """The models of the tray where there are two or more; else the chosen one and a second."""
    chosen = members()
    if len(chosen) < 2:
        first = chosen[0] if chosen else Member(selection, 0)
        beside = first.selection if chosen else selection
        chosen = [first, Member(_pick_other(beside), 1 if first.slot != 1 else 0)]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("For more than two, collect them in the sidebar, under “Compare”."))
            st.button(
                _("Collect these two"), key="compare-collect", icon=":material/playlist_add:",
                on_click=_collect, args=(chosen,), type="tertiary",
            )  # fmt: skip
    return [Entry(member, name) for member, name in zip(chosen, _names(chosen), strict=True)]


def _collect(chosen: Sequence[Member]) -> None:
    for member in chosen:
        add(member.selection)


def _pick_other(selection: Selection) -> Selection:
    """The model to compare with (``?other=``) and its weights (``?other_weights=``)."""
    left, right = st.columns(2)
    options = list(curated_ids())
    asked = st.query_params.get("other")
    if asked is not None and asked not in options:
        with contextlib.suppress(UnknownModelError):  # the control says so, with what it takes
            options.insert(0, find_offered(asked).id)
    default = "lenet5" if selection.spec.dataset == "mnist" else "resnet50"
    with left:
        spec = find(choice("other", _("Compared with"), options, default=default))
    offered = {weights.id: weights.id for weights in offered_weights(spec)} | {
        UNTRAINED: _("untrained")
    }
    with right:
        chosen = choice(
            "other_weights", _("Its weights"), offered, default=default_weights(spec) or UNTRAINED
        )
    return with_weights(spec, chosen)


def _names(chosen: Sequence[Member]) -> list[str]:
    """Names that tell them apart: with weights where a model is there twice."""
    plain = [member.selection.spec.name for member in chosen]
    counts = Counter(plain)
    found = [
        name if counts[name] == 1
        else f"{name} ({_('untrained') if m.selection.weights is None else m.selection.weights.id})"
        for name, m in zip(plain, chosen, strict=True)
    ]  # fmt: skip
    if len(set(found)) < len(found):
        found = [f"{name} ({number})" for number, name in enumerate(found, 1)]
    return found


def traced(entries: Sequence[Entry]) -> dict[str, LayerGraph]:
    """The graphs by entry name; those that fail or are not there yet are left out, and said."""
    found: dict[str, LayerGraph] = {}
    known: dict[str, LayerGraph | None] = {}
    for entry in entries:
        spec = entry.selection.spec
        if spec.id not in known:  # a model may be there twice, with other weights
            label = _("Tracing {model}").format(model=spec.name)
            known[spec.id] = run_task(Trace(spec.id, light=True), label)
        graph = known[spec.id]
        if graph is not None:
            found[entry.name] = graph
    return found


def as_compare_entry(entry: Entry, graph: LayerGraph) -> CompareEntry:
    """The model's numbers, as charts take them."""
    return CompareEntry(
        entry.name,
        params=graph.total_params,
        macs=graph.total_macs,
        activation_bytes=graph.activation_bytes,
        top1=entry.top1,
        colour=entry.member.colour,
    )


def choose_reference(entries: Sequence[Entry]) -> Entry:
    """What ratios are taken to (``?ref=``)."""
    ids = {entry.member.text: entry.name for entry in entries}
    chosen = choice("ref", _("Ratios to"), ids)
    return next(entry for entry in entries if entry.member.text == chosen)
