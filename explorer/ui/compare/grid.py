"""Many results on one page: computed a few at a time, one progress bar, one button to stop all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine import Job, get_engine
from explorer.i18n import _
from explorer.tasks import Task
from explorer.ui import jobs
from explorer.ui.fragment import fragment
from explorer.ui.params import rerun

# So many wait or run at once: the next ones follow as these end, and a visitor's share of a public
# server is not used up by one page.
MOST_AT_ONCE = 3
_STOPPED = "_grid_stopped"

Cell = tuple[DeltaGenerator, Task, str]
"""Where the result will stand, what computes it, and what that is called."""


def compute_cells(head: DeltaGenerator, cells: Sequence[Cell]) -> list[Any | None]:
    """The results of all cells, None where one is still to come, failed or was cancelled.

    Args:
        head: Where the progress of the whole stands while there is something to wait for.
        cells: In the order in which they are computed.
    """
    engine, known = get_engine(), jobs.submitted()
    keys = tuple(task.key() for _place, task, _label in cells)
    found = [engine.find(key) for key in keys]
    stopped = st.session_state.get(_STOPPED) == keys
    missing = [n for n, result in enumerate(found) if result is None and not _ended(known, keys[n])]
    for number in missing[: 0 if stopped else MOST_AT_ONCE]:
        _place, task, label = cells[number]
        if keys[number] not in known:
            known[keys[number]] = jobs.submit(task, label)
        jobs.hold(known[keys[number]])
    for number, (place, task, label) in enumerate(cells):
        with place:
            if number in missing:
                st.caption(_("{label}: not computed yet").format(label=label))
            elif found[number] is None:  # ended while this was read, or with an error that is said
                found[number] = jobs.run_task(task, label)
    with head:
        if missing and stopped:
            _offer_rest(len(keys) - len(missing), len(keys))
        elif missing:
            running = [(known[keys[n]], cells[n][2]) for n in missing[:MOST_AT_ONCE]]
            done = len(keys) - len(missing)
            fragment(_progress, run_every=jobs.POLL_SECONDS, key="grid")(running, done, keys)
    return found


def _ended(known: dict[str, Job], key: str) -> bool:
    return key in known and known[key].status().finished


def _progress(running: Sequence[tuple[Job, str]], done: int, keys: tuple[str, ...]) -> None:
    states = [(job.status(jobs.owner()), label) for job, label in running]
    if any(status.finished for status, _label in states):
        rerun()
    status, label = min(states, key=lambda state: state[0].position)
    text = _("{done} of {count} maps").format(done=done, count=len(keys))
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    bar.progress(
        (done + (status.fraction or 0.0)) / len(keys),
        text=f"{text} · {jobs.describe(status, label)}",
    )
    if stop.button(_("Cancel all"), key="grid-cancel", icon=":material/stop_circle:"):
        st.session_state[_STOPPED] = keys
        for job, _label in running:
            get_engine().cancel(job, jobs.owner())
        for job, _label in running:
            job.wait(jobs.CANCEL_SECONDS)
        for key in keys:
            jobs.submitted().pop(key, None)
        rerun()


def _offer_rest(done: int, count: int) -> None:
    text = _("Stopped at {done} of {count} maps.").format(done=done, count=count)
    said, go_on = st.columns([5, 1], vertical_alignment="center")
    said.info(text, icon=":material/stop_circle:")
    if go_on.button(_("Go on"), key="grid-go-on", icon=":material/play_arrow:"):
        st.session_state.pop(_STOPPED, None)
        rerun()
