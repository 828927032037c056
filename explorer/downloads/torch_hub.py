"""Weights by URL, through torch.hub into its own cache."""

from __future__ import annotations

import functools
import http.client
import re
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from explorer.catalog.spec import WeightsSpec
from explorer.downloads.transfer import CHUNK_BYTES, Transfer, content_length, current
from explorer.patching import Patch, Replacement
from explorer.weights import torch_hub_path

_NAME_HASH = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")


def fetch_url(transfer: Transfer, weights: WeightsSpec) -> Path:
    """The file of a URL through torch.hub, checked against the hash that its name carries."""
    import torch.hub

    path = torch_hub_path(weights.url)
    path.parent.mkdir(parents=True, exist_ok=True)
    named = _NAME_HASH.search(path.name)
    prefix = weights.sha256 or (named[1] if named else "")
    with _patch():
        torch.hub.download_url_to_file(transfer.url, str(path), prefix or None, progress=False)
    return path


class _Response:
    """What ``urlopen`` returned, with every chunk reported."""

    def __init__(self, response: Any, transfer: Transfer) -> None:
        self._response = response
        self._transfer = transfer
        transfer.announced(content_length(response))

    def info(self) -> Any:
        return self._response.info()

    def read(self, size: int) -> bytes:
        data: bytes = self._response.read1(min(size, CHUNK_BYTES))
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


def _replacements() -> Iterator[Replacement]:
    import torch.hub

    yield torch.hub, "urlopen", _urlopen(vars(torch.hub)["urlopen"])


_patch = Patch(_replacements)
