"""The comparison as a file to hand around."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from datetime import UTC, datetime
from importlib.metadata import version

import streamlit as st

from explorer.charts.compare import compare_bars, compare_predictions, compare_profiles
from explorer.charts.compare_lines import parallel
from explorer.charts.layers import layer_costs
from explorer.charts.theme import apply
from explorer.compare_report import Section, html_report, markdown_table
from explorer.engine import get_engine
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.paired import PairedResult
from explorer.results import Prediction
from explorer.structural_diff import differences, structural_diff
from explorer.ui.compare.clock import chart_of, conditions, lines_of, said_of_blocks, timed_of
from explorer.ui.compare.lineup import Entry, as_compare_entry, choose_reference
from explorer.ui.compare.numbers import as_records, table_rows
from explorer.ui.compare.structure import in_words as difference_in_words
from explorer.ui.text import sentence

#: Pixels that a figure has at least: on paper.
_WIDTH = 680
#: First classes of each model: with more, the bars of four do not fit on a page.
_MOST_CLASSES = {2: 5, 3: 3, 4: 2}
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
    # The browser fetches the file in a request that knows neither this page nor its language.
    link, context = _link(known), copy_context()
    left, right, _rest = st.columns([1, 1, 2])
    left.download_button(
        _("HTML report"), lambda: context.copy().run(html_report, title, link, sections),
        "comparison.html",
        "text/html", icon=":material/download:", on_click="ignore", width="stretch", type="primary",
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
    lines = parallel(table_rows(entries, graphs, reference), names, place, colours, width=_WIDTH)
    return [
        Section(
            _("Numbers"),
            [_("Counted on the traced networks at batch 1, float32; accuracies are published.")],
            records=records,
            figures=[
                apply(compare_bars(charted, width=_WIDTH), False),
                apply(lines, False),
            ],
        ),
        Section(
            _("Along the depth"),
            figures=[
                apply(
                    compare_profiles(
                        [(name, layer_costs(graphs[name])) for name in names],
                        width=_WIDTH,
                        colours=colours,
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
        same = () if lines else (_("The same operations on the same shapes."),)
        found.append(Section(title, same, lines))
    return found


def _predicted(names: Sequence[str], colours: Sequence[str]) -> list[Section]:
    known: list[tuple[str, Prediction]] = st.session_state.get("_compare_said", [])
    known = [(name, prediction) for name, prediction in known if name in names]
    if not known:
        return []
    own = [colours[names.index(name)] for name, _prediction in known]
    figure = apply(
        compare_predictions(known, most=_MOST_CLASSES.get(len(known), 0), colours=own), False
    )
    return [Section(_("The same image"), figures=[figure])]


def _timed(entries: Sequence[Entry], reference: Entry) -> list[Section]:
    timed: PairedResult | None = st.session_state.get("_paired")
    if timed is None:
        return []
    known = timed_of(timed, entries, reference)
    if known is None:
        return []
    lines = [line.replace("**", "") for line in lines_of(timed, known)]
    lines += [sentence(one.error) for one in timed.refused]
    if timed.blocks is not None:
        lines.append(said_of_blocks(timed))
    figure = apply(chart_of(timed, known), False)
    return [Section(_("Timed in turn"), [*lines, conditions(timed)], figures=[figure])]


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
    return Section(_("Settings"), lines, records=records)
