"""Ways to run side by side, and where a pass spends its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from explorer.charts.latency_compare import Timed, module_bars, side_by_side
from explorer.cost_tasks import MeasureRoofline
from explorer.errors import ExplorerError
from explorer.i18n import _
from explorer.requests import LatencyRequest
from explorer.results import LatencyResult, RooflineResult
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.latency.controls import (
    DTYPES,
    Options,
    format_labels,
    mode_labels,
    thread_choices,
)
from explorer.ui.latency.files import result_downloads
from explorer.ui.latency.group import Outcomes, measure_group
from explorer.ui.page import table_downloads
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.text import plain, said

_MOST_BARS = 40


def show_side_by_side(selection: Selection, options: Options) -> None:
    """The same measurement with one condition changed, a bar each."""
    titles = {
        "mode": _("Mode"), "dtype": _("Element type"), "layout": _("Memory layout"),
        "threads": _("CPU threads"),
    }  # fmt: skip
    varied = choice("vary", _("What differs"), titles, kind="segmented")
    requests = _requests(varied, options.request)
    group = f"side-{varied}"
    outcomes = measure_group(
        group, requests, selection, _("Measure all {count}").format(count=len(requests))
    )
    _draw(outcomes, titles[varied])
    results = [found for found in outcomes.values() if isinstance(found, LatencyResult)]
    if results:
        result_downloads(results, f"{group}-{selection.spec.id.replace('/', '-')}")


def _requests(varied: str, base: LatencyRequest) -> Mapping[str, LatencyRequest]:
    """Name → request."""
    if varied == "mode":
        return {label: replace(base, mode=mode) for mode, label in mode_labels().items()}
    if varied == "dtype":
        return {dtype: replace(base, dtype=dtype) for dtype in DTYPES}
    if varied == "layout":
        return {name: replace(base, memory_format=key) for key, name in format_labels().items()}
    return {
        _("{count} threads").format(count=count): replace(base, threads=int(count))
        for count in thread_choices()
    }


def _draw(outcomes: Outcomes, title: str) -> None:
    timed = []
    for name, found in outcomes.items():
        if isinstance(found, ExplorerError):
            st.warning(f"**{plain(name)}:** {said(found)}", icon=":material/block:")
            continue
        if not found.series or not found.series[0].median:
            continue
        series = found.series[0]
        low, high = series.statistics.interval or (None, None)
        note = _("{runs} runs").format(runs=len(series.seconds))
        if series.compile_seconds:
            note += ", " + _("compiled in {seconds:.1f} s, apart").format(
                seconds=series.compile_seconds
            )
        timed.append(Timed(name, series.median or 0.0, low, high, note=note))
    if not timed:
        st.info(
            _("Nothing is measured yet: each bar takes as long as a measurement."),
            icon=":material/timer:",
        )
        return
    show_figure(side_by_side(timed, title), "side-by-side")
    fastest = min(timed, key=lambda one: one.seconds)
    slowest = max(timed, key=lambda one: one.seconds)
    if len(timed) > 1:
        st.caption(
            _("{fastest} is the fastest, {factor:.2f} times as fast as {slowest}.").format(
                fastest=fastest.name, slowest=slowest.name,
                factor=slowest.seconds / fastest.seconds,
            )
        )  # fmt: skip


def show_modules(selection: Selection) -> None:
    """The time of each part of the network, in the order of the forward pass."""
    depth = choice(
        "depth", _("Parts"),
        {"1": _("top level"), "2": _("two levels"), "3": _("three levels"), "all": _("layers")},
        kind="segmented",
    )  # fmt: skip
    renewed = int(st.session_state.get("_roofline_renewed", 0))
    result: RooflineResult | None = run_task(
        MeasureRoofline(selection.spec.id, renewed), _("Measuring")
    )
    if result is None:
        return
    parts = grouped_times(result.by_layer, None if depth == "all" else int(depth))
    shown = _largest(parts)
    timed = [Timed(name, seconds) for name, seconds in shown.items()]
    show_figure(module_bars(timed), "modules")
    st.caption(
        _(
            "Median of {runs} passes, each layer timed by a hook; together {total:.2f} ms, a pass "
            "without hooks takes {plain:.2f} ms. The layer graph has the same times as its colour."
        ).format(
            runs=result.runs, total=1e3 * sum(parts.values()), plain=1e3 * result.seconds
        )
    )  # fmt: skip
    rows = [{"part": name, "seconds": seconds} for name, seconds in parts.items()]
    about = {"model": result.model, "device": result.peaks.device, "runs": result.runs}
    table_downloads(f"modules-{result.model.replace('/', '-')}", rows, about)


def grouped_times(by_layer: Mapping[str, float], depth: int | None) -> dict[str, float]:
    """Seconds by the first ``depth`` parts of the module path, in order of execution.

    Args:
        by_layer: Seconds by module call ("layer1.0.conv1"; a later call ends in "@2").
        depth: None leaves every layer on its own.
    """
    found: dict[str, float] = {}
    for name, seconds in by_layer.items():
        key = name if depth is None else ".".join(name.partition("@")[0].split(".")[:depth])
        key = key or _("(top level)")
        found[key] = found.get(key, 0.0) + seconds
    return found


def _largest(parts: dict[str, float]) -> dict[str, float]:
    """At most 40 parts; the smaller ones are put together as the last."""
    if len(parts) <= _MOST_BARS:
        return parts
    least = sorted(parts.values(), reverse=True)[_MOST_BARS - 2]
    kept = {name: seconds for name, seconds in parts.items() if seconds >= least}
    rest = _("{count} smaller ones").format(count=len(parts) - len(kept))
    return {**kept, rest: sum(parts.values()) - sum(kept.values())}
