"""Why a network decided what it did: methods as data, maps through Captum.

The registry, the requests and the overlay are free of torch; ``explain`` loads it on first use, in
a worker, as does ``explorer.attribution.predict``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.attribution.methods import METHODS, Method, Option, fill_options
from explorer.attribution.overlay import overlay, to_png
from explorer.errors import AttributionError
from explorer.requests import ExplainRequest
from explorer.results import Attribution, Prediction

if TYPE_CHECKING:
    from explorer.attribution.maps import explain

__all__ = [
    "METHODS",
    "Attribution",
    "AttributionError",
    "ExplainRequest",
    "Method",
    "Option",
    "Prediction",
    "explain",
    "fill_options",
    "overlay",
    "to_png",
]


def __getattr__(name: str) -> Any:
    # The submodule is not called "explain": importing it would put the module into this namespace
    # in place of the function. ``predict`` is imported from its module for the same reason.
    if name == "explain":
        from explorer.attribution.maps import explain

        globals()["explain"] = explain
        return explain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
