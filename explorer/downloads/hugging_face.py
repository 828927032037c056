"""Weights of a Hugging Face repository, through its own client into its own cache."""

from __future__ import annotations

import functools
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from explorer.catalog.spec import WeightsSpec
from explorer.downloads.transfer import (
    CHUNK_BYTES,
    Transfer,
    TransferCutError,
    content_length,
    current,
)
from explorer.patching import Patch, Replacement
from explorer.weights import HUB_FILES

_log = logging.getLogger(__name__)
_client: ContextVar[Any] = ContextVar("explorer_hub_client", default=None)


def hub_endpoint() -> str:
    """Address of the Hub, or of the mirror that HF_ENDPOINT names."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def hub_cache() -> Path:
    """Folder of the client's cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def http_error() -> type[Exception]:
    """The base class of the Hugging Face client's own transport errors."""
    import httpx2

    return httpx2.HTTPError


def fetch_hub(transfer: Transfer, weights: WeightsSpec) -> Path:
    """The weights file of a Hugging Face repository, checked against its blob's SHA-256."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    with _patch(), _own_client(transfer):
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
    except http_error() as error:
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
    transfer.announced(content_length(response))
    original = response.iter_bytes

    def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
        with _no_retry():
            for chunk in original(chunk_size=min(chunk_size or CHUNK_BYTES, CHUNK_BYTES)):
                transfer.received(len(chunk))
                yield chunk
        transfer.ended()

    response.iter_bytes = iter_bytes


def _replacements() -> Iterator[Replacement]:
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import _http

    yield _http, "get_session", _session(_http.get_session)
    names = vars(file_download)
    yield file_download, "get_hf_file_metadata", _metadata(names["get_hf_file_metadata"])
    yield file_download, "http_get", _get(names["http_get"])
    yield file_download, "http_stream_backoff", _stream(names["http_stream_backoff"])
    # Xet's transfers run in Rust and cannot be watched; plain HTTPS serves the same files.
    yield constants, "HF_HUB_DISABLE_XET", True


_patch = Patch(_replacements)
