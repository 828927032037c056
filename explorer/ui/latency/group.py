"""Several measurements one after another on one button: queued together, shown as they end."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer.engine import Job, get_engine
from explorer.errors import ExplorerError, JobCancelled
from explorer.i18n import _
from explorer.requests import LatencyRequest
from explorer.results import LatencyResult
from explorer.tasks import Measure
from explorer.ui.fragment import fragment
from explorer.ui.jobs import describe, hold, owner, submit
from explorer.ui.latency.kept import keeps
from explorer.ui.params import rerun
from explorer.ui.selection import Selection

Outcomes = dict[str, "LatencyResult | ExplorerError"]


def _jobs(group: str) -> dict[str, Job]:
    found: dict[str, dict[str, Job]] = st.session_state.setdefault("_latency_groups", {})
    return found.setdefault(group, {})


def measure_group(
    group: str, requests: Mapping[str, LatencyRequest], selection: Selection, label: str
) -> Outcomes:
    """A button that measures all requests in turn, their progress, and what has come of them.

    Args:
        group: Names it in the session; results of another model are not shown.
        requests: Name → what to measure.
        selection: The network.
        label: On the button.

    Returns:
        By name, what is done, and the errors of those that could not be measured.
    """
    slot = f"{group}-{selection.spec.id}"
    jobs = _jobs(slot)
    running = any(not job.status().finished for job in jobs.values())
    for job in jobs.values():
        hold(job)
    if running:
        st.button(
            _("Stop"), icon=":material/stop_circle:", key=f"stop-{group}", on_click=_stop,
            args=(slot,),
        )  # fmt: skip
        fragment(_progress, run_every=0.5, key=f"group-{group}")(slot)
    else:
        st.button(
            label, icon=":material/play_arrow:", type="primary", key=f"start-{group}",
            on_click=_start, args=(slot, requests, selection),
        )  # fmt: skip
    return _outcomes(jobs)


def _start(slot: str, requests: Mapping[str, LatencyRequest], selection: Selection) -> None:
    jobs = _jobs(slot)
    jobs.clear()
    for name, request in requests.items():
        jobs[name] = submit(Measure(selection.ref, request, keep=keeps()), _("Timing"))


def _stop(slot: str) -> None:
    for job in _jobs(slot).values():
        get_engine().cancel(job, owner())


def _progress(slot: str) -> None:
    jobs = _jobs(slot)
    states = {name: job.status(owner()) for name, job in jobs.items()}
    done = [name for name, status in states.items() if status.finished]
    known = st.session_state.setdefault("_latency_group_done", {})
    if len(done) == len(jobs) or len(done) != known.get(slot, 0):
        known[slot] = 0 if len(done) == len(jobs) else len(done)
        rerun()  # the chart gets what has just ended
    for name, status in states.items():
        if status.state == "running":
            share = (len(done) + (status.fraction or 0.0)) / len(jobs)
            st.progress(min(share, 1.0), text=describe(status, name))
            return
    st.progress(len(done) / len(jobs), text=_("Waiting for the machine"))


def _outcomes(jobs: Mapping[str, Job]) -> Outcomes:
    """Results and errors of what has ended; of a stopped one what was measured."""
    found: Outcomes = {}
    for name, job in jobs.items():
        status = job.status(owner())
        if status.state == "done":
            found[name] = job.result()
        elif status.state == "cancelled" and status.partial is not None:
            found[name] = status.partial
        elif status.error is not None and not isinstance(status.error, JobCancelled):
            found[name] = status.error
    return found
