"""Talk mode (``?talk=1``): large type, no sidebar, a tour of saved views by keys or clicker.

``?talk=1&step=3`` is the third step. The number, like everything else, lives in the address, and
in the session while pages change. A step takes the place of all that was chosen before it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.catalog import DEFAULT_MODEL
from explorer.errors import TourError
from explorer.i18n import _, language
from explorer.qr import audience_url, qr_svg
from explorer.tour import TourStep, load_tour
from explorer.tour_tasks import begin_warming
from explorer.ui.banners import show_error
from explorer.ui.params import outgoing
from explorer.ui.selection import choose_model

KEY = "_talk_bar"
SETTLING = 1.0  # seconds after a step's first full run in which the browser catches up
# Streamlit keeps these to the widgets that are bound to them.
_BOUND = ("model", "weights", "lang")
_FORGOTTEN = (
    "_params", "_bad_params", "_noted_params", "_compare", "_compare_problems", "_claim",
    "_bad_method", "_upload",
)  # fmt: skip

_component: Any = None


def talking() -> bool:
    """Whether this visitor gives a talk."""
    return st.session_state.get("_talk") is not None


def keep_language() -> None:
    """Before the language is chosen: a step that was just begun speaks the language of the last."""
    if "_next_lang" in st.session_state:
        st.session_state["lang"] = st.session_state.pop("_next_lang")


def follow(pages: Mapping[str, Any], here: str) -> None:
    """Begins, ends, or goes to the step that was asked for; does not return from the latter.

    Args:
        pages: This run's pages by file name.
        here: Path of the page that this run shows; "" is the front page.
    """
    state = st.session_state
    if state.pop("_talk_leave", False):
        state["_talk"] = None
        return
    wanted: int | None = state.pop("_talk_go", None)
    moving = _moving()
    if moving:
        if wanted == state["_talk"]:
            wanted = None  # the browser asked twice
        if state["_talk_model"] is not None:
            choose_model(*state["_talk_model"])
    asked = _asked_step()
    if not talking():
        # After leaving, the address may still say "talk" until the browser has heard of it.
        if st.query_params.get("talk") != "1" or "_talk" in state:
            return
        state["_talk"] = asked
        bare = not set(st.query_params) - {"talk", "step", "lang"}
        if bare and (asked or not here):
            wanted = asked or 1
    elif wanted is None and asked != state["_talk"]:
        if moving:
            wanted = state["_talk"]
        elif asked and not state.get("_own_rerun"):
            state["_talk"] = asked  # a step back in the browser
    steps = _steps()
    if steps:
        state["_talk"] = min(state["_talk"], len(steps))
        begin_warming(steps)
        if wanted is not None:
            _go(min(max(wanted, 1), len(steps)), steps, pages)
    elif wanted is not None:
        state["_talk_go"] = wanted  # until the file is mended


def _moving() -> bool:
    """Whether a step has just been begun, so that the browser may still speak of the last one.

    A run that is overtaken loses what it has chosen, and the one that overtakes it, asked for by a
    component that measures itself, brings page, address and widgets as they were before the step.
    """
    state = st.session_state
    since = state.get("_talk_since")
    if since is not None and time.monotonic() - since > SETTLING:
        for key in ("_talk_since", "_talk_model"):
            state.pop(key, None)
    return "_talk_model" in state


def arrived() -> None:
    """At the end of a full run: what the step chose is on its way to the browser."""
    if "_talk_model" in st.session_state:
        st.session_state.setdefault("_talk_since", time.monotonic())


def _asked_step() -> int:
    """The step of the address; 0 for none, or for what is no number."""
    text = st.query_params.get("step", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0


def _steps() -> Sequence[TourStep]:
    """The tour, which is read anew where the file has changed; none while it is broken."""
    st.session_state["_talk_error"] = None
    try:
        return load_tour()
    except TourError as error:
        st.session_state["_talk_error"] = error
        return ()


def _go(number: int, steps: Sequence[TourStep], pages: Mapping[str, Any]) -> None:
    step, state = steps[number - 1], st.session_state
    for key in list(state):
        name = str(key)
        graph = name.startswith("_") and name.endswith("_graph")
        if name in _FORGOTTEN or name.startswith("_w_") or graph:
            del state[key]
    state["_talk"], state["_talk_qr"], state["_next_lang"] = number, "", language()
    state.pop("_talk_since", None)
    # Before the picker was ever drawn, the address may still name the model, and must: a choice
    # that the picker begins with is not written into it.
    fresh = "model" not in state
    model = step.query.get("model", DEFAULT_MODEL), step.query.get("weights")
    state["_talk_model"] = None if fresh else model
    query = {key: value for key, value in step.query.items() if fresh or key not in _BOUND}
    page = pages[f"{step.page}.py"]
    st.switch_page(page, query_params={**query, "talk": "1", "step": str(number)})


def draw() -> None:
    """The bar with the step's words, and the page's large type; nothing outside a talk."""
    if not talking():
        if "talk" not in st.query_params:
            st.session_state.pop("_talk", None)  # the next address that says so begins a talk
        outgoing("talk", "")
        outgoing("step", "")
        return
    number = st.session_state["_talk"]
    outgoing("talk", "1")
    outgoing("step", str(number) if number else "")
    st.html(Path(__file__).with_name("talk.css"))
    steps = _steps()
    error = st.session_state["_talk_error"]
    if error is not None:
        show_error(error)
    _bar(number, steps)


def _bar(number: int, steps: Sequence[TourStep]) -> None:
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        folder = Path(__file__).parent
        _component = st.components.v2.component(
            "explorer_talk",
            css=(folder / "talk_bar.css").read_text("utf-8"),
            js=(folder / "talk.js").read_text("utf-8"),
        )
    code = language()
    _component(
        key=KEY,
        data={
            "steps": [[step.title[code], step.text[code]] for step in steps],
            "number": number,
            "words": _words(),
            **_code(),
        },
        height=1,
        on_event_change=_hear,
    )


def _words() -> dict[str, str]:
    return {
        "bar": _("Talk"),
        "next": _("Next step (→, Page Down, Space)"),
        "previous": _("Step before (←, Page Up)"),
        "reset": _("Back to the first step (Home, R)"),
        "qr": _("QR code of this view (Q)"),
        "leave": _("Leave the talk (Esc)"),
        "begin": _("This view is not part of the tour; → begins it."),
        "local": _(
            "This address works on this computer only; open the app by its name in the network."
        ),
    }


def _code() -> dict[str, str]:
    """The QR code of the view that was asked for, or why there is none."""
    address = st.session_state.get("_talk_qr", "")
    if not address:
        return {"svg": "", "address": "", "problem": ""}
    try:
        shown = audience_url(_in_language(address))
        return {"svg": qr_svg(shown), "address": shown, "problem": ""}
    except TourError as error:
        return {"svg": "", "address": "", "problem": error.text(_)}


def _in_language(address: str) -> str:
    """The address, which a talk that was opened at a step begins without the speaker's language."""
    if language() == "en" or re.search(r"[?&]lang=", address):
        return address
    return f"{address}{'&' if '?' in address else '?'}lang={language()}"


def _hear() -> None:
    """Takes a key press, before the script runs; what the browser sent need not make sense."""
    # A run that was cut short can have lost the component; the browser then asks again.
    component = st.session_state.get(KEY)
    event = component.get("event") if isinstance(component, Mapping) else None
    if not isinstance(event, Mapping):
        return
    number, address = event.get("go"), event.get("qr")
    if isinstance(number, int):
        st.session_state["_talk_go"] = number
    elif isinstance(address, str):
        st.session_state["_talk_qr"] = address
    elif event.get("leave"):
        st.session_state["_talk_leave"] = True
