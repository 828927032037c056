"""How far the surveys of this machine are; the command line runs them."""

from __future__ import annotations

import streamlit as st

from explorer.atlas.register import SurveyProgress, surveys
from explorer.i18n import N_, _, ngettext
from explorer.settings import get_settings
from explorer.ui.fragment import fragment
from explorer.ui.text import plain

COMMAND = "python -m explorer atlas costs --models 'timm/convnext*' --out costs"
TITLES = {
    "costs": N_("Costs of networks"),
    "latency": N_("Latency of networks"),
    "attribution": N_("Quality of attribution maps"),
}
LOOK_SECONDS = 2.0


def show_surveys() -> None:
    """One bar for each survey, which moves while its process is at it; nothing in public mode."""
    if get_settings().public:
        return
    with st.expander(_("Surveys from the command line")):
        st.markdown(
            _(
                "Surveys go over many networks, images or methods and can be killed at any time; "
                "here is how far those of this machine are."
            )
        )
        st.code(COMMAND, language="sh")
        running = any(one.running for one in surveys())
        fragment(_bars, run_every=LOOK_SECONDS if running else None)()


def _bars() -> None:
    found = surveys()
    if not found:
        st.info(_("No survey was begun on this machine yet."))
    for one in found:
        with st.container(border=True):
            st.markdown(f"**{_(TITLES.get(one.name, one.name))}** · {plain(str(one.folder))}")
            share = one.done / one.items if one.items else 1.0
            st.progress(min(share, 1.0), text=f"{one.done:,} / {one.items:,}")
            st.caption(standing(one))


def standing(one: SurveyProgress) -> str:
    """What a survey is doing, in a sentence or two."""
    if one.done >= one.items:
        text = _("Complete.")
    elif not one.running:
        text = _("Stopped; the same command with --resume goes on where this one ended.")
    elif one.eta_seconds is None:
        text = _("Running.")
    else:
        text = _("Running, about {minutes} min left.").format(minutes=round(one.eta_seconds / 60))
    if one.failed:
        reasons = ngettext(
            "{count} row has a reason in place of numbers.",
            "{count} rows have a reason in place of numbers.",
            one.failed,
        )
        text += " " + reasons.format(count=one.failed)
    return text
