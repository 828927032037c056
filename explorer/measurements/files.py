"""Measurements as files: CSV, JSON and Parquet with raw times, and timm's table of benchmarks.

CSV: one line a forward pass, the conditions repeated, fit for pandas. JSON and Parquet hold all
that is known. timm's layout: one line a batch size, its columns first (``infer_step_time`` is
milliseconds a batch; here the median), ours behind.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from explorer.catalog import CATALOG
from explorer.errors import MeasurementError
from explorer.i18n import N_
from explorer.latency_results import LatencyResult
from explorer.measurements.reading_files import TIMM_COLUMNS, read_file
from explorer.measurements.rows import Row, details_of, rows_of, run_values, series_values
from explorer.measurements.store import MeasurementStore

KINDS = ("csv", "json", "parquet", "timm")
FORMAT = "convnet-explorer-measurements"
VERSION = 1


def export(results: Sequence[LatencyResult], kind: str) -> bytes:
    """A file of measurements; needs no database.

    Args:
        results: What is put into it.
        kind: "csv", "json", "parquet" or "timm".

    Raises:
        MeasurementError: Unknown kind.
    """
    if kind == "csv":
        return _csv(results)
    if kind == "json":
        text = {"format": FORMAT, "version": VERSION, "measurements": [*map(_plain, results)]}
        return json.dumps(text, indent=1, allow_nan=False).encode()
    if kind == "parquet":
        return _parquet(results)
    if kind == "timm":
        return timm_table([row for result in results for row in rows_of(result)])
    raise MeasurementError(
        N_("“{kind}” is no kind of file for measurements; choose one of {known}."),
        kind=kind,
        known=", ".join(KINDS),
    )


def import_file(store: MeasurementStore, data: bytes, name: str) -> tuple[int, int]:
    """Puts the measurements of a file into the store, all or none.

    Args:
        store: Where they go; they are marked as imported.
        data: CSV (ours or timm's), JSON or Parquet.
        name: Of the file; its ending tells the kind.

    Returns:
        (how many are new, how many were there already).

    Raises:
        MeasurementError: Names the row and the reason; nothing was imported.
    """
    return store.add_all(read_file(data, name), "imported")


def _plain(result: LatencyResult) -> dict[str, Any]:
    """A measurement as JSON: columns of the tables, times as lists."""
    run = run_values(result, "measured")
    del run["uid"], run["origin"]
    run["machine"] = None if result.machine is None else asdict(result.machine)
    run["series"] = []
    for series in result.series:
        record = series_values(series)
        record |= {"seconds": series.seconds.tolist(), "starts": series.starts.tolist()}
        run["series"].append(record)
    return run


def _csv(results: Iterable[LatencyResult]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["measurement", "model", "weights", "device", "mode", "dtype", "memory_format", "threads",
         "input_size", "started_at", "batch_size", "run", "start_s", "seconds_per_batch"]
    )  # fmt: skip
    for number, result in enumerate(results, 1):
        size = "x".join(map(str, result.input_size))
        about = [number, result.model, result.weights or "untrained", result.device]
        about += [result.mode, result.dtype, result.memory_format, result.threads, size]
        about.append(result.started_at)
        for series in result.series:
            for run, (start, seconds) in enumerate(
                zip(series.starts.tolist(), series.seconds.tolist(), strict=True)
            ):
                writer.writerow([*about, series.batch_size, run, repr(start), repr(seconds)])
    return text.getvalue().encode()


def _parquet(results: Iterable[LatencyResult]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = []
    for number, result in enumerate(results, 1):
        run = run_values(result, "measured")
        machine = None if result.machine is None else asdict(result.machine)
        about = {
            name: json.dumps(run[name]) if name in ("versions", "request") else run[name]
            for name in run
            if name not in ("uid", "origin")
        }
        for series in result.series:
            times = {"seconds": series.seconds.tolist(), "starts": series.starts.tolist()}
            values = series_values(series) | times
            values["details"] = json.dumps(details_of(series))
            records.append(
                {"measurement": number, **about, "machine": json.dumps(machine), **values}
            )
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue()


def timm_table(rows: Iterable[Row], notes: Iterable[tuple[str, int, str, str]] = ()) -> bytes:
    """The columns of timm's inference benchmarks, then ours; ``infer_macts`` is left empty.

    Args:
        rows: Measured; a row without runs is left out.
        notes: (model, batch size, mode, reason) of what was not measured.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, TIMM_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        if row.median is not None:
            writer.writerow({**_of_model(row.model), **_of_row(row)})
    for model, batch, mode, reason in notes:
        about = {"infer_batch_size": batch, "mode": mode, "note": reason}
        writer.writerow({**_of_model(model), **about})
    return text.getvalue().encode()


def _of_model(model: str) -> dict[str, Any]:
    """What the catalog knows: timm's name, millions of parameters, 10⁹ multiply–accumulates."""
    spec = CATALOG.get(model)
    if spec is None:
        return {"model": model.removeprefix("timm/"), "id": model}
    return {
        "model": spec.builder,
        "id": spec.id,
        "param_count": round(spec.params / 1e6, 2),
        "infer_img_size": spec.input_size[1],
        "infer_gmacs": "" if spec.macs is None else round(spec.macs / 1e9, 2),
    }


def _of_row(row: Row) -> dict[str, Any]:
    rate, median = row.images_per_second or 0.0, row.median or 0.0
    spec = CATALOG.get(row.model)
    own_size = spec is not None and spec.input_size == row.input_size
    values: dict[str, Any] = {
        "infer_img_size": row.input_size[1],
        "infer_samples_per_sec": round(rate, 2),
        "infer_step_time": round(median * 1e3, 4),
        "infer_batch_size": row.batch_size,
        "median_s": median,
        "median_low_s": row.low,
        "median_high_s": row.high,
        "mean_s": row.mean,
        "p95_s": row.p95,
        "p99_s": row.p99,
        "runs": row.runs,
        "mode": row.mode,
        "dtype": row.dtype,
        "memory_format": row.memory_format,
        "threads": row.threads,
        "device": row.device,
        "torch": row.machine.torch if row.machine else "",
        "compile_s": row.compile_seconds,
        "peak_bytes": row.peak_bytes,
        "joules_per_image": row.joules_per_image,
        "unsteady": " ".join(row.unsteady),
        "weights": row.weights or "untrained",
        "started_at": row.started_at,
    }
    return values if own_size else {**values, "infer_gmacs": ""}
