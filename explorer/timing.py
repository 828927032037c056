"""What honest timing needs: a held garbage collector, set threads, synchronised devices, room."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Clock = Callable[[], int]
"""Nanoseconds, rising."""

Pass = Callable[[nn.Module, Tensor], tuple[int, int]]
"""Runs a module once → (when it began, how long it took), nanoseconds."""


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

    def timed(module: nn.Module, x: Tensor) -> tuple[int, int]:
        if synchronise is not None:
            synchronise()
        start = clock()
        module(x)
        if synchronise is not None:
            synchronise()
        return start, clock() - start

    return timed


def _cuda_timer(device: torch.device, clock: Clock) -> Pass:
    begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def timed(module: nn.Module, x: Tensor) -> tuple[int, int]:
        start = clock()
        with torch.cuda.device(device):
            begin.record()
            module(x)
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
