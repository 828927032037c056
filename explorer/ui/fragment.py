"""Fragments that keep the visitor's language: they rerun without the shell, in a fresh context."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from explorer.i18n import language, set_language
from explorer.ui import crowd

P = ParamSpec("P")
R = TypeVar("R")


def fragment(
    function: Callable[P, R], *, run_every: float | None = None, key: str | None = None
) -> Callable[P, R]:
    """``st.fragment`` whose reruns speak the language of the run that made it.

    Args:
        function: Draws the fragment.
        run_every: Seconds between reruns of its own; None for reruns by its widgets only.
        key: Tells fragments apart that share one function.
    """
    code = language()

    @functools.wraps(function)
    def in_language(*args: P.args, **kwargs: P.kwargs) -> R:
        set_language(code)
        with crowd.turn(crowd.Rank.PART):
            return function(*args, **kwargs)

    return st.fragment(in_language, run_every=run_every, key=key)
