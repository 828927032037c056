"""What was measured of this network on this machine before, with what changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.latency_compare import Timed, history_chart
from explorer.i18n import _, ngettext
from explorer.measurements import RowFilter
from explorer.measurements.history import Change, changes
from explorer.ui.charts import show_figure
from explorer.ui.latency.controls import Options
from explorer.ui.latency.files import import_panel, result_downloads
from explorer.ui.latency.headline import milliseconds
from explorer.ui.latency.kept import ask, here
from explorer.ui.params import flag
from explorer.ui.selection import Selection

if TYPE_CHECKING:
    from explorer.measurements import MeasurementStore, Row
    from explorer.results import LatencyResult

_MOST = 500


def show_history(selection: Selection, options: Options) -> None:
    """Medians over time under the controls' conditions, a table of all, files in and out."""
    rows = ask(lambda store: store.rows(RowFilter(model=selection.spec.id), limit=_MOST), ())
    own = here(rows)
    found = changes(own)
    same = [change for change in found if _is_same(change.row, options)]
    if not own:
        st.info(
            _("This network was not measured on this machine yet: press start."),
            icon=":material/timer:",
        )
    else:
        if same:
            show_figure(history_chart([_timed(change) for change in same]), "history")
        else:
            st.info(_("Under these conditions it was not measured yet; the table has the others."))
        _say_changes(found)
    others = flag("others", _("Other machines and imported ones too"))
    listed = changes(rows) if others else found
    if listed:
        st.dataframe([_table_row(change) for change in reversed(listed)], hide_index=True)
        ids = list(dict.fromkeys(change.row.run_id for change in listed))

        def fetched() -> list[LatencyResult]:
            def raw(store: MeasurementStore) -> list[LatencyResult]:
                return [store.result(run_id) for run_id in ids]

            return ask(raw, [])

        result_downloads(fetched, f"history-{selection.spec.id.replace('/', '-')}")
    import_panel()


def _is_same(row: Row, options: Options) -> bool:
    wanted = options.request
    return (
        row.batch_size == options.batch
        and (row.mode, row.dtype, row.memory_format)
        == (wanted.mode, wanted.dtype, wanted.memory_format)
        and wanted.threads in (None, row.threads)
        and row.median is not None
    )


def _say_changes(found: tuple[Change, ...]) -> None:
    flagged = sum(change.flagged for change in found)
    if flagged:
        sentence = ngettext(
            "{count} measurement differs from the one before it under the same conditions: by "
            "more than 5 %, with intervals that lie apart.",
            "{count} measurements differ from the one before them under the same conditions: by "
            "more than 5 %, with intervals that lie apart.",
            flagged,
        )
        st.warning(sentence.format(count=flagged), icon=":material/change_history:")


def _timed(change: Change) -> Timed:
    row = change.row
    note = _("{threads} threads, {runs} runs").format(threads=row.threads, runs=row.runs)
    if change.relative is not None:
        note += ", " + _("{percent:+.1f} % since the one before").format(
            percent=100 * change.relative
        )
    return Timed(
        row.started_at, row.median or 0.0, row.low, row.high, row.images_per_second,
        change.flagged, note,
    )  # fmt: skip


def _table_row(change: Change) -> dict[str, object]:
    row = change.row
    moved = "" if change.relative is None else f"{100 * change.relative:+.1f} %"
    return {
        _("Measured (UTC)"): row.started_at[:16].replace("T", " "),
        _("Change"): ("⚠ " if change.flagged else "") + moved,
        _("Time per batch"): milliseconds(row.median),
        _("95 % interval"): _interval(row),
        _("Batch"): row.batch_size,
        _("Mode"): row.mode,
        _("Type"): row.dtype,
        _("Layout"): row.memory_format,
        _("Threads"): row.threads,
        _("Runs"): row.runs,
        _("Unsteady"): ", ".join(row.unsteady),
        _("PyTorch"): row.machine.torch if row.machine else "",
        _("Device"): row.device,
        _("Origin"): _("measured") if row.origin == "measured" else _("imported"),
    }


def _interval(row: Row) -> str:
    if row.low is None or row.high is None:
        return _("not enough runs")
    return f"{row.low * 1e3:.2f}–{row.high * 1e3:.2f} ms"
