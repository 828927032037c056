"""Sentences above a page: untrained weights, errors."""

from __future__ import annotations

import logging

import streamlit as st

from explorer.errors import ExplorerError
from explorer.i18n import _
from explorer.telemetry import error_shown
from explorer.ui.selection import Selection
from explorer.ui.text import plain, said

log = logging.getLogger(__name__)


def untrained_banner(selection: Selection) -> None:
    """Says that the network was never trained, where its output would mislead."""
    if selection.untrained:
        st.warning(
            _(
                "**Untrained network.** {model} runs with random weights (seed 0): its structure, "
                "costs and speed are real, its predictions and maps mean nothing."
            ).format(model=selection.spec.name),
            icon=":material/casino:",
        )


def unverified_banner(selection: Selection) -> None:
    """Says that a visitor's own weights are just that."""
    if selection.weights is not None and selection.weights.uploaded:
        st.info(
            _(
                "**Own weights, not verified.** {model} runs with the file {weights} that was "
                "uploaded in this session; what it was trained on is not known here."
            ).format(model=selection.spec.name, weights=plain(selection.weights.id)),
            icon=":material/upload_file:",
        )


def show_error(error: ExplorerError) -> None:
    """One sentence in the page; the traceback is in the log."""
    log.warning("shown to the visitor: %s", error, exc_info=error)
    error_shown()
    st.error(said(error), icon=":material/error:")
