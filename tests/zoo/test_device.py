"""Which device, what it is called, and what is said of an impossible one."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

from explorer.device import cpu_name, describe, free_memory, pick_device
from explorer.errors import DeviceError


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    kind = "cuda" if cuda else "mps"
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: bool(cuda or mps))
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(kind))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "setting", "expected"),
    [
        (0, False, "auto", "cpu"),
        (1, False, "auto", "cuda:0"),
        (0, True, "auto", "mps"),
        (2, False, "cuda:1", "cuda:1"),
        (2, False, "cuda", "cuda:0"),
        (2, False, " CUDA ", "cuda:0"),
        (0, True, "mps", "mps"),
        (1, False, "cpu", "cpu"),
        (1, False, "cpu:0", "cpu"),
    ],
)
def test_pick(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, setting: str, expected: str
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert str(pick_device(setting)) == expected


def test_other_accelerators_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=1)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("xpu"))
    assert str(pick_device("auto")) == "cpu"


@pytest.mark.parametrize(
    ("cuda", "setting", "words"),
    [
        (0, "cuda", "finds no such device"),
        (0, "mps", "finds no such device"),
        (2, "cuda:2", "2 of these devices; choose a number from 0 to 1"),
        (1, "gpu", "“gpu” names no device"),
        (1, "cuda:x", "“cuda:x” names no device"),
        (1, "meta", "“meta” names no device"),
    ],
)
def test_impossible(monkeypatch: pytest.MonkeyPatch, cuda: int, setting: str, words: str) -> None:
    pretend(monkeypatch, cuda=cuda)
    with pytest.raises(DeviceError) as caught:
        pick_device(setting)
    assert words in str(caught.value)
    assert "EXPLORER_DEVICE" in str(caught.value)


def test_describe_the_cpu() -> None:
    info = describe(torch.device("cpu"))
    assert info.kind == "cpu"
    assert info.name == cpu_name()
    assert info.memory_bytes == psutil.virtual_memory().total
    assert info.threads == torch.get_num_threads()
    assert 0 < free_memory(torch.device("cpu")) <= psutil.virtual_memory().total


def test_cpu_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "processor\t: 0\nmodel name\t: ACME  Turbo 9 @ 3GHz\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert cpu_name() == "ACME Turbo 9 @ 3GHz"

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert cpu_name()


@pytest.mark.gpu
def test_describe_the_gpu() -> None:
    device = pick_device("auto")
    info = describe(device)
    assert info.kind == device.type
    assert info.name
    assert info.memory_bytes
    assert 0 < free_memory(device) <= info.memory_bytes
