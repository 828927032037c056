"""What happens once per server process: quick imports before the first visit, an orderly end."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import logger as streamlit_logs

from explorer import own_weights
from explorer.catalog import own
from explorer.engine import get_engine
from explorer.serving import logs
from explorer.settings import get_settings
from explorer.settings_check import misspelt, problems
from explorer.ui.sessions import Caretaker

# What the first page needs, so that its first visitor does not wait for imports. Never torch.
PRELOAD = (
    "explorer.catalog", "explorer.charts.bubble", "explorer.ui.picker", "pandas",
    "plotly.graph_objects", "plotly.io",
)  # fmt: skip

SWITCH_SECONDS = 0.001

log = logging.getLogger(__name__)


def _log_here(style: str) -> None:
    """Has everything, Streamlit's own loggers included, logged through this program's handler."""
    # Streamlit gives each of its loggers a handler when it is made, also later ones.
    vars(streamlit_logs)["setup_formatter"] = lambda logger: setattr(logger, "propagate", True)
    logs.configure(style)


def _check_settings() -> None:
    """Says what is odd about the settings; ends the start where no page could be opened.

    Raises:
        SettingsError: The server cannot be used with these settings.
    """
    for error in misspelt(os.environ):
        log.warning("%s", error)
    settings = get_settings()
    for problem in problems(settings):
        if problem.fatal:
            raise problem.error
        log.warning("%s", problem.error)
    if settings.public:
        # What fails before a page can catch it, and in Streamlit itself, is shown without details.
        st.set_option("client.showErrorDetails", "none")
        # By default, what is larger than 1 MB of an upload goes through a file on the disk.
        MultiPartParser.spool_max_size = int(st.get_option("server.maxUploadSize")) * 2**20
        # A page is sent in fifty messages, and after each the event loop waits for the thread that
        # draws the next page to let it go on: with Python's usual 5 ms, for longer than it works.
        sys.setswitchinterval(SWITCH_SECONDS)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Checks the settings and imports the front page's modules; ends the workers at the end."""
    _log_here(get_settings().log)
    _check_settings()
    for name in PRELOAD:
        importlib.import_module(name)
    own_weights.sweep()
    # Before the first visitor: a process of its own imports torch and the operator's networks.
    for problem in own.problems():
        log.warning("%s", problem)
    # Streamlit collects garbage after every run of a script. What is there now stays for good: left
    # out of that, a run costs the time of its own objects, not of all modules and the catalog.
    gc.collect()
    gc.freeze()
    caretaker = asyncio.create_task(Caretaker().stay(), name="caretaker")
    try:
        yield
    finally:
        caretaker.cancel()
        log.info("stopping the workers")
        get_engine().shutdown()
