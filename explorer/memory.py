"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys

_log = logging.getLogger(__name__)


def give_back() -> None:
    """Collects what only refers to itself and has the C library hand over what is free."""
    traced = sys.modules.get("torch._subclasses.fake_tensor")
    if traced is not None:
        # Torch remembers the shapes of every op of every network that was ever traced.
        traced.FakeTensorMode.cache_clear()
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
