"""What happens once per server process: quick imports before the first visit, an orderly end."""

from __future__ import annotations

import importlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from explorer.engine import get_engine
from explorer.settings import get_settings

# What the first page needs, so that its first visitor does not wait for imports. Never torch.
PRELOAD = ("explorer.catalog", "explorer.charts.bubble", "explorer.ui.picker", "pandas")

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Checks the settings and imports the front page's modules; ends the workers at the end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    get_settings()
    for name in PRELOAD:
        importlib.import_module(name)
    try:
        yield
    finally:
        log.info("stopping the workers")
        get_engine().shutdown()
