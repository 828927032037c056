"""Building modules without filling their parameters: faster, and possible on fake tensors."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch

from explorer.patching import Patch, Replacement

_skipping: ContextVar[bool] = ContextVar("explorer_skip_init", default=False)


@contextmanager
def skip_init() -> Iterator[None]:
    """Modules built inside keep uninitialised parameters; put weights into them before use.

    Every in-place function of ``torch.nn.init`` does nothing inside, and so do the names of them
    that torch's own modules and timm hold. Only the calling thread is affected: another thread that
    builds a network meanwhile gets it initialised. Restored on error.
    """
    token = _skipping.set(True)
    try:
        with _patch():
            yield
    finally:
        _skipping.reset(token)


def _replacements() -> Iterator[Replacement]:
    init = torch.nn.init
    names = [name for name in vars(init) if name.endswith("_") and not name.startswith("_")]
    for holder in (init, torch.nn.modules.activation, torch.nn.modules.transformer):
        for name in names:
            function = getattr(holder, name, None)
            if callable(function):
                yield holder, name, _switch(function)
    # timm's own copies; its other initialisers end in this one or in torch's.
    timm_init = sys.modules.get("timm.layers.weight_init")
    if timm_init is not None:
        yield timm_init, "_trunc_normal_", _switch(timm_init._trunc_normal_)


_patch = Patch(_replacements)


def _switch(original: Callable[..., Any]) -> Callable[..., Any]:
    """``original``, except that it returns its tensor untouched where this thread skips."""

    @functools.wraps(original)
    def switched(*args: Any, **kwargs: Any) -> Any:
        if _skipping.get():
            return args[0] if args else kwargs["tensor"]
        return original(*args, **kwargs)

    return switched
