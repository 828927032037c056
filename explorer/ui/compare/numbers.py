"""The headline table, its lines, and the models among all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import streamlit as st

from explorer.catalog import CATALOG
from explorer.charts.compare import compare_bars
from explorer.charts.compare_lines import Point, among_all, parallel
from explorer.compare_table import TableRow, numbers_of, table
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.paired import PairedResult
from explorer.ui.charts import show_figure
from explorer.ui.compare.lineup import Entry, as_compare_entry, choose_reference
from explorer.ui.kept import kept_figure
from explorer.ui.page import table_downloads
from explorer.ui.params import choice
from explorer.ui.viewport import viewport_width

BEST = "★"


def show_numbers(entries: Sequence[Entry], graphs: Mapping[str, LayerGraph]) -> None:
    """Everything about the models as they are published and counted."""
    known = [entry for entry in entries if entry.name in graphs]
    charted = tuple(as_compare_entry(entry, graphs[entry.name]) for entry in known)
    width = viewport_width()
    show_figure(kept_figure(compare_bars, charted, width=width), "compare-bars")
    reference = choose_reference(known)
    rows = table_rows(known, graphs, reference)
    names = [entry.name for entry in known]
    shown = as_records(rows, names, names.index(reference.name))
    st.dataframe(shown, hide_index=True)
    st.caption(
        _(
            "{best} marks the best of a row. Counted on the traced networks at batch 1; accuracies "
            "are published with the weights, each at its own crop, and never measured here."
        ).format(best=BEST)
    )
    _say_crops(known)
    table_downloads("compare", shown, {"models": [entry.member.text for entry in known]})
    # One of the two at a time: each chart costs the browser a tenth of a second to draw.
    views = {"ratios": _("Ratios to {model}").format(model=reference.name),
             "all": _("Among all networks")}  # fmt: skip
    if choice("chart", _("Chart"), views, kind="segmented") == "all":
        show_figure(kept_figure(among_all, charted, _others()), "compare-among-all")
    else:
        colours = [entry.member.colour for entry in known]
        show_figure(parallel(rows, names, names.index(reference.name), colours), "compare-parallel")


def table_rows(
    entries: Sequence[Entry], graphs: Mapping[str, LayerGraph], reference: Entry
) -> list[TableRow]:
    """The rows of the table, with what was timed in turn on this page."""
    timed: PairedResult | None = st.session_state.get("_paired")
    seconds: dict[tuple[str, str | None], float] = {}
    if timed is not None and timed.batch_size == 1:
        seconds = dict(
            zip(zip(timed.models, timed.weights, strict=True), timed.medians, strict=True)
        )
    numbers = []
    for entry in entries:
        ref = entry.selection.ref
        latency = seconds.get((ref.model, ref.weights))
        numbers.append(numbers_of(graphs[entry.name], entry.selection.weights, latency))
    return table(numbers, [entry.name for entry in entries].index(reference.name))


def as_records(
    rows: Sequence[TableRow], names: Sequence[str], reference: int
) -> list[dict[str, str]]:
    """The table as texts: a column of values for each model, then the ratios of the others."""
    records = []
    for row in rows:
        record = {_("Quantity"): _(row.quantity.title)}
        for place, name in enumerate(names):
            mark = f" {BEST}" if place in row.best else ""
            record[name] = row.text(place) + mark
        for place, name in enumerate(names):
            if place != reference:
                record[f"{name} / {names[reference]}"] = row.against_text(place)
        records.append(record)
    return records


def _say_crops(entries: Sequence[Entry]) -> None:
    crops = {
        entry.selection.weights.preprocessing.input_size[-1]
        for entry in entries
        if entry.selection.weights is not None and entry.top1 is not None
    }
    if len(crops) > 1:
        said = ", ".join(str(crop) for crop in sorted(crops, key=str))
        st.caption(
            _("The accuracies were published at different crops ({crops} px).").format(crops=said)
        )


@cache
def _others() -> tuple[Point, ...]:
    """Every pair of architecture and weights of torchvision with an accuracy."""
    return tuple(
        (f"{spec.name} · {weights.id}", float(spec.macs), weights.top1)
        for spec in CATALOG.values()
        if spec.source == "torchvision" and spec.macs is not None
        for weights in spec.weights
        if weights.top1 is not None
    )
