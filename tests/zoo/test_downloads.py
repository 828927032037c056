"""Downloads from a misbehaving server: one sentence, nothing left behind, the retry works."""

from __future__ import annotations

import errno
import io
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.errors import JobCancelled, WeightsUnavailableError
from explorer.settings import Settings
from explorer.weights import weights_status
from explorer.zoo import load

from .conftest import Case


def last_bias(module: torch.nn.Module) -> torch.Tensor:
    return [value for name, value in module.named_parameters() if name.endswith("bias")][-1]


def load_case(case: Case, progress: Any = None) -> torch.nn.Module:
    return load(case.spec, case.weights_id, "cpu", progress).module


def sentence(case: Case, progress: Any = None) -> str:
    """What a person reads when the download fails."""
    with pytest.raises(WeightsUnavailableError) as caught:
        load_case(case, progress)
    text = str(caught.value)
    assert case.spec.name in text
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_good_download_is_loaded_and_stays_in_the_librarys_cache(case: Case) -> None:
    assert weights_status(case.spec, case.weights_id).kind == "download"
    seen: list[tuple[int, int | None]] = []
    module = load_case(case, lambda done, total: seen.append((done, total)))
    assert last_bias(module).eq(7).all()  # as served; 0 or small random numbers otherwise
    size = len(case.server.data)
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    status = weights_status(case.spec, case.weights_id)
    assert status.kind == "disk"
    assert status.size_bytes == size
    before = list(case.server.requests)
    load_case(case)
    assert case.server.requests == before  # the second time from disk


def test_networks_are_loaded_in_eval_mode_with_finite_outputs(case: Case) -> None:
    module = load_case(case)
    assert not module.training
    with torch.inference_mode():
        assert module(torch.zeros(1, 3, 160, 160)).isfinite().all()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("404", "HTTP 404"),
        ("503", "HTTP 503"),
        ("cut", "broke off"),
        ("garbage", "checksum"),
        ("endless", "more than"),
        ("oversized", "more than"),
        ("stall", "sent nothing for 0.5 s"),
        ("silent", "sent nothing for 0.5 s"),
    ],
)
def test_misbehaving_server(case: Case, mode: str, words: str) -> None:
    case.server.mode = mode
    text = sentence(case)
    assert words in text
    assert "untrained network" in text
    assert case.files() == []
    assert weights_status(case.spec, case.weights_id).kind == "download"
    case.server.mode = "good"
    assert last_bias(load_case(case)).eq(7).all()


@pytest.mark.parametrize("mode", ["good", "stall", "silent"])
def test_cancel_passes_through_and_leaves_nothing(
    case: Case, mode: str, settings: Settings
) -> None:
    settings.download_timeout = 60.0  # so that it is the cancel that ends a stall
    case.server.mode = mode

    def progress(done: int, total: int | None) -> None:
        raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        load_case(case, progress)
    if mode != "good":  # a good download may have ended before it could be stopped
        assert case.files() == []
    case.server.mode = "good"
    assert last_bias(load_case(case)).eq(7).all()


def test_offline_never_opens_a_connection(case: Case, settings: Settings) -> None:
    settings.offline = True
    assert "EXPLORER_OFFLINE" in sentence(case)
    assert case.server.requests == []


def test_refused_connection(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr("socket.create_connection", refuse)
    text = sentence(case)
    assert "cannot be reached" in text
    assert "refused" in text
    assert case.files() == []


def test_no_name_service(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    text = sentence(case)
    assert "cannot be reached" in text
    assert "Name or service not known" in text


class FullDisk(io.BytesIO):
    """A file on a disk that is full after 1,000 bytes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 1_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_full_disk(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        real = Path.open

        def path_open(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if path.name.endswith(".incomplete"):
                return FullDisk(str(path))
            return real(path, mode, *args, **kwargs)

        def hub_open(name: str, *_: Any) -> FullDisk:
            Path(name).touch()
            return FullDisk(name)

        patch.setattr(Path, "open", path_open)
        patch.setattr("torch.hub.open", hub_open, raising=False)
        text = sentence(case)
    assert "no space left" in text
    assert str(case.folder) in text
    assert case.files() == []
    assert last_bias(load_case(case)).eq(7).all()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_unwritable_cache(case: Case, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.mkdir

    def refuse(path: Path, *args: Any, **kwargs: Any) -> None:
        if str(path).startswith(str(case.folder)):
            raise OSError(code, "refused", str(path))
        real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr("os.makedirs", lambda name, *_, **__: refuse(Path(name)))
    text = sentence(case)
    assert "cannot be written" in text
    assert "TORCH_HOME and HF_HOME" in text


def test_a_file_where_the_cache_folder_should_be(case: Case) -> None:
    case.folder.parent.mkdir(parents=True)
    case.folder.write_text("not a folder")
    assert "cannot be written" in sentence(case)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_file_on_disk_is_set_aside_and_downloaded_anew(case: Case, share: float) -> None:
    load_case(case)
    place = Path(weights_status(case.spec, case.weights_id).place)
    data = place.read_bytes()
    place.resolve().write_bytes(data[: int(len(data) * share)])
    before = len(case.server.requests)
    text = sentence(case)
    assert str(place) in text
    assert ".damaged" in text
    assert len(case.server.requests) == before
    assert weights_status(case.spec, case.weights_id).kind == "download"
    assert [name for name in case.files() if name.endswith(".damaged")]  # kept, for who wants it
    assert last_bias(load_case(case)).eq(7).all()


def test_file_of_another_architecture(torch_case: Case) -> None:
    load_case(torch_case)
    place = Path(weights_status(torch_case.spec, "SERVED").place)
    torch.save({"weight": torch.zeros(3)}, place)
    assert "does not hold weights" in sentence(torch_case)
    assert place.exists()  # it is whole, so it stays


def test_code_in_a_weights_file_never_runs(torch_case: Case, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (marker,))

    load_case(torch_case)
    torch.save({"weight": Evil()}, weights_status(torch_case.spec, "SERVED").place)
    assert "damaged" in sentence(torch_case)
    assert not marker.exists()


def test_hub_repository_without_safetensors(hub_case: Case) -> None:
    import timm

    file = io.BytesIO()
    module = timm.create_model("test_resnet")
    torch.nn.init.constant_(module.get_classifier().bias, 7.0)
    torch.save(module.state_dict(), file)
    hub_case.server.data = file.getvalue()
    hub_case.server.mode = "only_bin"
    assert last_bias(load_case(hub_case)).eq(7).all()
    assert weights_status(hub_case.spec, "r160_in1k").place.endswith("pytorch_model.bin")


def test_other_users_of_the_libraries_are_not_watched(torch_case: Case, tmp_path: Path) -> None:
    """While a watched download stalls, another thread uses torch.hub as if nothing were."""
    torch_case.server.mode = "silent"
    other = tmp_path / "other.pth"
    started = threading.Event()

    def progress(done: int, total: int | None) -> None:
        if not started.is_set():
            started.set()
            torch_case.server.mode = "good"
            thread = threading.Thread(
                target=torch.hub.download_url_to_file,
                args=(torch_case.server.url(), str(other)),
                kwargs={"progress": False},
            )
            thread.start()
            thread.join(10)

    sentence(torch_case, progress)
    assert other.read_bytes() == torch_case.server.data


def test_the_libraries_are_put_back(case: Case) -> None:
    import torch.hub
    from huggingface_hub import constants, file_download

    before = (torch.hub.urlopen, file_download.http_stream_backoff, constants.HF_HUB_DISABLE_XET)
    load_case(case)
    case.server.mode = "404"
    for path in case.folder.rglob("*.pth"):
        path.unlink()
    after = (torch.hub.urlopen, file_download.http_stream_backoff, constants.HF_HUB_DISABLE_XET)
    assert before == after
