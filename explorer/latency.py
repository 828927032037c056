"""How long a forward pass takes here: raw times of every run, nothing averaged away."""

from __future__ import annotations

import copy
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import psutil
import torch
from torch import Tensor, nn

from explorer.device import describe, free_memory
from explorer.errors import LatencyError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.requests import LatencyRequest
from explorer.results import LatencyResult, LatencySeries
from explorer.timing import (
    Clock,
    bytes_per_image,
    gc_held,
    is_out_of_memory,
    threads,
    timer_of,
)

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

__all__ = ["LatencyRequest", "LatencyResult", "LatencySeries", "measure"]

logger = logging.getLogger(__name__)

Progress = Callable[[float, float, Any], None]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

#: Nanoseconds between two partial results: four a second.
REPORT_EVERY = 250_000_000
#: Share of the free memory that a batch may need by estimate.
SHARE = 0.8
LONGEST_SECONDS = 3600.0
#: Seconds that one batch may take by estimate, because a measurement is cancelled between batches.
LONGEST_BATCH = 120.0
MOST_RUNS = 100_000
MOST_RECORDED = 2_000_000


def measure(
    loaded: LoadedModel,
    request: LatencyRequest,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
) -> LatencyResult:
    """Forward times of a network, batch size by batch size.

    Eval mode under ``torch.inference_mode``; the same random input in every run; the garbage
    collector is held. On the CPU a run is timed with ``clock``; on CUDA with events on the stream,
    waited for; on MPS with ``clock`` around a synchronised pass. What is reported in between is put
    together outside of the timed sections. The network is left as it was: other element types and
    layouts are measured on a copy.

    Args:
        loaded: The network, held under its lock.
        request: What to time. Each batch size is run until both ``min_runs`` and ``min_seconds``
            are reached.
        progress: Called with (done, number of batch sizes, ``LatencyResult`` so far) at most four
            times a second between runs; what it raises ends the measurement and passes through.
        clock: Nanoseconds, rising.

    Returns:
        One series per batch size. Where memory ran out midway, that series is kept with what was
        measured and ``finished=False``, and larger batch sizes are left out.

    Raises:
        LatencyError: Batch size, threads, element type, layout, length or input size that cannot
            be measured, or a batch that by estimate needs more memory than there is, or more than
            two minutes (it is not tried).
    """
    _check(request)
    with (
        preserved(loaded.module),
        threads(request.threads),
        gc_held(),
    ):
        with torch.no_grad():
            # What a network keeps from its first pass (tables of positions) must be plain tensors:
            # those of inference mode could not be used with gradients later.
            module = _as_requested(loaded, request)
            bench = _Bench(module, loaded, request, _Watch(clock, progress))
            bench.check_batches()
        with torch.inference_mode():
            bench.run_all()
        return bench.result()


def _check(request: LatencyRequest) -> None:
    """Raises for what cannot be measured on any network."""
    for batch in request.batch_sizes:
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise LatencyError(
                N_("A batch of {value} images cannot be measured; choose 1 or more."), value=batch
            )
    if not request.batch_sizes:
        raise LatencyError(N_("No batch size was chosen (0 given); choose at least one."))
    cores = psutil.cpu_count() or 1
    ranges: tuple[tuple[str, float | None, float, float], ...] = (
        ("threads", request.threads, 1, cores),
        ("min_runs", request.min_runs, 1, MOST_RUNS),
        ("warmup_runs", request.warmup_runs, 0, MOST_RUNS),
        ("min_seconds", request.min_seconds, 0, LONGEST_SECONDS),
    )
    for name, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            raise LatencyError(
                N_("A measurement with {name}={value} is not possible; choose {low} to {high}."),
                name=name,
                value=value,
                low=low,
                high=high,
            )
    choices: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("dtype", request.dtype, DTYPES),
        ("memory_format", request.memory_format, FORMATS),
    )
    for name, choice, known in choices:
        if choice not in known:
            raise LatencyError(
                N_("A measurement with {name}={value} is not possible; choose one of {known}."),
                name=name,
                value=choice,
                known=", ".join(known),
            )


def _as_requested(loaded: LoadedModel, request: LatencyRequest) -> nn.Module:
    """The module itself, or a copy where element type or layout differ."""
    if request.dtype == "float32" and request.memory_format == "contiguous":
        return loaded.module
    try:
        module: nn.Module = copy.deepcopy(loaded.module).to(dtype=DTYPES[request.dtype])
        return module.to(memory_format=FORMATS[request.memory_format])
    except (RuntimeError, TypeError, ValueError, MemoryError) as error:
        raise _cannot_run(loaded, request, error) from error


def _cannot_run(loaded: LoadedModel, request: LatencyRequest, error: Exception) -> LatencyError:
    logger.error("%s cannot be timed as %s", loaded.spec.id, request, exc_info=error)
    return LatencyError(
        N_(
            "{model} does not run as {dtype}, {layout}, input {size} on this device ({reason}); "
            "choose float32, contiguous and the network's own input size."
        ),
        model=loaded.spec.name,
        dtype=request.dtype,
        layout=request.memory_format,
        size="×".join(str(n) for n in request.input_size or loaded.preprocessing.input_size),
        reason=(str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200],
    )


@dataclass(slots=True)
class _Record:
    """Raw times of one batch size; space is made between runs, never inside one."""

    batch_size: int
    warmup: list[float] = field(default_factory=list)
    durations: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1024, np.int64))
    starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1024, np.int64))
    count: int = 0
    total: int = 0
    finished: bool = False

    def add(self, start: int, duration: int) -> None:
        if self.count == len(self.durations):
            self.durations = np.concatenate([self.durations, np.zeros_like(self.durations)])
            self.starts = np.concatenate([self.starts, np.zeros_like(self.starts)])
        self.durations[self.count] = duration
        self.starts[self.count] = start
        self.count += 1
        self.total += duration

    def series(self) -> LatencySeries:
        starts = self.starts[: self.count]
        first = starts[0] if self.count else 0
        return LatencySeries(
            batch_size=self.batch_size,
            seconds=self.durations[: self.count] / 1e9,
            starts=(starts - first) / 1e9,
            warmup_seconds=tuple(self.warmup),
            finished=self.finished,
        )


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who is told, and by which clock."""

    clock: Clock
    progress: Progress | None


class _Bench:
    """One measurement under way."""

    def __init__(
        self, module: nn.Module, loaded: LoadedModel, request: LatencyRequest, watch: _Watch
    ) -> None:
        self.module = module
        self.loaded = loaded
        self.request = request
        self.size = request.input_size or loaded.preprocessing.input_size
        self.clock = watch.clock
        self.progress = watch.progress
        self.records: list[_Record] = []
        self.reported = self.clock()
        self.pass_ns = timer_of(loaded.device, self.clock)
        self.empty = self._describe()

    def _describe(self) -> LatencyResult:
        device = describe(self.loaded.device)
        threads = torch.get_num_threads()
        return LatencyResult(
            model=self.loaded.spec.id,
            weights=self.loaded.weights.id if self.loaded.weights else None,
            series=(),
            device=device.name,
            threads=threads,
            dtype=self.request.dtype,
            memory_format=self.request.memory_format,
            input_size=self.size,
            versions={"python": platform.python_version(), "torch": str(torch.__version__)},
        )

    def result(self) -> LatencyResult:
        """What is measured so far."""
        return replace(self.empty, series=tuple(record.series() for record in self.records))

    def input(self, batch: int) -> Tensor:
        """(B, C, H, W), always the same numbers."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(batch, *self.size, generator=generator)
        return x.to(
            device=self.loaded.device,
            dtype=DTYPES[self.request.dtype],
            memory_format=FORMATS[self.request.memory_format],
        )

    def check_batches(self) -> None:
        """Raises when a batch would not fit; one image is run to find out what each takes."""
        if len(self.size) != 3 or min(self.size) < 1:
            raise LatencyError(
                N_("An input of {size} cannot be measured; choose three sizes of 1 or more."),
                size="×".join(str(n) for n in self.size),
            )
        width = DTYPES[self.request.dtype].itemsize
        self._refuse_over(width * int(np.prod(self.size, dtype=np.int64)))
        try:
            x = self.input(1)
            per_image = bytes_per_image(self.module, x)
            self._refuse_over(per_image)
            seconds = self._seconds_per_image(x)
        except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
            raise _cannot_run(self.loaded, self.request, error) from error
        for batch in self.request.batch_sizes:
            if batch * seconds > LONGEST_BATCH:
                raise LatencyError(
                    N_(
                        "A batch of {batch:,} images would take about {seconds:,.0f} s here; "
                        "choose {largest:,} or fewer."
                    ),
                    batch=batch,
                    seconds=batch * seconds,
                    largest=max(1, int(LONGEST_BATCH / seconds)),
                )

    def _seconds_per_image(self, x: Tensor) -> float:
        """The faster of two passes of one image: the first one also pays for warming up."""
        timed = timer_of(self.loaded.device, time.perf_counter_ns)
        return min(timed(self.module, x)[1] for _ in range(2)) / 1e9

    def _refuse_over(self, per_image: int) -> None:
        free = free_memory(self.loaded.device)
        for batch in self.request.batch_sizes:
            if batch * per_image > SHARE * free:
                raise LatencyError(
                    N_(
                        "A batch of {batch:,} images needs about {needed:,.1f} GiB, and "
                        "{free:,.1f} GiB are free; choose {largest:,} or fewer."
                    ),
                    batch=batch,
                    needed=batch * per_image / 2**30,
                    free=free / 2**30,
                    largest=max(1, int(SHARE * free / per_image)),
                )

    def run_all(self) -> None:
        """Measures every batch size; stops at the first that memory is too small for."""
        for batch in self.request.batch_sizes:
            record = _Record(batch)
            self.records.append(record)
            try:
                self._run(record)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise _cannot_run(self.loaded, self.request, error) from error
                logger.warning("out of memory at batch %d of %s", batch, self.loaded.spec.id)
                if not any(other.count for other in self.records):
                    raise LatencyError(
                        N_(
                            "There is not enough memory for a batch of {batch}; choose a smaller "
                            "one."
                        ),
                        batch=batch,
                    ) from error
                return

    def _run(self, record: _Record) -> None:
        x = self.input(record.batch_size)
        for _ in range(self.request.warmup_runs):
            _start, duration = self.pass_ns(self.module, x)
            record.warmup.append(duration / 1e9)
            self._report(record)
        enough = self.request.min_seconds * 1e9
        while record.count < self.request.min_runs or record.total < enough:
            record.add(*self.pass_ns(self.module, x))
            self._report(record)
            if record.count >= MOST_RECORDED:
                break
        record.finished = True
        self._report(record, now=True)

    def _report(self, record: _Record, *, now: bool = False) -> None:
        """Hands out what there is, at most every quarter of a second."""
        if self.progress is None:
            return
        time_now = self.clock()
        if not now and time_now - self.reported < REPORT_EVERY:
            return
        share = 1.0
        if not record.finished:
            goal = max(self.request.min_seconds * 1e9, 1.0)
            share = min(record.count / self.request.min_runs, record.total / goal, 1.0)
        done = len(self.records) - 1 + share
        self.progress(done, len(self.request.batch_sizes), self.result())
        self.reported = self.clock()
