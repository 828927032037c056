"""Batch sizes: time and throughput over them, the knee, and what a frame rate would need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.latency_compare import Timed, batch_curve
from explorer.errors import ExplorerError
from explorer.i18n import _
from explorer.measurements import RowFilter, rows_of
from explorer.throughput import BatchTime, frame_rate, knee, macs_at
from explorer.ui.banners import show_error
from explorer.ui.charts import show_figure
from explorer.ui.latency.controls import Options
from explorer.ui.latency.group import measure_group
from explorer.ui.latency.headline import milliseconds
from explorer.ui.latency.kept import ask, here
from explorer.ui.page import table_downloads
from explorer.ui.params import choice, number
from explorer.ui.public import allowed_batches
from explorer.ui.selection import Selection
from explorer.ui.units import memory, si

if TYPE_CHECKING:
    from explorer.measurements import Row


def show_batches(selection: Selection, options: Options, width: int) -> None:
    """The curve of what was measured, now or before, under the controls' conditions."""
    largest = choice(
        "upto", _("Batch sizes up to"), allowed_batches(["8", "16", "32", "64", "128"]),
        default="16",
    )  # fmt: skip
    sizes = tuple(2**power for power in range(8) if 2**power <= int(largest))
    rows = _measured(selection, options, sizes)
    if not rows:
        st.info(_("No batch size is measured yet under these conditions."), icon=":material/timer:")
        return
    times = batch_times(rows)
    found = knee(times)
    points = [(row.batch_size, timed_of(row)) for row in rows]
    show_figure(
        batch_curve(points, None if found is None else found.batch_size, width=width), "batches"
    )
    if found is not None:
        st.caption(
            _(
                "Knee: batch {batch} is the smallest that reaches 90 % of the highest throughput "
                "measured here; larger ones mostly make each image wait longer. Bars: 95 % "
                "interval of the median."
            ).format(batch=found.batch_size)
        )
    st.dataframe(_table(rows), hide_index=True)
    name = f"batches-{selection.spec.id.replace('/', '-')}"
    table_downloads(name, _records(rows), {"model": selection.spec.id, "device": rows[0].device})


def _measured(selection: Selection, options: Options, sizes: tuple[int, ...]) -> list[Row]:
    """The newest of each batch size: of this visit, else of the store; drawn are its controls."""
    request = options.with_batches(sizes)
    outcome = measure_group(
        "batches", {_("batch sizes"): request}, selection, _("Measure these batch sizes")
    )
    rows = list(kept_rows(selection, options))
    for result in outcome.values():
        if isinstance(result, ExplorerError):
            show_error(result)
        else:
            # What could not be kept is here all the same, and stands before what was kept earlier.
            rows = [*rows_of(result), *rows] if result.run_id is None else rows
    return newest_by_batch(rows)


def kept_rows(selection: Selection, options: Options) -> tuple[Row, ...]:
    """What the store has of this network on this machine under the controls' conditions."""
    wanted = options.request
    query = RowFilter(
        model=selection.spec.id, mode=wanted.mode, dtype=wanted.dtype,
        memory_format=wanted.memory_format, threads=wanted.threads,
        input_size=selection.spec.input_size,
    )  # fmt: skip
    return here(ask(lambda store: store.rows(query), ()))


def newest_by_batch(rows: list[Row]) -> list[Row]:
    """The first row of each batch size that has a median, by batch size."""
    found: dict[int, Row] = {}
    for row in rows:
        if row.median:
            found.setdefault(row.batch_size, row)
    return [found[size] for size in sorted(found)]


def batch_times(rows: list[Row]) -> list[BatchTime]:
    """For the arithmetic."""
    return [BatchTime(row.batch_size, row.median) for row in rows if row.median]


def timed_of(row: Row) -> Timed:
    """For the charts."""
    note = _("{runs} runs, {when} UTC").format(
        runs=row.runs, when=row.started_at[:16].replace("T", " ")
    )
    return Timed(
        row.mode, row.median or 0.0, row.low, row.high, row.images_per_second, note=note
    )  # fmt: skip


def _table(rows: list[Row]) -> list[dict[str, object]]:
    return [
        {
            _("Batch"): row.batch_size,
            _("Time per batch"): milliseconds(row.median),
            _("Images/s"): f"{row.images_per_second or 0:,.1f}",
            _("Memory of a pass"): "–" if row.peak_bytes is None else memory(row.peak_bytes),
            _("Runs"): row.runs,
            _("Measured (UTC)"): row.started_at[:16].replace("T", " "),
        }
        for row in rows
    ]


def _records(rows: list[Row]) -> list[dict[str, object]]:
    return [
        {
            "batch_size": row.batch_size, "median_s": row.median, "low_s": row.low,
            "high_s": row.high, "images_per_s": row.images_per_second,
            "peak_bytes": row.peak_bytes, "runs": row.runs, "started_at": row.started_at,
        }
        for row in rows
    ]  # fmt: skip


def show_frames(selection: Selection, options: Options) -> None:
    """What a camera's frame rate would need of this network on this machine."""
    rate = number("fps", _("Frames per second"), (1, 240), default=30)
    rows = newest_by_batch(list(kept_rows(selection, options)))
    times = batch_times(rows)
    if not times:
        st.info(
            _("Measure a batch size first; what a frame rate needs is computed from the median."),
            icon=":material/timer:",
        )
        return
    name = selection.spec.name
    st.markdown(frames_text(name, selection.spec.macs, times[0], rate))
    st.dataframe([_frame_row(time, rate) for time in times], hide_index=True)
    st.caption(
        _(
            "Frames come evenly; a batch of B is collected in (B − 1) / rate and has to be done in "
            "B / rate. The oldest frame waits for the others and for the pass. Loading and "
            "resizing of frames are not in these times: the live loop has them."
        )
    )


def frames_text(name: str, macs: int | None, time: BatchTime, rate: float) -> str:
    """The answer in two sentences, for the smallest batch that was measured."""
    found = frame_rate(time, rate)
    values = {
        "name": name, "rate": f"{rate:g}", "batch": time.batch_size,
        "budget": f"{found.needed_seconds * 1e3:.1f}", "median": f"{time.seconds * 1e3:.2f}",
        "factor": f"{found.speedup:.2f}", "spare": f"{1 / found.speedup:.1f}",
        "streams": found.streams,
    }  # fmt: skip
    if found.speedup <= 1:
        text = _(
            "**Yes.** At {rate} frames a second a batch of {batch} has to be done in {budget} ms; "
            "{name} takes {median} ms, {spare} times as fast as needed: enough for {streams} such "
            "cameras."
        )
    else:
        text = _(
            "**No.** At {rate} frames a second a batch of {batch} has to be done in {budget} ms; "
            "{name} takes {median} ms: the machine would have to be {factor} times as fast."
        )
    if macs:
        text += " " + _(
            "At this network's own time per operation, one with {macs} would just keep up (it has "
            "{own})."
        )
        values["macs"] = si(macs_at(macs, time, rate), "MACs")
        values["own"] = si(macs, "MACs")
    return text.format(**values)


def _frame_row(time: BatchTime, rate: float) -> dict[str, object]:
    found = frame_rate(time, rate)
    oldest = found.oldest_seconds
    return {
        _("Batch"): time.batch_size,
        _("Time per batch"): milliseconds(time.seconds),
        _("Must be done in"): milliseconds(found.needed_seconds),
        _("Keeps up"): _("yes") if oldest is not None else _("no"),
        _("Machine would have to be"): _("{factor:.2f} × as fast").format(factor=found.speedup),
        _("Cameras served"): found.streams,
        _("Oldest frame waits"): _("without end") if oldest is None else milliseconds(oldest),
    }
