"""The live loop: one image classified again and again, as a camera would have it done."""

from __future__ import annotations

import streamlit as st

from explorer.engine import Job, get_engine
from explorer.i18n import _
from explorer.results import ClassifiedFrames
from explorer.settings import get_settings
from explorer.tasks import ClassifyFrames
from explorer.ui.banners import show_error, untrained_banner, unverified_banner
from explorer.ui.fragment import fragment
from explorer.ui.jobs import hold, owner, submit
from explorer.ui.params import rerun
from explorer.ui.photo import choose_photo
from explorer.ui.selection import Selection

SLOT = "latency-loop"
SECONDS = 60.0
# Where others wait for the same worker.
PUBLIC_SECONDS = 10.0


def show_loop(selection: Selection) -> None:
    """Image, start and stop, the rate and what the network says, several times a second."""
    untrained_banner(selection)
    unverified_banner(selection)
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        photo = choose_photo(selection.spec.dataset)
        if photo is not None:
            st.image(photo.data, width="stretch", alt=photo.name)
    jobs: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    with right:
        job = jobs.get(SLOT)
        if job is not None and not job.status().finished:
            hold(job)
            st.button(_("Stop"), icon=":material/stop_circle:", key="stop-loop", on_click=_stop)
            fragment(_watch, run_every=0.3, key="loop")(job)
            return
        if photo is not None:
            st.button(
                _("Classify continuously"), type="primary", icon=":material/videocam:",
                key="start-loop", on_click=_start, args=(selection, photo.data),
            )  # fmt: skip
        last = _last(job)
        if last is not None:
            _draw(last)
        else:
            st.info(
                _(
                    "Every frame is resized, normalised and classified anew, for {seconds:.0f} s "
                    "or until you stop."
                ).format(seconds=_seconds()),
                icon=":material/videocam:",
            )


def _start(selection: Selection, data: bytes) -> None:
    jobs: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    jobs[SLOT] = submit(ClassifyFrames(selection.ref, data, _seconds()), _("Classifying"))


def _seconds() -> float:
    settings = get_settings()
    return min(PUBLIC_SECONDS, settings.max_job_seconds / 2) if settings.public else SECONDS


def _stop() -> None:
    job = st.session_state["_jobs"].get(SLOT)
    if job is not None:
        get_engine().cancel(job, owner())


def _last(job: Job | None) -> ClassifiedFrames | None:
    """Where the loop stood at its end; an error is said."""
    if job is not None:
        status = job.status(owner())
        if status.state == "failed" and status.error is not None:
            show_error(status.error)
        st.session_state["_loop_last"] = job.result() if status.state == "done" else status.partial
    last: ClassifiedFrames | None = st.session_state.get("_loop_last")
    return last


def _watch(job: Job) -> None:
    status = job.status(owner())
    if status.finished:
        rerun()
    frames: ClassifiedFrames | None = status.partial
    if frames is None:
        st.progress(0.0, text=_("Loading the network"))
        return
    _draw(frames)


def _draw(frames: ClassifiedFrames) -> None:
    rate, count, share = st.columns(3)
    rate.metric(_("Frames per second"), f"{frames.recent_rate:.1f}")
    count.metric(_("Frames"), f"{frames.frames:,}")
    share.metric(_("Time in the network"), f"{100 * frames.pass_share:.0f} %")
    for score in frames.top:
        st.progress(
            min(max(score.probability, 0.0), 1.0),
            text=f"{score.label} · {100 * score.probability:.1f} %",
        )
    st.caption(
        _(
            "Rate of the last 30 frames, resizing and normalising included; {seconds:.0f} s on "
            "{device}."
        ).format(seconds=frames.seconds, device=frames.device)
    )
