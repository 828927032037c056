"""What a device reaches at best: a large matrix product, and a large copy."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import torch

from explorer.device import describe, free_memory
from explorer.results import DevicePeaks
from explorer.roofline.store import keep_peaks, kept_peaks
from explorer.timing import Clock

logger = logging.getLogger(__name__)

Progress = Callable[[float, float | None], None]

#: A matrix grows until one product takes this long, so that starting it weighs nothing.
LONG_ENOUGH = 0.06
SMALLEST, LARGEST = 256, 8192
COPY_BYTES = 256 * 2**20
REPEATS = 5
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def device_peaks(
    device: torch.device, *, renew: bool = False, progress: Progress | None = None
) -> DevicePeaks:
    """The kept peaks of this device, or new ones.

    Args:
        device: What to measure.
        renew: Measures also when there are kept ones, and keeps the new.
        progress: Called with (steps done, steps); what it raises ends the measurement.
    """
    info, versions = describe(device), {"torch": str(torch.__version__)}
    found = None if renew else kept_peaks(info, versions)
    if found is None:
        found = measure_peaks(device, progress=progress)
        keep_peaks(found, info, versions)
    return found


def measure_peaks(
    device: torch.device,
    *,
    clock: Clock = time.perf_counter_ns,
    progress: Progress | None = None,
) -> DevicePeaks:
    """Measures them: the best of several, because a peak is what nothing disturbs.

    Matrix products count 2·n³ FLOPs; an element type in which the device cannot multiply is left
    out. A copy counts the bytes that it reads and those that it writes.
    """
    info = describe(device)
    names = [*DTYPES, "tf32"] if device.type == "cuda" else list(DTYPES)
    flops: dict[str, float] = {}
    with torch.inference_mode():
        for step, name in enumerate(names):
            if progress is not None:
                progress(step, len(names) + 1)
            reached = _matmul(name, device, clock)
            if reached is not None:
                flops[name] = reached
        if progress is not None:
            progress(len(names), len(names) + 1)
        bandwidth = _copy(device, clock)
    return DevicePeaks(
        device=info.name,
        kind=info.kind,
        threads=info.threads,
        flops=flops,
        bandwidth=bandwidth,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"torch": str(torch.__version__)},
    )


def _matmul(name: str, device: torch.device, clock: Clock) -> float | None:
    """FLOP/s; None where the device cannot."""
    dtype = DTYPES.get(name, torch.float32)
    best = 0.0
    side = SMALLEST
    try:
        with _precision("high" if name == "tf32" else "highest"):
            while True:
                a = torch.rand(side, side, device=device).to(dtype)
                b = torch.rand(side, side, device=device).to(dtype)
                seconds = _best(partial(torch.matmul, a, b), device, clock)
                best = max(best, 2 * side**3 / seconds)
                if seconds >= LONG_ENOUGH or side >= LARGEST:
                    return best
                side *= 2
    except (RuntimeError, NotImplementedError) as error:
        logger.info("no matrix product in %s on %s: %s", name, device, error)
        return best or None


@contextmanager
def _precision(name: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _copy(device: torch.device, clock: Clock) -> float:
    """Bytes/s."""
    nbytes = min(COPY_BYTES, max(2**22, free_memory(device) // 8))
    source = torch.ones(nbytes // 4, device=device)
    target = torch.zeros_like(source)
    return 2 * source.nbytes / _best(lambda: target.copy_(source), device, clock)


def _best(call: Callable[[], object], device: torch.device, clock: Clock) -> float:
    """Seconds of the fastest of several calls, after one that warms up."""
    call()
    synchronise(device)
    found = []
    for _ in range(REPEATS):
        start = clock()
        call()
        synchronise(device)
        found.append(clock() - start)
    return max(min(found), 1) / 1e9


def synchronise(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
