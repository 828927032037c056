"""The live measurement: start, watch, stop; what was measured stays until the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.latency import latency_histogram, latency_timeline, running_percentiles
from explorer.engine import Job, get_engine
from explorer.i18n import _
from explorer.results import LatencyResult
from explorer.tasks import Measure
from explorer.ui.banners import show_error
from explorer.ui.charts import show_figure
from explorer.ui.jobs import hold, owner, submit
from explorer.ui.latency.controls import Options
from explorer.ui.latency.files import result_downloads
from explorer.ui.latency.headline import draw_headline
from explorer.ui.latency.kept import ask, here, keeps
from explorer.ui.latency.watching import watch_measurement
from explorer.ui.selection import Selection

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from explorer.measurements import MeasurementStore

SLOT = "latency"
_LAST = "_latency"


def _jobs() -> dict[str, Job]:
    found: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    return found


def hold_measurement() -> Job | None:
    """The measurement under way, kept alive also while another view of the page is open."""
    job = _jobs().get(SLOT)
    if job is not None:
        hold(job)
    return job


def start_button(selection: Selection, options: Options, place: DeltaGenerator) -> None:
    """Start, or Stop while a measurement is under way."""
    job = hold_measurement()
    with place:
        if job is not None and not job.status().finished:
            st.button(
                _("Stop"), icon=":material/stop_circle:", width="stretch", key="stop",
                on_click=_stop,
            )  # fmt: skip
            return
        st.button(
            _("Start"), type="primary", icon=":material/play_arrow:", width="stretch", key="start",
            on_click=_start, args=(selection, options),
        )  # fmt: skip


def _start(selection: Selection, options: Options) -> None:
    st.session_state[_LAST] = None
    st.session_state["_latency_error"] = None
    _jobs()[SLOT] = submit(Measure(selection.ref, options.request, keep=keeps()), _("Timing"))


def _stop() -> None:
    job = _jobs().get(SLOT)
    if job is not None:
        get_engine().cancel(job, owner())


def show_live(selection: Selection, options: Options) -> None:
    """The running measurement; else the last one, of this visit or from the store."""
    job = _jobs().get(SLOT)
    if job is not None and not job.status().finished:
        watch_measurement(job, _("Timing {model}").format(model=selection.spec.name))
        return
    if job is not None:
        _take_over(job)
    error = st.session_state.get("_latency_error")
    if error is not None:
        show_error(error)
    result: LatencyResult | None = st.session_state.get(_LAST)
    if result is None or result.model != selection.spec.id:
        result = _from_store(selection, options)
    if result is None or not result.series:
        st.info(
            _("Nothing is measured yet: press start. It takes a few seconds."),
            icon=":material/timer:",
        )
        return
    draw_result(result)
    if not _is_of(result, options):
        st.caption(_("These are the conditions of the last measurement, not of the controls."))


def _take_over(job: Job) -> None:
    """Keeps what a measurement that is over has left, and forgets the job."""
    _jobs().pop(SLOT, None)
    status = job.status(owner())
    partial: LatencyResult | None = status.partial
    st.session_state[_LAST] = job.result() if status.state == "done" else partial
    if status.state == "failed":
        st.session_state["_latency_error"] = status.error


def draw_result(result: LatencyResult) -> None:
    """The number with its conditions, the distribution, its percentiles, the raw times."""
    series = result.series[-1]
    draw_headline(result, series)
    left, right = st.columns(2)
    with left:
        show_figure(latency_histogram(series), "latency")
    with right:
        show_figure(running_percentiles(series), "percentiles")
    show_figure(latency_timeline(series), "times")
    result_downloads([result], f"latency-{result.model.replace('/', '-')}")


def _is_of(result: LatencyResult, options: Options) -> bool:
    """Whether the result was measured as the controls say."""
    wanted = options.request
    threads = wanted.threads in (None, result.threads)
    batches = any(series.batch_size == options.batch for series in result.series)
    same = (result.mode, result.dtype, result.memory_format)
    return threads and batches and same == (wanted.mode, wanted.dtype, wanted.memory_format)


def _from_store(selection: Selection, options: Options) -> LatencyResult | None:
    """The newest kept measurement of these conditions on this machine, with its raw times."""

    def newest(store: MeasurementStore) -> LatencyResult | None:
        from explorer.measurements import RowFilter

        wanted = options.request
        rows = store.rows(
            RowFilter(
                model=selection.spec.id, mode=wanted.mode, dtype=wanted.dtype,
                memory_format=wanted.memory_format, threads=wanted.threads,
                batch_size=options.batch, input_size=selection.spec.input_size,
            ),
            limit=50,
        )  # fmt: skip
        found = here(rows)
        return store.result(found[0].run_id) if found else None

    return ask(newest, None)
