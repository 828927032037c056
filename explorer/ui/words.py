"""The visitor's language: ``?lang=``, else the browser's, else English."""

from __future__ import annotations

import streamlit as st

from explorer.i18n import LANGUAGES, _, set_language
from explorer.ui.text import plain


def choose_language(place: st.delta_generator.DeltaGenerator) -> None:
    """Draws the language switch into ``place`` and makes its choice the current language."""
    asked = st.query_params.get("lang")
    locale = st.context.locale or "en"
    default = "zh" if locale.lower().startswith("zh") else "en"
    with place:
        chosen = st.segmented_control(
            "Language · 语言",
            list(LANGUAGES),
            format_func=lambda code: code,
            default=default,
            required=True,
            key="lang",
            bind="query-params",
        )
    set_language(chosen or default)
    if asked is not None and asked not in LANGUAGES:
        st.warning(
            _("There is no language “{lang}”; the app speaks {languages}.").format(
                lang=plain(asked), languages=", ".join(LANGUAGES)
            )
        )
