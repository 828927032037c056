"""What a measurement of forward times returns: raw times with what was seen beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer import timing_statistics
from explorer.errors import ExplorerError
from explorer.i18n import N_
from explorer.requests import LatencyRequest
from explorer.timing_statistics import Statistics, Unsteady

Floats = npt.NDArray[np.float64]


def _none() -> Floats:
    return np.zeros(0, np.float64)


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence about a measurement.

    Attributes:
        message: English template, marked for translation.
        values: What fills its fields.
    """

    message: str
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, through ``translate`` (a gettext function)."""
        return translate(self.message).format(**self.values)


@dataclass(frozen=True, slots=True)
class Energy:
    """What a meter of the machine read over the timed runs of one batch size.

    Attributes:
        joules: Used meanwhile; None where no meter is there.
        seconds: Between the two readings.
        images: Classified meanwhile.
        source: "nvml" (the whole graphics card), "rapl" (the processor packages, with whatever else
            ran on them), "" without a meter.
        reason: Why there is none; None where there is one.
    """

    joules: float | None = None
    seconds: float = 0.0
    images: int = 0
    source: str = ""
    reason: Note | None = None

    @property
    def watts(self) -> float | None:
        """Mean power."""
        return self.joules / self.seconds if self.joules is not None and self.seconds else None

    @property
    def joules_per_image(self) -> float | None:
        """Energy of one image."""
        return self.joules / self.images if self.joules is not None and self.images else None


@dataclass(frozen=True, slots=True)
class LoadTrace:
    """The machine beside the measurement, looked at between runs; NaN where it does not say.

    Attributes:
        at: (S,) seconds since the first run.
        other_cores: (S,) cores that other programs kept busy since the look before.
        mhz: (S,) clock frequency of the processor.
        cores: Logical cores of the machine.
    """

    at: Floats = field(default_factory=_none)
    other_cores: Floats = field(default_factory=_none)
    mhz: Floats = field(default_factory=_none)
    cores: int = 0


@dataclass(frozen=True, slots=True)
class DroppedRun:
    """A run that is not among the times because the machine stood still in it.

    Attributes:
        start: Seconds since the first run.
        seconds: What the clock said that it took.
        jump_seconds: How long the machine was away.
    """

    start: float
    seconds: float
    jump_seconds: float


@dataclass(frozen=True, slots=True)
class LatencySeries:
    """Raw forward times of one batch size; statistics are derived from them.

    Attributes:
        batch_size: Images per forward pass.
        seconds: (N,) float64, seconds per *batch*, in order.
        starts: (N,) float64, when each run began, seconds since the first one.
        warmup_seconds: Times of the runs that were thrown away.
        finished: False while it is being measured, or when it was cancelled.
        compile_seconds: Of compiling, exporting or capturing for this batch size, before warm-up.
        peak_bytes: What torch's allocator held at most during one pass, above what it held before
            (weights are not in it); None where it does not say.
        estimate_bytes: What was expected of it before it was tried.
        energy: What a meter read.
        load: The machine meanwhile.
        dropped: Runs that the machine slept through.
        stopped: Why it ended early; None where it did not, or was stopped by a person.
    """

    batch_size: int
    seconds: Floats
    starts: Floats
    warmup_seconds: tuple[float, ...] = ()
    finished: bool = True
    compile_seconds: float = 0.0
    peak_bytes: int | None = None
    estimate_bytes: int | None = None
    energy: Energy = field(default_factory=Energy)
    load: LoadTrace = field(default_factory=LoadTrace)
    dropped: tuple[DroppedRun, ...] = ()
    stopped: Note | None = None

    def percentile(self, q: float) -> float | None:
        """The q-th percentile in seconds per batch, q in 0…100; None when the sample is too small.

        A percentile needs ten runs beyond it (p95: 200 runs, p99: 1,000), the median needs one run.
        """
        return timing_statistics.percentile(self.seconds, q)

    @property
    def statistics(self) -> Statistics:
        """Median, mean, quartiles, percentiles, the median's interval; seconds per batch."""
        return timing_statistics.summarise(self.seconds)

    @property
    def median(self) -> float | None:
        """Seconds per batch."""
        return self.percentile(50)

    @property
    def images_per_second(self) -> float | None:
        """Batch size over the median time."""
        return None if not self.median else self.batch_size / self.median

    @property
    def unsteady(self) -> tuple[Unsteady, ...]:
        """What speaks against trusting the median to the last digit."""
        found = (
            timing_statistics.drift(self.seconds),
            timing_statistics.bimodality(self.seconds),
            timing_statistics.other_load(self.load.other_cores, self.load.cores),
            timing_statistics.frequency(self.load.mhz),
        )
        return tuple(one for one in found if one is not None)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All that has to be said beside the numbers, as sentences."""
        notes = [unsteady_note(one) for one in self.unsteady]
        if self.dropped:
            notes.append(_dropped_note(self.dropped))
        if self.stopped is not None:
            notes.append(self.stopped)
        return tuple(notes)


def unsteady_note(found: Unsteady) -> Note:
    """The sentence for a sign of unsteadiness."""
    values = found.values
    if found.kind == "drift":
        rises = values["change"] > 0
        message = (
            N_("Unsteady: the runs became {percent:.0f} % slower from the first to the last third.")
            if rises
            else N_(
                "Unsteady: the runs became {percent:.0f} % faster from the first to the last third."
            )
        )
        return Note(message, {"percent": abs(values["change"]) * 100})
    if found.kind == "bimodal":
        message = N_(
            "Unsteady: the times fall into two groups, around {low:.2f} ms and {high:.2f} ms; "
            "{percent:.0f} % of the runs are in the slower one."
        )
        return Note(
            message,
            {
                "low": values["low"] * 1e3,
                "high": values["high"] * 1e3,
                "percent": values["share"] * 100,
            },
        )
    if found.kind == "load":
        message = N_(
            "Unsteady: other programs kept {busy:.1f} of {cores} cores busy meanwhile; close them "
            "and measure again."
        )
        return Note(message, dict(values))
    message = N_(
        "Unsteady: the processor's clock moved between {low:.0f} and {high:.0f} MHz meanwhile."
    )
    return Note(message, dict(values))


def _dropped_note(dropped: tuple[DroppedRun, ...]) -> Note:
    message = N_(
        "The machine stood still for {seconds:,.0f} s meanwhile (suspended or paused); runs left "
        "out: {count}."
    )
    seconds = sum(run.jump_seconds for run in dropped)
    return Note(message, {"seconds": seconds, "count": len(dropped)})


@dataclass(frozen=True, slots=True)
class Machine:
    """What a measurement was made on.

    Attributes:
        device: What ran the network ("NVIDIA H100 80GB HBM3"; on the CPU its name).
        kind: "cpu", "cuda" or "mps".
        cpu: The processor.
        cores: Physical cores; 0 where unknown.
        logical_cores: Cores as the system counts them.
        memory_bytes: Of the device; on "cpu" and "mps" of the machine. 0 where unknown.
        system: Operating system with its version.
        python: Version.
        torch: Version.
        driver: Of the graphics card with the CUDA version; "" on the CPU.
    """

    device: str
    kind: str
    cpu: str = ""
    cores: int = 0
    logical_cores: int = 0
    memory_bytes: int = 0
    system: str = ""
    python: str = ""
    torch: str = ""
    driver: str = ""

    @property
    def fingerprint(self) -> str:
        """16 hex digits: the same where all of this is the same."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Forward times of a network on one machine.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network (speed does not depend on it).
        series: One per batch size.
        device: Name of the device ("AMD EPYC …, 2 threads").
        threads: Intra-op CPU threads used.
        dtype: Element type.
        memory_format: "contiguous" or "channels_last".
        input_size: (C, H, W).
        versions: Library versions.
        mode: How the network was run, as in ``LatencyRequest``.
        machine: All that is known of the machine; None in files of others.
        started_at: Date and time in UTC, ISO 8601; "" where unknown.
        request: What was asked for; None in files of others.
        run_id: In the store of measurements; None where it is not kept.
        unstored: Why it could not be kept; None where it was, or was not meant to be.
    """

    model: str
    weights: str | None
    series: tuple[LatencySeries, ...]
    device: str
    threads: int
    dtype: str
    memory_format: str
    input_size: tuple[int, int, int]
    versions: dict[str, str]
    mode: str = "inference_mode"
    machine: Machine | None = None
    started_at: str = ""
    request: LatencyRequest | None = None
    run_id: int | None = None
    unstored: ExplorerError | None = None
