"""Page state in the URL: each control has a query parameter with language-independent values.

Streamlit's own binding writes a widget's *labels* into the URL, which differ between languages; it
serves for the shell's model and weights, whose labels are ids. Here the URL carries ids while the
labels are translated. The order of belief: a URL that changed (deep link, back button), then what
the visitor last chose on this page, then the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.i18n import _
from explorer.ui.folding import shown
from explorer.ui.text import plain

Kind = Literal["select", "segmented", "radio"]
_complaints: ContextVar[DeltaGenerator | None] = ContextVar("_complaints", default=None)


@contextmanager
def complaints_in(place: DeltaGenerator) -> Iterator[None]:
    """Wrong values are said in ``place``, not beside their control, which may be folded away."""
    token = _complaints.set(place)
    try:
        yield
    finally:
        _complaints.reset(token)


def begin_page(path: str) -> None:
    """Notes which page this run shows; complaints about the last page's parameters end."""
    state = st.session_state
    state["_page_changed"] = state.get("_page") != path
    if state["_page_changed"]:
        state["_bad_params"] = {}
    state["_page"] = path
    state["_url_writes"] = {}
    state["_own_run"] = state.pop("_own_rerun", False)


def rerun() -> NoReturn:
    """Runs the whole page again for a reason of the app's own; pages use it instead of Streamlit's.

    Such a run brings the address as the browser last told it, which may be older than what the run
    before it has written: what is missing there was not taken back by the visitor.
    """
    st.session_state["_own_rerun"] = True
    st.rerun()


def _is_old(key: str) -> bool:
    """Whether the address says nothing of the visitor's wish for a parameter that was written."""
    state = st.session_state
    return bool(state.get("_own_run")) and key in state.get("_noted_params", ())


def end_page() -> None:
    """Writes the parameters that changed into the URL, as one step of the browser's history."""
    writes: dict[str, str | None] = st.session_state.get("_url_writes", {})
    present = {key: value for key, value in writes.items() if value is not None}
    if any(st.query_params.get(key) != value for key, value in present.items()):
        st.query_params.update(present)
    for key, value in writes.items():
        if value is None and key in st.query_params:
            del st.query_params[key]


def choice(
    key: str,
    label: str,
    options: Mapping[str, str] | Sequence[str],
    *,
    default: str | None = None,
    kind: Kind = "select",
) -> str:
    """A choice whose id is the query parameter ``key``.

    Args:
        key: Name of the query parameter.
        label: Translated label of the control.
        options: Id → translated label, or ids that are their own labels.
        default: The id to begin with; the first when None.
        kind: How it is drawn.

    Returns:
        The chosen id. A wrong one in the URL is said beside the control, and the default taken.
    """
    ids = list(options)
    labels = options if isinstance(options, Mapping) else {}
    first = default if default in ids else ids[0]
    widget = _prepare(key, first, lambda text: text if text in ids else None, ids)
    if st.session_state[widget] not in ids:  # the options changed since it was chosen
        st.session_state[widget] = first
    draw: dict[str, Any] = {
        "options": ids,
        "format_func": lambda one: labels.get(one, one),
        "key": widget,
    }
    if kind == "segmented":
        chosen = shown(
            widget, lambda: st.segmented_control(label, required=True, wrap=True, **draw)
        )
    elif kind == "radio":
        chosen = shown(widget, lambda: st.radio(label, horizontal=True, **draw))
    else:
        chosen = shown(widget, lambda: st.selectbox(label, **draw))
    return str(_note(key, chosen if chosen in ids else first, first))


def flag(key: str, label: str, *, default: bool = False) -> bool:
    """A yes/no whose query parameter is ``key=1`` or ``key=0``."""
    widget = _prepare(key, default, {"1": True, "0": False}.get, ["0", "1"])
    on = shown(widget, lambda: st.toggle(label, key=widget))
    return bool(_note(key, on, default, lambda on: "1" if on else "0"))


def number(
    key: str, label: str, bounds: tuple[float, float], *, default: float, step: float = 1.0
) -> float:
    """A number whose query parameter is ``key``; whole numbers when all of its bounds are.

    Args:
        key: Name of the query parameter.
        label: Translated label with the unit.
        bounds: Smallest and largest value, inclusive; a value outside is said and replaced.
        default: The value to begin with.
        step: Distance between values.
    """
    low, high = bounds
    kind = int if all(float(x).is_integer() for x in (*bounds, default, step)) else float

    def read(text: str) -> float | None:
        try:
            value = kind(text)
        except ValueError:
            return None
        return value if low <= value <= high else None

    allowed = [_("{low:g} to {high:g}").format(low=low, high=high)]
    widget = _prepare(key, kind(default), read, allowed)
    value = shown(
        widget, lambda: st.slider(label, kind(low), kind(high), step=kind(step), key=widget)
    )
    return kind(_note(key, value, kind(default), lambda x: f"{x:g}"))


def incoming(key: str) -> str | None:
    """A parameter of state that a component keeps: the new value when the URL changed by itself.

    Args:
        key: Name of the query parameter; ``outgoing`` writes it.

    Returns:
        The text of a deep link or of a step back, "" where the step back left the parameter behind;
        None when the URL says what was last written.
    """
    known: dict[str, tuple[str, Any]] = st.session_state.setdefault("_params", {})
    asked = st.query_params.get(key)
    last = known[key][0] if key in known else None
    if _is_old(key):
        return None
    if asked is not None and asked != last:
        return asked
    if asked is None and last is not None and not st.session_state["_page_changed"]:
        known.pop(key)
        return ""
    return None


def outgoing(key: str, text: str) -> None:
    """Has the state of a component written into the URL; "" needs no parameter."""
    _note(key, text, "")


def entry(key: str, label: str, bounds: tuple[int, int], *, default: int) -> int:
    """A whole number to type, whose query parameter is ``key``; for ranges too wide for a slider.

    Args:
        key: Name of the query parameter.
        label: Translated label with the unit.
        bounds: Smallest and largest value, inclusive; a value outside is said and replaced.
        default: The value to begin with.
    """
    low, high = bounds

    def read(text: str) -> int | None:
        try:
            value = int(text)
        except ValueError:
            return None
        return value if low <= value <= high else None

    widget = _prepare(key, default, read, [_("{low} to {high}").format(low=low, high=high)])
    value = shown(widget, lambda: st.number_input(label, low, high, step=1, key=widget))
    return int(_note(key, int(value), default))


def text(key: str, label: str, *, placeholder: str = "") -> str:
    """A line of text whose query parameter is ``key``; "" needs none."""
    widget = _prepare(key, "", lambda asked: asked[:200], [])
    value = shown(
        widget, lambda: st.text_input(label, key=widget, placeholder=placeholder, max_chars=200)
    )
    return str(_note(key, value or "", ""))


def several(
    key: str, label: str, options: Mapping[str, str], *, default: Sequence[str], most: int
) -> list[str]:
    """Some of several choices; the query parameter ``key`` lists their ids between commas.

    Args:
        key: Name of the query parameter.
        label: Translated label of the control.
        options: Id → translated label.
        default: The ids to begin with.
        most: How many at once.

    Returns:
        The chosen ids in the order in which they were chosen; none where all were taken away.
    """

    def read(text: str) -> list[str] | None:
        ids = list(dict.fromkeys(text.split(",")))
        return ids if ids and len(ids) <= most and all(id in options for id in ids) else None

    widget = _prepare(key, list(default), read, list(options))
    chosen = shown(
        widget,
        lambda: st.multiselect(
            label, list(options), format_func=lambda id: options[id], max_selections=most,
            key=widget, placeholder=_("none chosen"),
        ),
    )  # fmt: skip
    return list(_note(key, list(chosen), list(default), ",".join))


def _prepare(
    key: str, default: Any, read: Callable[[str], Any | None], allowed: Sequence[str]
) -> str:
    """Puts the value to show into the widget's session state; gives the widget's key."""
    state = st.session_state
    known: dict[str, tuple[str, Any]] = state.setdefault("_params", {})
    widget = f"_w_{key}"
    asked = st.query_params.get(key)
    last_text = known[key][0] if key in known else None
    old = _is_old(key) and widget in state
    if asked is not None and asked != last_text and not old:
        value = read(asked)
        if value is None:
            state.setdefault("_bad_params", {})[key] = asked
        state[widget] = default if value is None else value
    elif (
        asked is None and last_text is not None and widget in state
        and not state["_page_changed"] and not old
    ):  # fmt: skip
        state[widget] = default  # the back button left the parameter behind
        known.pop(key)
    elif widget not in state or state["_page_changed"]:
        # The page before may know the parameter in another form: a choice there, a number here.
        value = None if last_text is None else read(last_text)
        state[widget] = default if value is None else value
    # A run that is overtaken by the next one loses what it had not sent yet: a widget that the next
    # one draws as known would then begin at its lowest value. What is set in a run is sent with it.
    state[widget] = state[widget]
    bad = state.get("_bad_params", {}).get(key)
    if bad is not None:
        (_complaints.get() or st).warning(
            _("“{value}” is not possible for “{key}”; it takes {allowed}.").format(
                value=plain(bad), key=key, allowed=", ".join(allowed[:12])
            ),
            icon=":material/link_off:",
        )
    return widget


def _note(key: str, value: Any, default: Any, write: Callable[[Any], str] = str) -> Any:
    """Remembers the value and has it written into the URL; the default needs no parameter."""
    text = None if value == default else write(value)
    known = st.session_state.setdefault("_params", {})
    if text is None:
        known.pop(key, None)
    else:
        known[key] = (text, value)
    st.session_state["_url_writes"][key] = text
    st.session_state.setdefault("_noted_params", set()).add(key)
    return value
