"""Empty caches, short patience, and a server that can misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from explorer.catalog import find
from explorer.catalog.spec import ModelSpec, Preprocessing, WeightsSpec
from explorer.settings import Settings

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Weights:
    """A server for one weights file, under any path.

    Attributes:
        data: What it serves when it behaves.
        mode: How it behaves.
        requests: Methods and paths, as they came.
    """

    data: bytes
    mode: str = "good"
    requests: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def url(self, stem: str = "weights") -> str:
        """An address whose file name carries the hash, as torch.hub wants it."""
        return f"{self.address}/files/{stem}-{self.sha256[:8]}.pth"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    weights: Weights

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.weights.requests.append(f"HEAD {self.path}")
        if self._refuse():
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.weights.data)))
        self.send_header("ETag", f'"{self.weights.sha256}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()

    def _refuse(self) -> bool:
        mode = self.weights.mode
        missing = mode == "only_bin" and self.path.endswith("model.safetensors")
        if mode not in {"404", "503"} and not missing:
            return False
        self.send_response(404 if missing else int(mode))
        if missing or mode == "404":
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def do_GET(self) -> None:
        server = self.weights
        server.requests.append(f"GET {self.path}")
        self.close_connection = True
        if self._refuse():
            return
        data, mode = server.data, server.mode
        if mode == "silent":
            server.stopped.wait(30)
            return
        self.send_response(200)
        if mode != "endless":
            length = len(data) * (50 if mode == "oversized" else 1)
            self.send_header("Content-Length", str(length))
        self.send_header("ETag", f'"{server.sha256}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send_body(mode, data)

    def _send_body(self, mode: str, data: bytes) -> None:
        half = len(data) // 2
        if mode in {"endless", "oversized"}:
            while not self.weights.stopped.is_set():
                self.wfile.write(bytes(1 << 16))
        elif mode == "garbage":
            self.wfile.write(bytes(255 - byte for byte in data))
        elif mode == "cut":
            self.wfile.write(data[:half])
        elif mode == "stall":
            self.wfile.write(data[:half])
            self.wfile.flush()
            self.weights.stopped.wait(30)
        else:
            self.wfile.write(data)


def serve(data: bytes) -> Iterator[Weights]:
    weights = Weights(data)
    handler = type("BoundHandler", (Handler,), {"weights": weights})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    weights.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield weights
    finally:
        weights.stopped.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty torch and Hugging Face caches; returns the folder that holds both."""
    from huggingface_hub import constants

    folder = tmp_path / "caches"
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    return folder


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that downloads read; patience is short."""
    found = Settings(download_timeout=0.5)
    monkeypatch.setattr("explorer.downloads.get_settings", lambda: found)
    return found


@pytest.fixture(scope="session")
def squeezenet_file() -> bytes:
    """A torchvision checkpoint: SqueezeNet 1.1 with the last bias all sevens."""
    import io

    import torch

    from explorer.zoo import build

    module = build(find("squeezenet1_1"))
    torch.nn.init.constant_(module.classifier[1].bias, 7.0)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    return file.getvalue()


@pytest.fixture(scope="session")
def timm_file() -> bytes:
    """A timm checkpoint of the smallest ResNet, with the last bias all sevens."""
    import timm
    import torch
    from safetensors.torch import save

    module = timm.create_model("test_resnet")
    torch.nn.init.constant_(module.get_classifier().bias, 7.0)
    return save(module.state_dict())


@pytest.fixture
def torch_server(squeezenet_file: bytes, settings: Settings) -> Iterator[Weights]:
    yield from serve(squeezenet_file)


@pytest.fixture
def hub_server(
    timm_file: bytes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Weights]:
    from huggingface_hub import close_session, constants

    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for weights in serve(timm_file):
        monkeypatch.setattr(constants, "ENDPOINT", weights.address)
        template = weights.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield weights
    close_session()


@dataclass
class Case:
    """A network whose weights come from a server of the test.

    Attributes:
        spec: With one set of weights.
        server: Where they come from.
        folder: Of the cache that the library uses.
    """

    spec: ModelSpec
    server: Weights
    folder: Path

    @property
    def weights_id(self) -> str:
        return self.spec.weights[0].id

    def files(self) -> list[str]:
        """Weights, whole or partial, in the cache; locks and references are not counted."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return sorted(
            p.name for p in found if not re.search(r"\.lock$|/refs/|\.no_exist|CACHEDIR", str(p))
        )


def served(spec: ModelSpec, weights: WeightsSpec) -> ModelSpec:
    return replace(spec, weights=(weights,))


@pytest.fixture
def torch_case(torch_server: Weights, caches: Path) -> Case:
    spec = find("squeezenet1_1")
    weights = replace(
        spec.weights[0],
        id="SERVED",
        url=torch_server.url(),
        size_bytes=len(torch_server.data),
        sha256="",  # the file's name has it
    )
    return Case(served(spec, weights), torch_server, caches / "torch")


@pytest.fixture
def hub_case(hub_server: Weights, caches: Path) -> Case:
    pre = Preprocessing((3, 160, 160), 168, (0.5,) * 3, (0.5,) * 3, "bicubic")
    # timm knows its own tags only; "r160_in1k" is the one that this network has.
    weights = WeightsSpec("r160_in1k", "imagenet", 1000, None, None, pre, hub="someone/test")
    spec = replace(
        find("resnet18"),
        id="timm/test_resnet",
        source="timm",
        builder="test_resnet",
        preprocessing=pre,
    )
    return Case(served(spec, weights), hub_server, caches / "hub")


@pytest.fixture(params=["torch_case", "hub_case"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each test runs over torch.hub and over the Hugging Face client."""
    found: Case = request.getfixturevalue(request.param)
    return found
