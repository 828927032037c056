"""The models to compare (``?compare=``): up to four, kept across pages, drawn as a tray."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.catalog import find
from explorer.charts.theme import COLORWAY
from explorer.errors import UnknownModelError
from explorer.i18n import _
from explorer.offered import find_offered
from explorer.ui.params import incoming, outgoing
from explorer.ui.selection import UNTRAINED, Selection, offered_weights, with_weights
from explorer.ui.text import plain, said
from explorer.weights import default_weights

MOST = 4


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the comparison.

    Attributes:
        selection: The model with its weights.
        slot: Number of its colour; it keeps the colour when others leave or the order changes.
    """

    selection: Selection
    slot: int

    @property
    def colour(self) -> str:
        """Hex colour, the same in every figure."""
        return COLORWAY[self.slot % len(COLORWAY)]

    @property
    def text(self) -> str:
        """As the URL has it."""
        spec, weights = self.selection.spec, self.selection.weights
        chosen = UNTRAINED if weights is None else weights.id
        return spec.id if chosen == _default(spec.id) else f"{spec.id}:{chosen}"


def members() -> list[Member]:
    """The models to compare, in their order."""
    found: list[Member] = st.session_state.get("_compare", [])
    return list(found)


def sync_compare() -> None:
    """Takes a deep link or a step back, says what was wrong in it, and keeps the URL true."""
    asked = incoming("compare")
    if asked is not None:
        found, problems = read(asked)
        st.session_state["_compare"] = found
        st.session_state["_compare_problems"] = problems
    for problem in st.session_state.get("_compare_problems", ()):
        st.warning(problem, icon=":material/compare:")
    outgoing("compare", ",".join(member.text for member in members()))


def read(text: str) -> tuple[list[Member], list[str]]:
    """The models that a parameter names, and a sentence for each that cannot be shown.

    Args:
        text: "resnet50,vit_b_16:untrained": catalog ids, with weights where not the usual ones.
    """
    found: list[Member] = []
    problems: list[str] = []
    for part in filter(None, text.split(",")):
        model, _colon, chosen = part.partition(":")
        try:
            member = _member(model, chosen or None, len(found))
        except UnknownModelError as error:
            problems.append(said(error))
            continue
        if chosen and _chosen(member) != chosen:
            problems.append(
                _("{model} has no weights “{weights}”; {default} is shown instead.").format(
                    model=member.selection.spec.name, weights=plain(chosen),
                    default=_chosen(member),
                )
            )  # fmt: skip
        if member.text in {one.text for one in found}:
            problems.append(
                _("{model} is compared already; once is enough.").format(
                    model=member.selection.spec.name
                )
            )
        elif len(found) == MOST:
            problems.append(
                _("Up to {most} models are compared: {model} is left out.").format(
                    most=MOST, model=member.selection.spec.name
                )
            )
        else:
            found.append(member)
    return found, problems


def _default(model: str) -> str:
    return default_weights(find(model)) or UNTRAINED


def _chosen(member: Member) -> str:
    weights = member.selection.weights
    return UNTRAINED if weights is None else weights.id


def _member(model: str, chosen: str | None, slot: int) -> Member:
    spec = find_offered(model)
    known = [weights.id for weights in offered_weights(spec)]
    if chosen not in known and chosen != UNTRAINED:
        chosen = _default(spec.id)
    return Member(with_weights(spec, chosen), slot)


def add(selection: Selection) -> None:
    """Puts a model into the comparison, in a free colour."""
    kept = members()
    taken = {member.slot for member in kept}
    slot = next(slot for slot in range(MOST + 1) if slot not in taken)
    member = Member(selection, slot)
    if len(kept) < MOST and member.text not in {one.text for one in kept}:
        _keep([*kept, member])


def _keep(found: list[Member]) -> None:
    st.session_state["_compare"] = found
    st.session_state.pop("_compare_problems", None)


def _remove(number: int) -> None:
    _keep([member for place, member in enumerate(members()) if place != number])


def _up(number: int) -> None:
    found = members()
    found[number - 1 : number + 1] = reversed(found[number - 1 : number + 1])
    _keep(found)


def _swap(number: int, key: str) -> None:
    found = members()
    old = found[number]
    new = _member(old.selection.spec.id, str(st.session_state[key]), old.slot)
    if new.text not in {one.text for one in found}:
        found[number] = new
    _keep(found)


def draw_tray(place: DeltaGenerator, selection: Selection) -> None:
    """The models to compare in the sidebar, with what can be done with them."""
    found = members()
    label = _("Compare ({count} of {most})").format(count=len(found), most=MOST)
    with place, st.expander(label, icon=":material/compare:", expanded=bool(found)):
        for number, member in enumerate(found):
            _draw_member(number, member)
        known = {one.text for one in found}
        fresh = Member(selection, 0).text not in known
        st.button(
            _("Add {model}").format(model=selection.spec.name), icon=":material/add:",
            key="compare-add", on_click=add, args=(selection,), width="stretch",
            disabled=len(found) >= MOST or not fresh,
        )  # fmt: skip
        if found:
            pages: dict[str, st.Page] = st.session_state["_pages"]
            st.page_link(pages["compare.py"], label=_("Compare these"), icon=":material/compare:")
            st.button(
                _("Remove all"), key="compare-clear", on_click=_keep, args=([],), type="tertiary",
                icon=":material/delete:",
            )  # fmt: skip


def _draw_member(number: int, member: Member) -> None:
    spec = member.selection.spec
    name, up, drop = st.columns([5, 1, 1], gap="xxsmall", vertical_alignment="center")
    with name, st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        # Constants only: what a visitor may have typed never reaches this markup.
        st.html(f'<span style="color:{member.colour}" aria-hidden="true">&#9632;</span>', width=14)
        st.markdown(plain(spec.name))
    for place, key, icon, says, act, ready in (
        (up, f"compare-up-{number}", "arrow_upward", _("Move up"), _up, number > 0),
        (drop, f"compare-drop-{number}", "close", _("Remove"), _remove, True),
    ):
        place.button(
            "", key=key, icon=f":material/{icon}:", help=f"{says}: {plain(spec.name)}",
            on_click=act, args=(number,), type="tertiary", disabled=not ready,
        )  # fmt: skip
    offered = [weights.id for weights in offered_weights(spec)] + [UNTRAINED]
    key = f"_compare_weights_{number}_{spec.id}"
    st.session_state[key] = _chosen(member)
    st.selectbox(
        _("Weights of {model}").format(model=spec.name), offered, key=key,
        label_visibility="collapsed", on_change=_swap, args=(number, key),
    )  # fmt: skip
