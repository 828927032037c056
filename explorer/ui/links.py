"""From a model that is shown somewhere to the pages that open it.

Streamlit cannot change a bound query parameter and the page in one step, so that a model is first
chosen (a callback) and then opened by ordinary links, which keep the choice.
"""

from __future__ import annotations

import streamlit as st

from explorer.i18n import _
from explorer.ui.selection import Selection, choose_model

MODEL_PAGES = ("graph.py", "complexity.py", "attribution.py", "latency.py", "compare.py")


def remember_pages(pages: dict[str, st.Page]) -> None:
    """Keeps this run's pages by file name, for links."""
    st.session_state["_pages"] = pages


def open_row(model_id: str, name: str, selection: Selection) -> None:
    """Links to the model's pages when it is the chosen one, else a button that chooses it."""
    if selection.spec.id != model_id:
        st.button(
            _("Choose {name}").format(name=name), key=f"choose-{model_id}", on_click=choose_model,
            args=(model_id,), icon=":material/ads_click:",
        )  # fmt: skip
        return
    pages: dict[str, st.Page] = st.session_state["_pages"]
    st.caption(_("{name} is the chosen model. Open it on:").format(name=name))
    with st.container(horizontal=True):
        for file in MODEL_PAGES:
            st.page_link(pages[file], label=pages[file].title, icon=pages[file].icon)
