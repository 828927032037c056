"""Peaks of devices kept as small JSON files: measured once per device, threads and torch version.

A file is written beside its place and moved there; one that cannot be read, or says impossible
things, counts as none. The folder holds at most ``MAX_FILES``; the oldest go first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explorer.results import DeviceInfo, DevicePeaks
from explorer.settings import get_settings

logger = logging.getLogger(__name__)

MAX_FILES = 16
VERSION = 1


def folder() -> Path:
    """Where they are kept."""
    return Path(get_settings().cache_dir) / "roofline"


def path_of(device: DeviceInfo, versions: dict[str, str]) -> Path:
    """The file of a device's peaks; its name stands for everything that they depend on."""
    content = repr((VERSION, device.kind, device.name, device.threads, sorted(versions.items())))
    return folder() / f"{device.kind}-{hashlib.sha256(content.encode()).hexdigest()[:20]}.json"


def kept_peaks(device: DeviceInfo, versions: dict[str, str]) -> DevicePeaks | None:
    """What was measured before; None when there is nothing that can be believed."""
    path = path_of(device, versions)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _checked(DevicePeaks(**found), device)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        logger.warning("The kept peaks %s are measured anew: %s", path.name, error)
        return None


def _checked(peaks: DevicePeaks, device: DeviceInfo) -> DevicePeaks:
    """The same, or a ValueError that says what is impossible in it."""
    numbers: list[Any] = [peaks.bandwidth, *peaks.flops.values()]
    if "float32" not in peaks.flops:
        raise ValueError("no float32 peak")
    if not all(isinstance(one, int | float) and math.isfinite(one) and one > 0 for one in numbers):
        raise ValueError("a peak that is no positive number")
    if (peaks.device, peaks.kind, peaks.threads) != (device.name, device.kind, device.threads):
        raise ValueError("peaks of another device")
    return peaks


def keep_peaks(peaks: DevicePeaks, device: DeviceInfo, versions: dict[str, str]) -> None:
    """Keeps them; a folder that cannot be written costs a measurement next time, nothing else."""
    path = path_of(device, versions)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(peaks), file)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _trim(path)
    except OSError as error:
        logger.warning("The peaks of %s cannot be kept: %s", device.name, error)


def _trim(newest: Path) -> None:
    files = sorted(newest.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
    others = [file for file in files if file != newest]
    for file in others[: max(0, len(files) - MAX_FILES)]:
        with suppress(OSError):
            file.unlink()
