"""Folklore, checked: the sentences with their verdicts, recomputed while the reader looks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from explorer.catalog import find
from explorer.catalog.history import HistoryEntry
from explorer.claim_tasks import CheckClaims
from explorer.claims import CHECKS, VERDICTS, Claim, Computed, claims, counts
from explorer.i18n import _, language
from explorer.ui.history.words import claim_address, verdict_names
from explorer.ui.jobs import run_task
from explorer.ui.links import open_row
from explorer.ui.params import choice, incoming, outgoing
from explorer.ui.selection import Selection
from explorer.ui.text import plain

_SIGNS = {"true": "✓", "imprecise": "≈", "false": "✗", "uncheckable": "?"}
_LINKS = (
    (re.compile(r"arXiv:(\d{4}\.\d{4,5})"), r'<a href="https://arxiv.org/abs/\1">\g<0></a>'),
    (re.compile(r"doi:(10\.\d{4,9}/[^\s,]+)"), r'<a href="https://doi.org/\1">\g<0></a>'),
)


def asked_claim() -> str:
    """The claim that the address asks for, "" for none; it brings its view with it.

    Call it before the view is chosen. An id that does not exist is said.
    """
    state = st.session_state
    asked = incoming("claim")
    if asked is not None:
        state["_claim"] = asked if asked in claims() else ""
        if asked:
            state["_w_view"] = "claims"
            if asked not in claims():
                state.setdefault("_bad_params", {})["claim"] = asked
            else:
                state.get("_bad_params", {}).pop("claim", None)
    return str(state.get("_claim", ""))


def show_folklore(entries: Sequence[HistoryEntry], selection: Selection, chosen: str) -> None:
    """The chosen claim, then all that the filters let through."""
    bad = st.session_state.get("_bad_params", {}).get("claim")
    if bad is not None:
        st.warning(
            _("There is no statement “{claim}”; all of them are listed here.").format(
                claim=plain(bad)
            ),
            icon=":material/link_off:",
        )
    outgoing("claim", chosen)
    found: dict[str, Computed] = {}
    if chosen:
        found = _computed(run_task(CheckClaims((chosen,)), _("Recomputing")) or ())
        _show_chosen(claims()[chosen], found, selection)
    ids = _filtered(entries)
    if not ids:
        st.info(_("No statement has this verdict here; choose another one."))
        return
    place = st.container()
    results = run_task(CheckClaims(tuple(CHECKS)), _("Recomputing on the networks"))
    with place:
        st.html(listing((claims()[name] for name in ids), _computed(results or ()) | found))


def _computed(results: Iterable[Computed]) -> dict[str, Computed]:
    return {result.claim: result for result in results}


def _show_chosen(claim: Claim, found: Mapping[str, Computed], selection: Selection) -> None:
    with st.container(border=True):
        st.html(listing((claim,), found, opened=True))
        with st.container(horizontal=True):
            for model in claim.models[:3]:
                open_row(model, find(model).name, selection)
            st.button(_("All statements"), on_click=_forget, icon=":material/list:")


def leave_claim() -> None:
    """No claim is the chosen one any more, here and in the address."""
    st.session_state["_claim"] = ""
    st.session_state.get("_bad_params", {}).pop("claim", None)
    outgoing("claim", "")


def first_view(claim: str) -> str:
    """The view to begin with: the folklore's where the address names a claim, right or wrong."""
    wrong = "claim" in st.session_state.get("_bad_params", {})
    return "claims" if claim or wrong else "timeline"


def _forget() -> None:
    st.session_state["_claim"] = ""
    st.session_state["_w_view"] = "claims"


def _filtered(entries: Sequence[HistoryEntry]) -> list[str]:
    """Ids of what the two filters let through, in the order of the history."""
    number, names = counts(), verdict_names()
    labels = {"all": _("all {count}").format(count=len(claims()))}
    labels |= {
        verdict: f"{_SIGNS[verdict]} {names[verdict]} ({number[verdict]})" for verdict in VERDICTS
    }
    left, right = st.columns([2.2, 1], vertical_alignment="bottom")
    with left:
        verdict = choice("verdict", _("Verdict"), labels, kind="segmented")
    with right:
        about = {"all": _("everything"), "field": _("the field as a whole")}
        about |= {entry.id: entry.name for entry in entries if entry.claims}
        subject = choice("about", _("About"), about)
    concerned = {entry.id: entry.claims for entry in entries}
    return [
        claim.id
        for claim in claims().values()
        if verdict in ("all", claim.verdict)
        and (
            subject == "all"
            or (subject == "field" and not claim.about)
            or claim.id in concerned.get(subject, ())
            or claim.about == subject
        )
    ]


@cache
def _style() -> str:
    text = Path(__file__).with_name("folklore.css").read_text(encoding="utf-8")
    return f"<style>{text}</style>"


def listing(chosen: Iterable[Claim], found: Mapping[str, Computed], *, opened: bool = False) -> str:
    """The claims as HTML, one below the other.

    Args:
        chosen: In the order to show.
        found: What was recomputed so far, by id.
        opened: Whether sources are shown at once.
    """
    cards = "".join(_card(claim, found.get(claim.id), opened) for claim in chosen)
    return f'{_style()}<div class="folklore">{cards}</div>'


def _card(claim: Claim, computed: Computed | None, opened: bool) -> str:
    code = language()
    names = verdict_names()
    lines = [f"<b>{_('How')}</b> {html.escape(claim.how[code])}"]
    lines.append(f"<b>{_('Source')}</b> {'; '.join(map(_source, claim.source))}")
    lines.append(
        f'<a href="{html.escape(claim_address(claim.id))}" target="_self">{_("Permanent link")}</a>'
    )
    details = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<article class="{claim.verdict}" data-claim="{claim.id}">'
        f'<span class="verdict">{_SIGNS[claim.verdict]} {names[claim.verdict]}</span>'
        f"<div><p class='claim'>{html.escape(claim.claim[code])}</p>"
        f"<p class='found'>{_finding(claim, computed)}</p>"
        f"<details{' open' if opened else ''}><summary>{_('How and source')}</summary>"
        f"{details}</details></div></article>"
    )


def _finding(claim: Claim, computed: Computed | None) -> str:
    """What is the case: with recomputed numbers, or as the source has it."""
    code = language()
    if claim.id not in CHECKS:
        return html.escape(claim.found[code])
    if computed is None:
        return f"<i>{_('being recomputed …')}</i>"
    text = html.escape(computed.text(code))
    if computed.verdict == claim.verdict:
        return f"{text} <span class='mark'>{_('recomputed')}</span>"
    names = verdict_names()
    disagrees = _("Recomputed here, the verdict would be: {verdict}.").format(
        verdict=names[computed.verdict]
    )
    return f"{text} <b>{disagrees}</b>"


def _source(text: str) -> str:
    shown = html.escape(text)
    for pattern, link in _LINKS:
        shown = pattern.sub(link, shown)
    return shown
