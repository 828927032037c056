"""What honest timing needs: a held garbage collector, set threads, synchronised devices, room."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Clock = Callable[[], int]
"""Nanoseconds, rising."""

Forward = Callable[[Tensor], Any]
"""A module, or what else runs one."""

Pass = Callable[[Forward, Tensor], tuple[int, int]]
"""Runs it once → (when it began, how long it took), nanoseconds."""


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Intra-op threads of torch inside; None leaves them."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextmanager
def gc_held() -> Iterator[None]:
    """No garbage collection inside a timed run."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed; the CPU allocator raises a plain RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "not enough memory" in text or "alloc" in text or "out of memory" in text
    )


def timer_of(device: torch.device, clock: Clock) -> Pass:
    """What times one forward pass on a device.

    On CUDA the duration is that between two events on the stream; elsewhere ``clock`` is read
    around a pass, after waiting for the device where it runs ahead.
    """
    if device.type == "cuda":
        return _cuda_timer(device, clock)
    synchronise = torch.mps.synchronize if device.type == "mps" else None

    def timed(forward: Forward, x: Tensor) -> tuple[int, int]:
        if synchronise is not None:
            synchronise()
        start = clock()
        forward(x)
        if synchronise is not None:
            synchronise()
        return start, clock() - start

    return timed


def _cuda_timer(device: torch.device, clock: Clock) -> Pass:
    begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def timed(forward: Forward, x: Tensor) -> tuple[int, int]:
        start = clock()
        with torch.cuda.device(device):
            begin.record()
            forward(x)
            end.record()
            end.synchronize()
        return start, round(begin.elapsed_time(end) * 1e6)  # milliseconds → nanoseconds

    return timed


def bytes_per_image(module: nn.Module, x: Tensor) -> int:
    """Memory that each image of a batch takes at the worst moment, by estimate.

    Counted are the input and, of the innermost modules, the largest input and output that exist at
    once; a branch that waits for another adds what it holds, hence the factor two.
    """
    largest = 0

    def look(part: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal largest
        tensors = [t for t in (*inputs, output) if isinstance(t, Tensor)]
        largest = max(largest, sum(t.nbytes for t in tensors))

    handles = [
        part.register_forward_hook(look)
        for part in module.modules()
        if next(part.children(), None) is None
    ]
    try:
        module(x)
    finally:
        for handle in handles:
            handle.remove()
    return x.nbytes + 2 * largest


def peak_of_pass(forward: Forward, x: Tensor) -> int | None:
    """Bytes that torch's allocator holds at most during one pass, above what it held before.

    On CUDA from the allocator's own statistics; on the CPU from every allocation and release that
    the profiler sees (scratch memory that a kernel takes past torch's allocator is not in it). None
    on MPS, which does not say.
    """
    if x.device.type == "cuda":
        with torch.cuda.device(x.device):
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            forward(x)
            torch.cuda.synchronize()
            return torch.cuda.max_memory_allocated() - before
    if x.device.type != "cpu":
        return None
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it tells of GPUs that are not there
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        forward(x)
    found = profile.kineto_results
    if found is None:
        return None
    changes = sorted(
        (event.start_ns(), event.nbytes()) for event in found.events() if event.name() == "[memory]"
    )
    held = peak = 0
    for _when, nbytes in changes:
        held += nbytes
        peak = max(peak, held)
    return peak
