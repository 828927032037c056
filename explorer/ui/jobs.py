"""Heavy calls on a page: a job is shown where its result will stand; the page stays usable."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.engine import Job, JobStatus, get_engine
from explorer.errors import LimitError, ModelNotOfferedError
from explorer.i18n import _
from explorer.settings import get_settings
from explorer.tasks import Task
from explorer.ui import crowd
from explorer.ui.banners import show_error
from explorer.ui.fragment import fragment
from explorer.ui.params import rerun
from explorer.ui.sessions import remember

#: How often a progress bar is looked at: a fifth of the expected wait, within these two. Who waits
#: in a long queue sees it move no less, and a hundred of them leave the server to the others.
POLL_SECONDS, LONGEST_POLL_SECONDS = 0.4, 2.0
# A result that is this near is waited for: cheaper for the eye than a progress bar that flashes.
GRACE_SECONDS = 0.15
#: A worker looks up from its work about ten times a second.
CANCEL_SECONDS = 0.5


def owner() -> str:
    """This visitor's name for the engine."""
    return str(st.session_state.setdefault("_owner", uuid.uuid4().hex))


def address() -> str:
    """Where this visitor comes from, for the limits of public mode; never shown nor logged."""
    found = st.context.ip_address if get_settings().public else None
    return found if isinstance(found, str) else ""  # None on the machine itself


def submit(task: Task, label: str) -> Job:
    """Hands a task to the engine in this visitor's name."""
    remember(task)
    return get_engine().submit(task, owner(), label=label, address=address())


def submitted() -> dict[str, Job]:
    """This visitor's jobs by the slot of the page that shows them."""
    found: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    return found


def _touched() -> set[str]:
    found: set[str] = st.session_state.setdefault("_touched", set())
    return found


def run_task(
    task: Task, label: str, draw_partial: Callable[[Any], None] | None = None
) -> Any | None:
    """The result of a task; None while it runs, and after it failed or was cancelled.

    While it runs, a progress bar with the estimated time and a cancel button stand here; a failure
    shows its sentence and a button to try again.

    Args:
        task: What to do; its key names the job on this page.
        label: What is being done, for the progress bar.
        draw_partial: Draws a partial result while the job runs.
    """
    key = task.key()
    cached = get_engine().find(key)
    if cached is not None:
        return cached
    job = submitted().get(key)
    if job is None:
        job = submitted()[key] = submit(task, label)
    return watch(job, key, label, draw_partial)


def watch(
    job: Job, slot: str, label: str, draw_partial: Callable[[Any], None] | None = None
) -> Any | None:
    """The result of a job that was submitted, or its progress; see ``run_task``."""
    _touched().add(job.id)
    _wait_a_little(job)
    status = job.status(owner())
    if status.state == "done":
        return job.result()
    if status.state in ("failed", "cancelled"):
        if status.error is not None:
            show_error(status.error)
        if isinstance(status.error, ModelNotOfferedError):
            return None
        if isinstance(status.error, LimitError) and job.started is None:
            submitted().pop(slot, None)  # it was not taken: the next run of the page asks anew
        if st.button(_("Try again"), key=f"retry-{slot}", icon=":material/refresh:"):
            submitted().pop(slot, None)
            rerun()
        return None
    every = poll_seconds(status)
    fragment(_progress, run_every=every, key=f"job-{slot}")(job, slot, label, draw_partial)
    return None


def poll_seconds(status: JobStatus) -> float:
    """Seconds between two looks at a job, by what it still has to wait before it runs."""
    expected = (status.wait_seconds or 0.0) if status.state == "queued" else 0.0
    return min(max(POLL_SECONDS, expected / 5), LONGEST_POLL_SECONDS)


def _progress(job: Job, slot: str, label: str, draw_partial: Callable[[Any], None] | None) -> None:
    status = job.status(owner())
    if status.state not in ("queued", "running"):
        rerun()
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    bar.progress(status.fraction or 0.0, text=describe(status, label))
    if stop.button(_("Cancel"), key=f"cancel-{slot}", icon=":material/stop_circle:"):
        get_engine().cancel(job, owner())
        # The run that follows then shows the end, not another progress bar.
        job.wait(CANCEL_SECONDS)
        rerun()
    if draw_partial is not None and status.partial is not None:
        draw_partial(status.partial)


def _wait_a_little(job: Job) -> None:
    """Waits for a job that may end at once; all jobs of a run share the time.

    The page holds its turn meanwhile: where others wait for one, or many jobs stand before this
    one, it does not.
    """
    if crowd.others_wait() or (job.status().wait_seconds or 0.0) > GRACE_SECONDS:
        return
    begin = time.monotonic()
    job.wait(max(0.0, st.session_state["_grace"]))
    st.session_state["_grace"] -= time.monotonic() - begin


def hold(job: Job) -> None:
    """Says that this run shows the job, which is released at the end of a run that does not."""
    _touched().add(job.id)


def describe(status: JobStatus, label: str) -> str:
    """What a job is doing and how long that takes yet, for its progress bar."""
    if status.stage:
        label = f"{label} · {_(status.stage)}"
    if status.state == "queued" and status.wait_seconds is not None:
        return _("{label}: number {position} in the queue, in about {seconds:.0f} s").format(
            label=label, position=status.position, seconds=max(1, status.wait_seconds)
        )
    if status.state == "queued":
        return _("{label}: number {position} in the queue").format(
            label=label, position=status.position
        )
    if status.eta_seconds is not None:
        return _("{label}: about {seconds:.0f} s left").format(
            label=label, seconds=max(1, status.eta_seconds)
        )
    return _("{label} … {seconds:.0f} s").format(label=label, seconds=status.elapsed_seconds)


def begin_run() -> None:
    """At the start of a script run: no job is waited for yet."""
    st.session_state["_touched"] = set()
    st.session_state["_grace"] = GRACE_SECONDS


def end_run() -> None:
    """At the end of a full script run: jobs that no page of this visitor shows are released."""
    kept = _touched()
    for slot, job in list(submitted().items()):
        if job.id not in kept:
            submitted().pop(slot)
    get_engine().release(owner(), kept)
