"""The models timed in turn on this machine, with the interval of each ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.paired import paired_chart
from explorer.engine import Job
from explorer.i18n import _
from explorer.paired import PairedRequest, PairedResult, Ratio, ratio_of
from explorer.paired.result import LEAST_BLOCKS
from explorer.paired_task import MeasurePaired
from explorer.ui.charts import show_figure
from explorer.ui.compare.lineup import Entry, choose_reference
from explorer.ui.jobs import submit, watch
from explorer.ui.params import choice
from explorer.ui.public import allowed_batches
from explorer.ui.text import said

if TYPE_CHECKING:
    import plotly.graph_objects as go

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


@dataclass(frozen=True, slots=True)
class Timed:
    """What was timed, as this page's models.

    Attributes:
        entries: Those of the page that were timed.
        places: Theirs in the result.
        reference: The chosen one; the first one where that was refused.
    """

    entries: tuple[Entry, ...]
    places: tuple[int, ...]
    reference: Entry


def timed_of(found: PairedResult, entries: Sequence[Entry], reference: Entry) -> Timed | None:
    """The entries of a result; None where it is not of these models."""
    keys = list(zip(found.models, found.weights, strict=True))
    refused = {(one.model, one.weights) for one in found.refused}
    timed = [entry for entry in entries if _key(entry) in keys]
    if not timed or (reference not in timed and _key(reference) not in refused):
        return None
    if len(timed) < 2 and not refused:
        return None
    places = tuple(keys.index(_key(entry)) for entry in timed)
    return Timed(tuple(timed), places, reference if reference in timed else timed[0])


def _key(entry: Entry) -> tuple[str, str | None]:
    return entry.selection.ref.model, entry.selection.ref.weights


def draw(
    found: PairedResult, entries: Sequence[Entry], reference: Entry, *, live: bool = False
) -> None:
    """The ratios in words and as a chart, those of models that were timed."""
    timed = timed_of(found, entries, reference)
    if timed is None:
        st.info(_("These models were not timed together yet: press the button."))
        return
    for refused in found.refused:
        st.error(said(refused.error), icon=":material/error:")
    if found.blocks is not None:
        st.warning(said_of_blocks(found), icon=":material/splitscreen:")
    for line in lines_of(found, timed):
        st.markdown(line)
    show_figure(chart_of(found, timed), "paired-live" if live else "paired")
    st.caption(conditions(found))


def lines_of(found: PairedResult, timed: Timed) -> list[str]:
    """A sentence for each ratio, in Markdown; one for a network that is left alone."""
    pairs = zip(timed.entries, _ratios(found, timed), strict=True)
    lines = [
        in_words(entry.name, timed.reference.name, ratio)
        for entry, ratio in pairs
        if entry is not timed.reference
    ]
    alone = _(
        "**{name}** takes {ms:.2f} ms a batch; no other model was timed, so there is no ratio."
    )
    return lines or [
        alone.format(name=timed.reference.name, ms=found.medians[timed.places[0]] * 1e3)
    ]


def chart_of(found: PairedResult, timed: Timed) -> go.Figure:
    """The ratios with their intervals."""
    return paired_chart(
        [entry.name for entry in timed.entries], _ratios(found, timed),
        [found.medians[place] for place in timed.places],
        [entry.member.colour for entry in timed.entries],
    )  # fmt: skip


def _ratios(found: PairedResult, timed: Timed) -> list[Ratio]:
    base = timed.places[timed.entries.index(timed.reference)]
    return [ratio_of(found, place, base) for place in timed.places]


def said_of_blocks(found: PairedResult) -> str:
    """That the models were timed one after another, why, and what that does to the interval."""
    blocks = found.blocks
    if blocks is None:
        return ""
    how = _(
        "Timed in turn in blocks, not round by round: together these models take {total} MB, more "
        "than the budget of {budget} MB for loaded models (EXPLORER_MODEL_BUDGET). In each block "
        "each model is loaded once, in an order that is drawn anew, warmed up, and timed for "
        "{turns} turns; loading is not counted."
    ).format(
        total=f"{blocks.model_bytes / 1e6:.1f}", budget=f"{blocks.budget_bytes / 1e6:.1f}",
        turns=blocks.turns,
    )  # fmt: skip
    count = len(found.observations)
    if count < LEAST_BLOCKS:  # the first ones of a run, which have no interval yet
        return how
    return how + _(
        " The interval is a bootstrap over {blocks} blocks: with so few it is wide, and a small "
        "difference may not be shown."
    ).format(blocks=count)


def conditions(found: PairedResult) -> str:
    """Where and how they were timed."""
    values = {"device": found.device, "threads": found.threads, "batch": found.batch_size}
    if found.blocks is None:
        return _(
            "{device}, {threads} threads, batch {batch}, {rounds} rounds, float32; measured here."
        ).format(**values, rounds=len(found.seconds))
    return _(
        "{device}, {threads} threads, batch {batch}, {blocks} blocks of {turns} turns, float32; "
        "measured here."
    ).format(**values, blocks=len(found.observations), turns=found.blocks.turns)


def in_words(name: str, reference: str, ratio: Ratio) -> str:
    """A sentence that says no more than the interval allows."""
    if ratio.low is None or ratio.high is None:
        few = (
            _("**{name}**: {value:.2f}× the time of {reference}; too few blocks for an interval.")
            if ratio.in_blocks
            else _("**{name}**: {value:.2f}× the time of {reference}; too few rounds for an "
                   "interval.")
        )  # fmt: skip
        return few.format(name=name, value=ratio.value, reference=reference)
    values = {
        "name": name, "reference": reference, "value": ratio.value, "low": ratio.low,
        "high": ratio.high,
    }  # fmt: skip
    if not ratio.shown:
        return _("**{name}**: no difference to {reference} is shown ({value:.3f}×, 95 % interval "
                 "{low:.3f} to {high:.3f}).").format(**values)  # fmt: skip
    return _("**{name}** takes {value:.3f}× as long as {reference} (95 % interval {low:.3f} to "
             "{high:.3f}).").format(**values)  # fmt: skip
