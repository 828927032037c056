"""The live measurement: start, watch, stop; what was measured stays until the next start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.charts.latency import latency_histogram, latency_timeline
from explorer.engine import Job, get_engine
from explorer.i18n import _
from explorer.requests import LatencyRequest
from explorer.results import LatencyResult, LatencySeries
from explorer.tasks import Measure
from explorer.ui.charts import show_figure
from explorer.ui.jobs import owner, watch
from explorer.ui.page import table_downloads
from explorer.ui.selection import Selection

SLOT = "latency"


def measure_live(selection: Selection, request: LatencyRequest, controls: Any, view: Any) -> None:
    """Draws the buttons into ``controls`` and the running measurement into ``view``."""
    jobs: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    kept: LatencyResult | None = st.session_state.get("_latency")
    with controls:
        if st.button(
            _("Start"), type="primary", icon=":material/play_arrow:", width="stretch", key="start"
        ):
            jobs[SLOT] = get_engine().submit(
                Measure(selection.ref, request), owner(), label=_("Timing")
            )
            kept = st.session_state["_latency"] = None
    with view:
        job = jobs.get(SLOT)
        if job is not None:
            label = _("Timing {model}").format(model=selection.spec.name)
            result = watch(job, SLOT, label, _keep_and_draw)
            kept = result or st.session_state.get("_latency")
            if result is not None:
                st.session_state["_latency"] = result
            elif not job.status().finished:
                return
        if kept is None:
            st.info(
                _("Nothing is measured yet: press start. It takes a few seconds."),
                icon=":material/timer:",
            )
            return
        draw_result(kept)


def _keep_and_draw(partial: LatencyResult) -> None:
    """Keeps what is measured so far, for the visitor who stops early, and draws it."""
    st.session_state["_latency"] = partial
    draw_result(partial, live=True)


def draw_result(result: LatencyResult, *, live: bool = False) -> None:
    """The number people quote with its conditions, the distribution, the raw times."""
    if not result.series:
        return
    series = result.series[-1]
    _headline(result, series)
    show_figure(latency_histogram(series), "latency-live" if live else "latency")
    show_figure(latency_timeline(series), "times-live" if live else "times")
    if not live:
        rows = [
            {"run": number, "start_s": float(start), "seconds_per_batch": float(seconds)}
            for number, (start, seconds) in enumerate(
                zip(series.starts, series.seconds, strict=True)
            )
        ]
        about = {
            "model": result.model, "batch_size": series.batch_size, "device": result.device,
            "threads": result.threads, "dtype": result.dtype, "layout": result.memory_format,
            "input_size": list(result.input_size), "versions": result.versions,
        }  # fmt: skip
        table_downloads(f"latency-{result.model.replace('/', '-')}", rows, about)


def _headline(result: LatencyResult, series: LatencySeries) -> None:
    median, p95, rate, runs = st.columns(4)
    median.metric(_("Median (p50), per batch"), milliseconds(series.percentile(50)))
    p95.metric(_("p95, per batch"), milliseconds(series.percentile(95)))
    per_second = series.images_per_second
    rate.metric(_("Images per second"), "–" if per_second is None else f"{per_second:.1f}")
    runs.metric(_("Runs"), str(len(series.seconds)))
    st.caption(
        _("{model}, batch {batch}, {dtype}, {layout}, on {device}, {threads} threads").format(
            model=result.model, batch=series.batch_size, dtype=result.dtype,
            layout=result.memory_format, device=result.device, threads=result.threads,
        )
    )  # fmt: skip


def milliseconds(seconds: float | None) -> str:
    """Seconds as text in milliseconds; a percentile that the sample does not earn is said."""
    return _("not enough runs") if seconds is None else f"{seconds * 1e3:.2f} ms"
