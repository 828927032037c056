"""Results as columns of the tables and back; what a list of measurements shows."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.latency_results import (
    DroppedRun,
    Energy,
    LatencyResult,
    LatencySeries,
    LoadTrace,
    Machine,
    Note,
)
from explorer.requests import LatencyRequest

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which measurements are wanted; None leaves a field open.

    Attributes:
        model: Catalog id.
        machine: Fingerprint.
        mode: As in ``LatencyRequest``.
        dtype: Element type.
        memory_format: "contiguous" or "channels_last".
        batch_size: Images per pass.
        threads: Intra-op CPU threads.
        input_size: (C, H, W).
        sweep: Id of a sweep.
        origin: "measured" or "imported".
        finished: Whether the measurement came to its end.
    """

    model: str | None = None
    machine: str | None = None
    mode: str | None = None
    dtype: str | None = None
    memory_format: str | None = None
    batch_size: int | None = None
    threads: int | None = None
    input_size: tuple[int, int, int] | None = None
    sweep: int | None = None
    origin: str | None = None
    finished: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One batch size of one measurement, without its raw times; seconds are per batch.

    Attributes:
        run_id: Of the measurement.
        series_id: Of this batch size.
        model: Catalog id.
        weights: Weights id; None for the untrained network (speed does not depend on it).
        machine: What it was measured on; None in files of others.
        device: Its name.
        mode: As in ``LatencyRequest``.
        dtype: Element type.
        memory_format: "contiguous" or "channels_last".
        threads: Intra-op CPU threads; 0 where unknown.
        input_size: (C, H, W).
        batch_size: Images per pass.
        runs: Size of the sample.
        median: Seconds; None for an empty sample.
        q25: Lower quartile, None where not earned.
        q75: Upper quartile, likewise.
        mean: Arithmetic.
        p95: 95th percentile, None where not earned.
        p99: 99th percentile, likewise.
        low: Lower end of the median's 95 % confidence interval.
        high: Upper end.
        compile_seconds: Of compiling, exporting or capturing.
        peak_bytes: Of one pass.
        estimate_bytes: Expected before.
        watts: Mean power.
        joules_per_image: Energy of one image.
        unsteady: Kinds of unsteadiness seen.
        finished: Whether it came to its end.
        started_at: UTC, ISO 8601.
        origin: "measured" or "imported".
    """

    run_id: int
    series_id: int
    model: str
    weights: str | None
    machine: Machine | None
    device: str
    mode: str
    dtype: str
    memory_format: str
    threads: int
    input_size: tuple[int, int, int]
    batch_size: int
    runs: int
    median: float | None
    q25: float | None
    q75: float | None
    mean: float | None
    p95: float | None
    p99: float | None
    low: float | None
    high: float | None
    compile_seconds: float
    peak_bytes: int | None
    estimate_bytes: int | None
    watts: float | None
    joules_per_image: float | None
    unsteady: tuple[str, ...]
    finished: bool
    started_at: str
    origin: str

    @property
    def images_per_second(self) -> float | None:
        """Batch size over the median."""
        return self.batch_size / self.median if self.median else None

    @property
    def image_seconds(self) -> float | None:
        """The median shared among the batch's images."""
        return None if self.median is None else self.median / self.batch_size


_RUN_FIELDS = ("model", "weights", "device", "mode", "dtype", "memory_format", "threads",
               "started_at", "origin")  # fmt: skip
_SERIES_FIELDS = ("batch_size", "runs", "median", "q25", "q75", "mean", "p95", "p99", "low", "high",
                  "compile_seconds", "peak_bytes", "estimate_bytes", "watts", "joules_per_image",
                  "finished")  # fmt: skip


def run_values(result: LatencyResult, origin: str) -> dict[str, Any]:
    """The columns of the table of runs, without keys of others."""
    channels, height, width = result.input_size
    return {
        "uid": uid_of(result),
        "origin": origin,
        "model": result.model,
        "weights": result.weights,
        "device": result.device,
        "mode": result.mode,
        "dtype": result.dtype,
        "memory_format": result.memory_format,
        "threads": result.threads,
        "channels": channels,
        "height": height,
        "width": width,
        "started_at": result.started_at,
        "versions": result.versions,
        "request": None if result.request is None else asdict(result.request),
    }


def uid_of(result: LatencyResult) -> str:
    """Hex digest of what was measured, where, when, and of every raw time."""
    found = hashlib.sha256()
    machine = result.machine.fingerprint if result.machine else ""
    about = (
        (result.model, result.weights, result.device, machine, result.started_at),
        (result.mode, result.dtype, result.memory_format, result.threads, result.input_size),
    )
    found.update(repr(about).encode())
    for series in result.series:
        found.update(repr((series.batch_size, len(series.seconds))).encode())
        found.update(pack(series.seconds))
        found.update(pack(series.starts))
    return found.hexdigest()


def series_values(series: LatencySeries) -> dict[str, Any]:
    """The columns of the table of series, without keys of others."""
    found = series.statistics
    low, high = found.interval or (None, None)
    return {
        "batch_size": series.batch_size,
        "runs": found.runs,
        "median": found.median,
        "q25": found.p25,
        "q75": found.p75,
        "mean": found.mean,
        "p95": found.p95,
        "p99": found.p99,
        "low": low,
        "high": high,
        "compile_seconds": series.compile_seconds,
        "peak_bytes": series.peak_bytes,
        "estimate_bytes": series.estimate_bytes,
        "watts": series.energy.watts,
        "joules_per_image": series.energy.joules_per_image,
        "unsteady": ",".join(one.kind for one in series.unsteady),
        "finished": series.finished,
        "seconds": pack(series.seconds),
        "starts": pack(series.starts),
        "details": details_of(series),
    }


def details_of(series: LatencySeries) -> dict[str, Any]:
    """What is seldom asked for, as JSON; a number that is not known (NaN) is null there."""
    load = series.load
    return {
        "warmup_seconds": list(series.warmup_seconds),
        "energy": asdict(series.energy),
        "load": {
            "at": _nulls(load.at),
            "other_cores": _nulls(load.other_cores),
            "mhz": _nulls(load.mhz),
            "cores": load.cores,
        },
        "dropped": [asdict(run) for run in series.dropped],
        "stopped": None if series.stopped is None else asdict(series.stopped),
    }


def series_of(record: dict[str, Any]) -> LatencySeries:
    """A series from its columns.

    Raises:
        KeyError, TypeError, ValueError: Something in them is missing or wrong.
    """
    details = record["details"]
    load, energy = details["load"], dict(details["energy"])
    energy["reason"] = _note(energy.get("reason"))
    return LatencySeries(
        batch_size=record["batch_size"],
        seconds=unpack(record["seconds"]),
        starts=unpack(record["starts"]),
        warmup_seconds=tuple(float(one) for one in details["warmup_seconds"]),
        finished=bool(record["finished"]),
        compile_seconds=float(record["compile_seconds"]),
        peak_bytes=record["peak_bytes"],
        estimate_bytes=record["estimate_bytes"],
        energy=Energy(**energy),
        load=LoadTrace(
            _floats(load["at"]),
            _floats(load["other_cores"]),
            _floats(load["mhz"]),
            int(load["cores"]),
        ),
        dropped=tuple(DroppedRun(**run) for run in details["dropped"]),
        stopped=_note(details["stopped"]),
    )


def result_of(
    run: dict[str, Any], series: list[dict[str, Any]], machine: dict[str, Any] | None
) -> LatencyResult:
    """A result from its columns; errors as for ``series_of``."""
    return LatencyResult(
        model=run["model"],
        weights=run["weights"],
        series=tuple(series_of(record) for record in series),
        device=run["device"],
        threads=run["threads"],
        dtype=run["dtype"],
        memory_format=run["memory_format"],
        input_size=(run["channels"], run["height"], run["width"]),
        versions=dict(run["versions"]),
        mode=run["mode"],
        machine=None if machine is None else Machine(**machine),
        started_at=run["started_at"],
        request=request_of(run["request"]),
        run_id=run.get("id"),
    )


def request_of(found: dict[str, Any] | None) -> LatencyRequest | None:
    """A request from JSON; fields of newer versions are passed over."""
    if found is None:
        return None
    known = {one.name for one in fields(LatencyRequest)}
    values = {name: value for name, value in found.items() if name in known}
    for name in ("batch_sizes", "input_size"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return LatencyRequest(**values)


def row_of(record: dict[str, Any]) -> Row:
    """A row from the joined columns of run, series and machine."""
    machine = record["description"]
    values: dict[str, Any] = {name: record[name] for name in (*_RUN_FIELDS, *_SERIES_FIELDS)}
    return Row(
        run_id=record["run_id"],
        series_id=record["series_id"],
        machine=None if machine is None else Machine(**machine),
        input_size=(record["channels"], record["height"], record["width"]),
        unsteady=tuple(filter(None, record["unsteady"].split(","))),
        **values,
    )


def rows_of(result: LatencyResult, origin: str = "measured") -> tuple[Row, ...]:
    """The rows of a result that is not kept anywhere; ids are 0."""
    run = run_values(result, origin)
    rows = []
    for series in result.series:
        values = series_values(series)
        description = None if result.machine is None else asdict(result.machine)
        ids = {"run_id": result.run_id or 0, "series_id": 0, "description": description}
        rows.append(row_of({**run, **values, **ids}))
    return tuple(rows)


def pack(values: Floats) -> bytes:
    """Little-endian float64."""
    return np.ascontiguousarray(values, "<f8").tobytes()


def unpack(data: bytes) -> Floats:
    """What ``pack`` made; writable, as fresh measurements are."""
    return np.frombuffer(bytes(data), "<f8").astype(np.float64)


def _nulls(values: Floats) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def _floats(values: list[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], np.float64)


def _note(found: dict[str, Any] | None) -> Note | None:
    return None if found is None else Note(found["message"], dict(found["values"]))
