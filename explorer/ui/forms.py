"""The switch between a network as published and as the library has it."""

from __future__ import annotations

import streamlit as st

from explorer.catalog.forms import forms_of
from explorer.catalog.spec import ModelSpec
from explorer.i18n import _
from explorer.ui.selection import choose_model


def form_switch(spec: ModelSpec) -> None:
    """Draws the switch, with what differs, where the model is here in two forms."""
    forms = forms_of(spec.id)
    if forms is None:
        return
    labels = {forms.published: _("as published"), forms.library: _(forms.label)}
    # A key of its own for each model: the switch always starts at the model that is open.
    key = f"_form_{spec.id}"
    st.radio(
        _("Form"),
        list(labels),
        index=list(labels).index(spec.id),
        format_func=labels.__getitem__,
        key=key,
        on_change=_switch,
        args=(key,),
        label_visibility="collapsed",
    )
    st.caption(_(forms.difference))


def _switch(key: str) -> None:
    chosen = st.session_state.pop(key, None)
    if chosen is not None:
        choose_model(chosen)
