"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import logging

_log = logging.getLogger(__name__)


def give_back() -> None:
    """Collects what only refers to itself and has the C library hand over what is free."""
    gc.collect()  # modules, hooks and graphs of gradients often refer to each other in circles
    trim()


def trim() -> None:
    """Has the C library hand over what is free; other threads go on meanwhile."""
    try:
        # glibc keeps freed blocks for later, those of below 32 MB each, which a network's
        # activations are; other C libraries have no such function.
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        _log.debug("no malloc_trim here")
