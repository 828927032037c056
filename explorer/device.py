"""Which device networks run on, and what it is called."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import torch

from explorer.errors import DeviceError
from explorer.i18n import N_
from explorer.results import DeviceInfo


def pick_device(setting: str = "auto") -> torch.device:
    """The device of a setting: "auto" takes CUDA, then MPS, then the CPU.

    Args:
        setting: "auto", "cpu", "mps", "cuda" or "cuda:N".

    Raises:
        DeviceError: The setting names no device, or one that this machine does not have.
    """
    wanted = setting.strip().lower()
    if wanted in {"", "auto"}:
        return _best()
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise _unknown(setting) from error
    if device.type not in {"cpu", "cuda", "mps"}:
        raise _unknown(setting)
    if device.type == "cpu":
        return torch.device("cpu")
    _check(device, setting)
    return torch.device("mps") if device.type == "mps" else torch.device("cuda", device.index or 0)


def _unknown(setting: str) -> DeviceError:
    return DeviceError(
        N_("“{device}” names no device; set EXPLORER_DEVICE to auto, cpu, mps, cuda or cuda:N."),
        device=setting,
    )


def _best() -> torch.device:
    if torch.accelerator.is_available():
        accelerator = torch.accelerator.current_accelerator()
        # Others (XPU, HPU, …) lack ops that the analyses need; the CPU has them all.
        if accelerator is not None and accelerator.type in {"cuda", "mps"}:
            return torch.device("cuda", 0) if accelerator.type == "cuda" else torch.device("mps")
    return torch.device("cpu")


def _check(device: torch.device, setting: str) -> None:
    """Raises where the device is not there."""
    if device.type == "mps":
        count = 1 if torch.backends.mps.is_available() else 0
    else:
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise DeviceError(
            N_(
                "EXPLORER_DEVICE={device} was asked for, but torch {version} finds no such device "
                "here; set it to auto or cpu, or install a torch build for this device."
            ),
            device=setting,
            version=str(torch.__version__),
        )
    if device.index is not None and device.index >= count:
        raise DeviceError(
            N_(
                "EXPLORER_DEVICE={device} was asked for, but this machine has {count} of these "
                "devices; choose a number from 0 to {last}, or auto."
            ),
            device=setting,
            count=count,
            last=count - 1,
        )


def describe(device: torch.device) -> DeviceInfo:
    """Name, memory and threads of a device."""
    threads = torch.get_num_threads()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return DeviceInfo("cuda", properties.name, properties.total_memory, threads)
    name = f"{cpu_name()} GPU" if device.type == "mps" else cpu_name()
    return DeviceInfo(device.type, name, psutil.virtual_memory().total, threads)


def cpu_name() -> str:
    """The processor as its maker calls it; the architecture where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip().lower() in {"model name", "hardware", "cpu model"} and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on a device."""
    if device.type == "cuda":
        free, _total = torch.cuda.mem_get_info(device)
        return free
    return int(psutil.virtual_memory().available)
