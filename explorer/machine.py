"""What this machine is, so that its measurements are told from those of others."""

from __future__ import annotations

import importlib
import os
import platform
from typing import Any

import psutil
import torch

from explorer.device import cpu_name, describe
from explorer.latency_results import Machine
from explorer.results import named_device

# Set by the host of a node (``explorer.engine.cluster``) for its worker.
NODE_VARIABLE = "EXPLORER_NODE"


def describe_machine(device: torch.device) -> Machine:
    """The machine with this device."""
    info = describe(device)
    return Machine(
        device=info.name,
        kind=info.kind,
        cpu=cpu_name(),
        cores=psutil.cpu_count(logical=False) or 0,
        logical_cores=psutil.cpu_count() or 0,
        memory_bytes=info.memory_bytes or 0,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        torch=str(torch.__version__),
        driver=_driver(device),
    )


def device_label(name: str) -> str:
    """The device of this name as results call it: on a cluster with the node that it is in."""
    return named_device(name, os.environ.get(NODE_VARIABLE, ""))


def _driver(device: torch.device) -> str:
    if device.type != "cuda":
        return ""
    cuda = torch.version.cuda or torch.version.hip or ""
    try:
        library: Any = importlib.import_module("pynvml")
        library.nvmlInit()
        driver = library.nvmlSystemGetDriverVersion()
    except Exception:  # noqa: BLE001 - not installed, or no such driver: CUDA's version remains
        return f"CUDA {cuda}"
    return f"{driver.decode() if isinstance(driver, bytes) else driver}, CUDA {cuda}"


def card_uuid(device: torch.device) -> str:
    """How NVML names the card; "" where there is none."""
    if device.type != "cuda":
        return ""
    return str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
