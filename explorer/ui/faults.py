"""What a visitor of a public server sees when a page fails: one sentence, and no traceback."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from explorer.i18n import _
from explorer.settings import get_settings

log = logging.getLogger(__name__)


def show_fault(error: Exception) -> bool:
    """For ``st.App(on_script_error=…)``.

    Returns:
        True in public mode, where a sentence with a number stands in the page and the log has the
        traceback with the same number; False otherwise, for Streamlit's own display.
    """
    if not get_settings().public:
        return False
    number = secrets.token_hex(4)
    log.error("fault %s: a page failed", number, exc_info=error)
    st.error(
        _(
            "This page has failed; load it again, and if that does not help, tell whoever runs "
            "this server the number {number}."
        ).format(number=number),
        icon=":material/error:",
    )
    return True
