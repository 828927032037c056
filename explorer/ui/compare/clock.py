"""The models timed in turn on this machine, with the interval of each ratio."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.charts.paired import paired_chart
from explorer.engine import Job
from explorer.i18n import _
from explorer.paired import PairedRequest, PairedResult, Ratio, ratio_of
from explorer.paired_task import MeasurePaired
from explorer.ui.charts import show_figure
from explorer.ui.compare.lineup import Entry, choose_reference
from explorer.ui.jobs import submit, watch
from explorer.ui.params import choice
from explorer.ui.public import allowed_batches

SLOT = "paired"


def show_clock(entries: Sequence[Entry]) -> None:
    """Start, watch the intervals shrink, read which difference is shown."""
    reference = choose_reference(entries)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        batch = choice("batch", _("Images per batch"), allowed_batches(["1", "2", "4", "8", "16"]))
    with middle:
        rounds = choice("rounds", _("Rounds"), ["20", "40", "100"])
    jobs: dict[str, Job] = st.session_state.setdefault("_jobs", {})
    with right:
        start = st.button(
            _("Time them in turn"), type="primary", icon=":material/play_arrow:", key="pair-start"
        )
    if start:
        refs = tuple(entry.selection.ref for entry in entries)
        request = PairedRequest(batch_size=int(batch), rounds=int(rounds))
        jobs[SLOT] = submit(MeasurePaired(refs, request), _("Timing in turn"))
        st.session_state["_paired"] = None
    if SLOT in jobs:

        def keep(partial: PairedResult) -> None:
            st.session_state["_paired"] = partial
            draw(partial, entries, reference, live=True)

        result = watch(jobs[SLOT], SLOT, _("Timing in turn"), keep)
        if result is not None:
            st.session_state["_paired"] = result
        elif not jobs[SLOT].status().finished:
            return
    found: PairedResult | None = st.session_state.get("_paired")
    if found is None:
        st.info(
            _("Nothing is timed yet: press the button. The models run in turn, in an order that is "
              "drawn anew each round, so that what disturbs the machine disturbs all alike."),
            icon=":material/timer:",
        )  # fmt: skip
        return
    draw(found, entries, reference)


def draw(
    found: PairedResult, entries: Sequence[Entry], reference: Entry, *, live: bool = False
) -> None:
    """The ratios in words and as a chart, those of models that were timed."""
    places = {
        (model, weights): place
        for place, (model, weights) in enumerate(zip(found.models, found.weights, strict=True))
    }
    timed = [e for e in entries if (e.selection.ref.model, e.selection.ref.weights) in places]
    if reference not in timed or len(timed) < 2:
        st.info(_("These models were not timed together yet: press the button."))
        return

    def place(entry: Entry) -> int:
        return places[entry.selection.ref.model, entry.selection.ref.weights]

    ratios = [(entry, ratio_of(found, place(entry), place(reference))) for entry in timed]
    for entry, ratio in ratios:
        if entry is not reference:
            st.markdown(in_words(entry.name, reference.name, ratio))
    show_figure(
        paired_chart(
            [entry.name for entry, _ratio in ratios], [ratio for _entry, ratio in ratios],
            [found.medians[place(entry)] for entry, _ratio in ratios],
            [entry.member.colour for entry, _ratio in ratios],
        ),
        "paired-live" if live else "paired",
    )  # fmt: skip
    st.caption(
        _("{device}, {threads} threads, batch {batch}, {rounds} rounds, float32; measured here.")
        .format(device=found.device, threads=found.threads, batch=found.batch_size,
                rounds=len(found.seconds))
    )  # fmt: skip


def in_words(name: str, reference: str, ratio: Ratio) -> str:
    """A sentence that says no more than the interval allows."""
    if ratio.low is None or ratio.high is None:
        return _("**{name}**: {value:.2f}× the time of {reference}; too few rounds for an "
                 "interval.").format(name=name, value=ratio.value, reference=reference)  # fmt: skip
    values = {
        "name": name, "reference": reference, "value": ratio.value, "low": ratio.low,
        "high": ratio.high,
    }  # fmt: skip
    if not ratio.shown:
        return _("**{name}**: no difference to {reference} is shown ({value:.3f}×, 95 % interval "
                 "{low:.3f} to {high:.3f}).").format(**values)  # fmt: skip
    return _("**{name}** takes {value:.3f}× as long as {reference} (95 % interval {low:.3f} to "
             "{high:.3f}).").format(**values)  # fmt: skip
