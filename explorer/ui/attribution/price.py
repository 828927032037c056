"""What a map or its checks cost in seconds, said before they are begun."""

from __future__ import annotations

import streamlit as st

from explorer.i18n import _
from explorer.settings import get_settings


def say_too_dear(what: str, price: float) -> None:
    """Says that a public server does not begin what it would have to stop."""
    st.info(
        _(
            "**{what}** would take about {price} s, and a job may run for {most} s on this server; "
            "choose a smaller model or cheaper options, or run it on your own machine (README)."
        ).format(what=what, price=in_words(price), most=f"{get_settings().max_job_seconds:g}"),
        icon=":material/hourglass_disabled:",
    )


def in_words(seconds: float) -> str:
    """Seconds with as many digits as an estimate deserves."""
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}" if seconds >= 0.1 else "0.1"
