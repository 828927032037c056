"""The comparison as a file to hand around."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import streamlit as st

from explorer.charts.compare import compare_bars, compare_predictions, compare_profiles
from explorer.charts.compare_lines import parallel
from explorer.charts.layers import layer_costs
from explorer.charts.paired import paired_chart
from explorer.charts.theme import apply
from explorer.compare_report import Section, html_report, markdown_table
from explorer.engine import get_engine
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.paired import PairedResult, ratio_of
from explorer.results import Prediction
from explorer.structural_diff import differences, structural_diff
from explorer.ui.compare.clock import in_words as ratio_in_words
from explorer.ui.compare.lineup import Entry, as_compare_entry, choose_reference
from explorer.ui.compare.numbers import as_records, table_rows
from explorer.ui.compare.structure import in_words as difference_in_words

LIBRARIES = ("torch", "torchvision", "timm", "captum", "plotly", "streamlit")


def show_report(entries: Sequence[Entry], graphs: Mapping[str, LayerGraph]) -> None:
    """What goes into the file, and the file."""
    known = [entry for entry in entries if entry.name in graphs]
    reference = choose_reference(known)
    rows = table_rows(known, graphs, reference)
    names = [entry.name for entry in known]
    records = as_records(rows, names, names.index(reference.name))
    st.markdown(
        _(
            "One HTML file with the numbers, the differences, and what was classified and timed on "
            "this page. It opens without a network; its figures can be zoomed; printing it gives "
            "a PDF."
        )
    )
    title = " · ".join(names)
    sections = _sections(known, graphs, reference, records)
    left, right, _rest = st.columns([1, 1, 2])
    left.download_button(
        _("HTML report"), lambda: html_report(title, _link(known), sections), "comparison.html",
        "text/html", icon=":material/download:", on_click="ignore", width="stretch",
        type="primary",
    )  # fmt: skip
    right.download_button(
        _("Markdown table"), markdown_table(records), "comparison.md", "text/markdown",
        icon=":material/download:", on_click="ignore", width="stretch",
    )  # fmt: skip
    st.code(markdown_table(records), language="markdown")


def _link(entries: Sequence[Entry]) -> str:
    base = (st.context.url or "").partition("?")[0]
    return f"{base}?compare={','.join(entry.member.text for entry in entries)}"


def _sections(
    entries: Sequence[Entry],
    graphs: Mapping[str, LayerGraph],
    reference: Entry,
    records: list[dict[str, str]],
) -> list[Section]:
    names = [entry.name for entry in entries]
    colours = [entry.member.colour for entry in entries]
    place = names.index(reference.name)
    charted = [as_compare_entry(entry, graphs[entry.name]) for entry in entries]
    return [
        Section(
            _("Numbers"),
            [_("Counted on the traced networks at batch 1, float32; accuracies are published.")],
            records,
            [
                apply(compare_bars(charted), False),
                apply(
                    parallel(table_rows(entries, graphs, reference), names, place, colours), False
                ),
            ],
        ),
        Section(
            _("Along the depth"),
            figures=[
                apply(
                    compare_profiles(
                        [(name, layer_costs(graphs[name])) for name in names], colours=colours
                    ),
                    False,
                )
            ],
        ),
        *_differences(entries, graphs, reference),
        *_predicted(names, colours),
        *_timed(entries, reference),
        _settings(entries, graphs),
    ]


def _differences(
    entries: Sequence[Entry], graphs: Mapping[str, LayerGraph], reference: Entry
) -> list[Section]:
    base = graphs[reference.name]
    found = []
    for entry in entries:
        if entry is reference:
            continue
        other = graphs[entry.name]
        diff = structural_diff(base, other)
        lines = [difference_in_words(item) for item in differences(diff, base, other)]
        title = _("From {a} to {b}").format(a=reference.name, b=entry.name)
        found.append(Section(title, lines or [_("The same operations on the same shapes.")]))
    return found


def _predicted(names: Sequence[str], colours: Sequence[str]) -> list[Section]:
    said: list[tuple[str, Prediction]] = st.session_state.get("_compare_said", [])
    said = [(name, prediction) for name, prediction in said if name in names]
    if not said:
        return []
    own = [colours[names.index(name)] for name, _prediction in said]
    return [
        Section(_("The same image"), figures=[apply(compare_predictions(said, colours=own), False)])
    ]


def _timed(entries: Sequence[Entry], reference: Entry) -> list[Section]:
    timed: PairedResult | None = st.session_state.get("_paired")
    if timed is None:
        return []
    keys = list(zip(timed.models, timed.weights, strict=True))
    known = [e for e in entries if (e.selection.ref.model, e.selection.ref.weights) in keys]
    if reference not in known:
        return []
    at = {e.name: keys.index((e.selection.ref.model, e.selection.ref.weights)) for e in known}
    ratios = [ratio_of(timed, at[e.name], at[reference.name]) for e in known]
    lines = [
        ratio_in_words(entry.name, reference.name, ratio).replace("**", "")
        for entry, ratio in zip(known, ratios, strict=True)
        if entry is not reference
    ]
    figure = paired_chart(
        [entry.name for entry in known], ratios, [timed.medians[at[e.name]] for e in known],
        [entry.member.colour for entry in known],
    )  # fmt: skip
    conditions = _("{device}, {threads} threads, batch {batch}, {rounds} rounds, float32.").format(
        device=timed.device, threads=timed.threads, batch=timed.batch_size,
        rounds=len(timed.seconds),
    )  # fmt: skip
    return [Section(_("Timed in turn"), [*lines, conditions], figures=[apply(figure, False)])]


def _settings(entries: Sequence[Entry], graphs: Mapping[str, LayerGraph]) -> Section:
    device = get_engine().info().device
    lines = [
        _("Made on {date} (UTC).").format(date=f"{datetime.now(UTC):%Y-%m-%d %H:%M}"),
        _("Machine: {device}, {system}.").format(
            device="–" if device is None else device.name, system=platform.platform()
        ),
        ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    ]
    records = [
        {
            _("Model"): entry.selection.spec.id,
            _("Weights"): _("untrained (seed 0)")
            if entry.selection.weights is None
            else entry.selection.weights.id,
            _("Input"): "×".join(str(size) for size in graphs[entry.name].input_shape),
            _("Traced by"): graphs[entry.name].method,
            _("Paper"): entry.selection.spec.paper.url if entry.selection.spec.paper else "–",
        }
        for entry in entries
    ]
    return Section(_("Settings"), lines, records)
