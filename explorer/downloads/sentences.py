"""What went wrong with a download, in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from explorer.downloads.transfer import Transfer, TransferCutError
from explorer.errors import WeightsUnavailableError
from explorer.i18n import N_


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__


def _status(error: BaseException) -> int | None:
    """HTTP status of an error of urllib or httpx."""
    if isinstance(error, HTTPError):
        return error.code
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def explain(error: BaseException, transfer: Transfer, folder: Path) -> WeightsUnavailableError:
    """The sentence for what went wrong."""
    values: dict[str, Any] = {"what": transfer.what, "host": transfer.host, "folder": str(folder)}
    for cause in _causes(error):
        status = _status(cause)
        if status is not None:
            return _explain_status(status, values)
        if isinstance(cause, OSError):
            sentence = _FILE_ERRORS.get(cause.errno or 0)
            if sentence is not None:
                return WeightsUnavailableError(sentence, **values)
    causes = list(_causes(error))
    if any(isinstance(cause, TransferCutError) for cause in causes) or "Consistency" in str(error):
        return WeightsUnavailableError(
            N_(
                "{what} could not be downloaded: the connection to {host} broke off after {done} "
                "MB, so nothing was kept; try again, or explore the untrained network."
            ),
            done=f"{transfer.done / 1e6:.1f}",
            **values,
        )
    if "hash" in str(error):
        return WeightsUnavailableError(
            N_(
                "{what} could not be downloaded: what {host} sent is not the published file (its "
                "checksum differs), so nothing was kept; try again, or explore the untrained "
                "network."
            ),
            **values,
        )
    reason = next((str(c) for c in reversed(causes) if isinstance(c, OSError)), str(causes[-1]))
    return WeightsUnavailableError(
        N_(
            "{what} could not be downloaded: {host} cannot be reached ({reason}); check the "
            "network and try again, or explore the untrained network."
        ),
        reason=reason.strip().splitlines()[0].rstrip(".") if reason.strip() else "–",
        **values,
    )


def _explain_status(status: int, values: dict[str, Any]) -> WeightsUnavailableError:
    if status in {401, 403, 404, 410}:
        message = N_(
            "{what} could not be downloaded: {host} does not have or does not give this file (HTTP "
            "{status}); choose other weights, or explore the untrained network."
        )
    else:
        message = N_(
            "{what} could not be downloaded: {host} answered with HTTP {status}; try again later, "
            "or explore the untrained network."
        )
    return WeightsUnavailableError(message, status=status, **values)


_FULL = N_(
    "{what} could not be downloaded: there is no space left for it in {folder}, so nothing was "
    "kept; free some and try again, or explore the untrained network."
)
_UNWRITABLE = N_(
    "{what} could not be downloaded: the folder {folder} cannot be written; make it writable, or "
    "set TORCH_HOME and HF_HOME to folders that are."
)
_FILE_ERRORS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _UNWRITABLE,
    errno.EPERM: _UNWRITABLE,
    errno.EROFS: _UNWRITABLE,
    errno.ENOTDIR: _UNWRITABLE,
    errno.EEXIST: _UNWRITABLE,
}
