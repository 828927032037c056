"""How long a forward pass takes here: raw times of every run, nothing averaged away."""

from __future__ import annotations

import copy
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import psutil
import torch
from torch import Tensor, nn

from explorer.device import free_memory
from explorer.energy import EnergyReading, find_meter
from explorer.errors import LatencyError
from explorer.i18n import N_
from explorer.latency_modes import (
    DTYPES,
    MODES,
    Forward,
    check_dtype,
    check_mode,
    first_line,
    gradients_of,
    prepare,
)
from explorer.latency_results import DroppedRun, Energy, LatencyResult, LatencySeries, Note
from explorer.machine import card_uuid, describe_machine, device_label
from explorer.module_state import preserved
from explorer.requests import LatencyRequest
from explorer.timing import (
    Clock,
    bytes_per_image,
    gc_held,
    is_out_of_memory,
    peak_of_pass,
    threads,
    timer_of,
)
from explorer.watching import Jumps, LoadWatch, Look, sleeping_clock, trace_of, was_paused

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

__all__ = ["LatencyRequest", "LatencyResult", "LatencySeries", "measure"]

logger = logging.getLogger(__name__)

Progress = Callable[[float, float, Any], None]

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
WARMUPS = ("fixed", "steady")

#: Nanoseconds between two partial results, and between two looks at the machine: four a second.
REPORT_EVERY = 250_000_000
#: Share of the free memory that a batch may need by estimate.
SHARE = 0.8
LONGEST_SECONDS = 3600.0
#: Seconds that one batch may take by estimate, because a measurement is cancelled between batches.
LONGEST_BATCH = 120.0
MOST_RUNS = 100_000
MOST_RECORDED = 2_000_000
#: A warm-up until steady compares the medians of so many runs with the same number before …
STEADY_RUNS = 10
#: … until they differ by less than this, or so many seconds have passed.
STEADY_CHANGE = 0.02
STEADY_SECONDS = 10.0


def measure(
    loaded: LoadedModel,
    request: LatencyRequest,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
    wall: Clock | None = None,
) -> LatencyResult:
    """Forward times of a network, batch size by batch size.

    Eval mode; the same random input in every run; the garbage collector is held. On the CPU a run
    is timed with ``clock``; on CUDA with events on the stream, waited for; on MPS with ``clock``
    around a synchronised pass. What is reported and looked at in between (partial results, other
    programs, energy) happens outside of the timed sections. The network is left as it was: other
    element types and layouts are measured on a copy.

    Before the warm-up of each batch size the mode is prepared (compiled, exported, captured; its
    time is kept apart), and one pass is run for its peak of memory.

    Args:
        loaded: The network, held under its lock.
        request: What to time. Each batch size is run until both ``min_runs`` and ``min_seconds``
            are reached.
        progress: Called with (done, number of batch sizes, ``LatencyResult`` so far) at most four
            times a second between runs; what it raises ends the measurement and passes through.
        clock: Nanoseconds, rising.
        wall: Nanoseconds of a clock that goes on while the machine sleeps; None takes the system's
            where ``clock`` is the system's, else none.

    Returns:
        One series per batch size. Where memory ran out midway, that series is kept with what was
        measured and ``finished=False``, and larger batch sizes are left out.

    Raises:
        LatencyError: Batch size, threads, element type, layout, mode, length or input size that
            cannot be measured, or a batch that by estimate needs more memory than there is, or more
            than two minutes (it is not tried).
    """
    check_request(request, loaded.device)
    if wall is None and clock is time.perf_counter_ns:
        wall = sleeping_clock()
    with (
        preserved(loaded.module),
        threads(request.threads),
        gc_held(),
    ):
        with torch.no_grad():
            # What a network keeps from its first pass (tables of positions) must be plain tensors:
            # those of inference mode could not be used with gradients later.
            module = _as_requested(loaded, request)
            bench = _Bench(module, loaded, request, _Watch(clock, wall, progress))
            bench.check_batches()
        try:
            with gradients_of(request.mode):
                bench.run_all()
        finally:
            if request.mode == "compile":
                torch._dynamo.reset()  # the compiled code of every batch size
        return bench.result()


def check_request(request: LatencyRequest, device: torch.device) -> None:
    """Raises for what cannot be measured on any network.

    Raises:
        LatencyError: Names the value and the remedy.
    """
    _check(request)
    check_mode(request.mode, device)
    check_dtype(request.dtype, device)


def _check(request: LatencyRequest) -> None:
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
        ("warmup_seconds", request.warmup_seconds, 0, LONGEST_SECONDS),
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
    choices: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("dtype", request.dtype, tuple(DTYPES)),
        ("memory_format", request.memory_format, tuple(FORMATS)),
        ("mode", request.mode, MODES),
        ("warmup", request.warmup, WARMUPS),
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
        reason=first_line(error),
    )


@dataclass(slots=True)
class _Record:
    """Raw times of one batch size; space is made between runs, never inside one."""

    batch_size: int
    estimate_bytes: int
    cores: int
    warmup: list[float] = field(default_factory=list)
    durations: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1024, np.int64))
    starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1024, np.int64))
    count: int = 0
    total: int = 0
    finished: bool = False
    compile_seconds: float = 0.0
    peak_bytes: int | None = None
    energy: Energy = field(default_factory=Energy)
    began: int = 0
    looks: list[tuple[float, Look]] = field(default_factory=list)
    dropped: list[DroppedRun] = field(default_factory=list)
    stopped: Note | None = None

    def add(self, start: int, duration: int) -> None:
        if self.count == len(self.durations):
            self.durations = np.concatenate([self.durations, np.zeros_like(self.durations)])
            self.starts = np.concatenate([self.starts, np.zeros_like(self.starts)])
        self.durations[self.count] = duration
        self.starts[self.count] = start
        self.count += 1
        self.total += duration

    def typical(self) -> float:
        """Median so far in seconds; 0 where there is none."""
        return float(np.median(self.durations[: self.count])) / 1e9 if self.count else 0.0

    def series(self) -> LatencySeries:
        starts = self.starts[: self.count]
        first = starts[0] if self.count else 0
        return LatencySeries(
            batch_size=self.batch_size,
            seconds=self.durations[: self.count] / 1e9,
            starts=(starts - first) / 1e9,
            warmup_seconds=tuple(self.warmup),
            finished=self.finished,
            compile_seconds=self.compile_seconds,
            peak_bytes=self.peak_bytes,
            estimate_bytes=self.estimate_bytes,
            energy=self.energy,
            load=trace_of(self.looks, self.cores),
            dropped=tuple(self.dropped),
            stopped=self.stopped,
        )


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who is told, and by which clocks."""

    clock: Clock
    wall: Clock | None
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
        self.reported = self.looked = self.clock()
        self.pass_ns = timer_of(loaded.device, self.clock)
        self.jumps = Jumps(watch.clock, watch.wall)
        self.load = LoadWatch()
        self.energy = EnergyReading(*find_meter(loaded.device.type, card_uuid(loaded.device)))
        self.per_image = 0
        self.empty = self._describe()

    def _describe(self) -> LatencyResult:
        machine = describe_machine(self.loaded.device)
        return LatencyResult(
            model=self.loaded.spec.id,
            weights=self.loaded.weights.id if self.loaded.weights else None,
            series=(),
            device=device_label(machine.device),
            threads=torch.get_num_threads(),
            dtype=self.request.dtype,
            memory_format=self.request.memory_format,
            input_size=self.size,
            versions={"python": platform.python_version(), "torch": str(torch.__version__)},
            mode=self.request.mode,
            machine=machine,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            request=self.request,
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
            self.per_image = bytes_per_image(self.module, x)
            self._refuse_over(self.per_image)
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
            record = _Record(batch, batch * self.per_image, self.load.cores)
            self.records.append(record)
            try:
                self._run(record)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise _cannot_run(self.loaded, self.request, error) from error
                logger.warning("out of memory at batch %d of %s", batch, self.loaded.spec.id)
                short = Note(
                    N_("There is not enough memory for a batch of {batch}; choose a smaller one."),
                    {"batch": batch},
                )
                record.stopped = short
                if not any(other.count for other in self.records):
                    raise LatencyError(short.message, **short.values) from error
                return

    def _run(self, record: _Record) -> None:
        x = self.input(record.batch_size)
        began = self.clock()
        forward = prepare(self.request.mode, self.module, x)
        if self.request.mode not in ("eager", "inference_mode"):
            record.compile_seconds = (self.clock() - began) / 1e9
        record.peak_bytes = peak_of_pass(forward, x)
        self._warm_up(record, forward, x)
        self._begin(record)
        enough = self.request.min_seconds * 1e9
        while record.count < self.request.min_runs or record.total < enough:
            self._keep(record, *self.pass_ns(forward, x))
            self._report(record)
            if record.count >= MOST_RECORDED:
                break
        record.finished = True
        self._look(record)
        self._report(record, now=True)

    def _warm_up(self, record: _Record, forward: Forward, x: Tensor) -> None:
        """Runs that are thrown away, by the request's policy."""
        began = self.clock()
        least = self.request.warmup_seconds
        while True:
            passed = (self.clock() - began) / 1e9
            fixed = len(record.warmup) >= self.request.warmup_runs and passed >= least
            steady = self.request.warmup == "fixed" or passed - least > STEADY_SECONDS
            if fixed and (steady or _is_steady(record.warmup)):
                return
            _start, duration = self.pass_ns(forward, x)
            record.warmup.append(duration / 1e9)
            self._report(record)

    def _begin(self, record: _Record) -> None:
        """What is compared with itself later is read a first time."""
        self.load.look()
        self.energy.begin()
        self.jumps.since_last()
        record.began = self.looked = self.clock()

    def _keep(self, record: _Record, start: int, duration: int) -> None:
        """Keeps a run, unless the machine stood still in it."""
        away = self.jumps.since_last()
        if not away and was_paused(duration / 1e9, record.typical() if duration > 10**9 else 0.0):
            away = duration / 1e9 - record.typical()
        if away:
            first = int(record.starts[0]) if record.count else start
            record.dropped.append(DroppedRun((start - first) / 1e9, duration / 1e9, away))
            logger.warning("the machine stood still for %.1f s; a run is left out", away)
        else:
            record.add(start, duration)
        if self.clock() - self.looked >= REPORT_EVERY:
            self._look(record)

    def _look(self, record: _Record) -> None:
        """At other programs, the frequency and the energy counter."""
        self.looked = self.clock()
        first = int(record.starts[0]) if record.count else record.began
        record.looks.append(((self.looked - first) / 1e9, self.load.look()))
        self.energy.look()
        images = (record.count + len(record.dropped)) * record.batch_size
        record.energy = self.energy.energy((self.looked - record.began) / 1e9, images)

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


def _is_steady(warmup: list[float]) -> bool:
    """Whether the last ten runs took as long as the ten before."""
    if len(warmup) < 2 * STEADY_RUNS:
        return False
    before = float(np.median(warmup[-2 * STEADY_RUNS : -STEADY_RUNS]))
    last = float(np.median(warmup[-STEADY_RUNS:]))
    return abs(last - before) <= STEADY_CHANGE * before
