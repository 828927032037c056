"""Words and moves that the page's parts share."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from explorer.claims import Verdict
from explorer.i18n import _, language

VERDICT_ICONS: Mapping[Verdict, str] = {
    "true": ":green-badge[✓]", "imprecise": ":orange-badge[≈]", "false": ":red-badge[✗]",
    "uncheckable": ":gray-badge[?]",
}  # fmt: skip


def verdict_names() -> dict[Verdict, str]:
    """The verdicts in the current language."""
    return {
        "true": _("true"), "imprecise": _("imprecise"), "false": _("false"),
        "uncheckable": _("uncheckable"),
    }  # fmt: skip


def claim_address(claim: str) -> str:
    """The permanent link of a claim, in the current language."""
    return "?" + urlencode({"claim": claim, "lang": language()})


def go(**values: str) -> None:
    """Sets controls of this page before they are drawn; for callbacks of buttons.

    Args:
        **values: Name of the parameter → its value.
    """
    for name, value in values.items():
        st.session_state[f"_w_{name}"] = value
