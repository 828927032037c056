"""Files of measurements → results; what is wrong in one is said with its row."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from explorer.catalog import CATALOG
from explorer.errors import MeasurementError
from explorer.i18n import N_
from explorer.latency_results import LatencyResult, LatencySeries
from explorer.measurements.rows import pack, result_of

#: timm's own columns, as its results are published, then ours.
TIMM_COLUMNS = (
    "model", "infer_img_size", "infer_samples_per_sec", "infer_step_time", "infer_batch_size",
    "param_count", "infer_gmacs", "infer_macts",
    "id", "median_s", "median_low_s", "median_high_s", "mean_s", "p95_s", "p99_s", "runs", "mode",
    "dtype", "memory_format", "threads", "device", "torch", "compile_s", "peak_bytes",
    "joules_per_image", "unsteady", "weights", "started_at", "note",
)  # fmt: skip
TIMM_NEEDED = ("model", "infer_img_size", "infer_step_time", "infer_batch_size")
CSV_NEEDED = (
    "measurement", "model", "device", "input_size", "batch_size", "start_s", "seconds_per_batch",
)  # fmt: skip
LARGEST_FILE = 512 * 2**20


def read_file(data: bytes, name: str) -> list[LatencyResult]:
    """The measurements of a file.

    Args:
        data: Its content.
        name: Its name; the ending tells the kind.

    Raises:
        MeasurementError: Names the row and the reason.
    """
    ending = name.rpartition(".")[2].lower()
    if ending not in ("csv", "json", "parquet"):
        raise MeasurementError(
            N_("{name} is no file of measurements; choose one that ends in .csv, .json, .parquet."),
            name=name,
        )
    if len(data) > LARGEST_FILE:
        raise MeasurementError(
            N_("{name} has {size:,} bytes; choose a file of {largest:,} or fewer."),
            name=name,
            size=len(data),
            largest=LARGEST_FILE,
        )
    readers = {"csv": _csv, "json": _json, "parquet": _parquet}
    found = readers[ending](data, name)
    if not found:
        raise MeasurementError(
            N_("{name} holds no measurement (0 rows); choose another file."), name=name
        )
    return found


def _wrong(name: str, row: int, reason: object) -> MeasurementError:
    return MeasurementError(
        N_("{name}, row {row}: {reason}. Correct it; nothing was imported."),
        name=name,
        row=row,
        reason=str(reason).rstrip("."),
    )


def _json(data: bytes, name: str) -> list[LatencyResult]:
    try:
        content = json.loads(data)
        records = content["measurements"]
        if not isinstance(records, list):
            raise TypeError("“measurements” is no list")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _wrong(name, 1, f"not a file of measurements ({_said(error)})") from error
    return [_record(record, name, row) for row, record in enumerate(records, 1)]


def _record(record: Any, name: str, row: int) -> LatencyResult:
    try:
        series = []
        for one in record["series"]:
            seconds, starts = _times(one["seconds"]), _times(one["starts"], zero=True)
            if len(seconds) != len(starts):
                raise ValueError(f"{len(seconds)} times but {len(starts)} starts")
            batch = _whole(one["batch_size"])
            times = {"seconds": pack(seconds), "starts": pack(starts), "batch_size": batch}
            series.append({**one, **times})
        run = {key: value for key, value in record.items() if key != "id"}
        for key in ("threads", "channels", "height", "width"):
            run[key] = _whole(run[key], least=0)
        for key in ("model", "device", "mode", "dtype", "memory_format", "started_at"):
            if not isinstance(run[key], str):
                raise TypeError(f"{key} is no text")
        return result_of(run, series, record["machine"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _wrong(name, row, _said(error)) from error


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:200]


def _times(values: Any, *, zero: bool = False) -> Any:
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError("a time that is no number")
    if (found < 0).any() or (not zero and (found == 0).any()):
        raise ValueError("a time that is not above 0")
    return found


def _parquet(data: bytes, name: str) -> list[LatencyResult]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(io.BytesIO(data)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _wrong(name, 1, f"not a Parquet file ({str(error).splitlines()[0][:100]})") from error
    groups: dict[Any, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        try:
            group = groups.setdefault(
                row["measurement"],
                {
                    **row,
                    "row": number,
                    "series": [],
                    **{key: json.loads(row[key]) for key in ("versions", "request", "machine")},
                },
            )
            group["series"].append({**row, "details": json.loads(row["details"])})
        except (KeyError, TypeError, ValueError) as error:
            raise _wrong(name, number, _said(error)) from error
    return [_record(group, name, group["row"]) for group in groups.values()]


# --- CSV ------------------------------------------------------------------------------------------


def _csv(data: bytes, name: str) -> list[LatencyResult]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(name, 1, "the text is not UTF-8") from error
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        columns = reader.fieldnames or []
        if set(TIMM_NEEDED) <= set(columns):
            return list(_timm(reader, name))
        missing = [column for column in CSV_NEEDED if column not in columns]
        if missing:
            raise _wrong(name, 1, f"the column {missing[0]} is missing")
        return _raw(reader, name)
    except csv.Error as error:
        raise _wrong(name, reader.line_num, error) from error


def _timm(reader: csv.DictReader[str], name: str) -> Iterator[LatencyResult]:
    """One measurement a row: of each only the time of a batch is known, as a single run."""
    for row in reader:
        number = reader.line_num
        try:
            if row.get("note") and not row["infer_step_time"]:
                continue  # what a sweep skipped
            seconds = _number(row, "infer_step_time") / 1e3
            side = _whole(row["infer_img_size"])
            batch = _whole(row["infer_batch_size"])
            if not row["model"]:
                raise ValueError("model is empty")
        except (KeyError, TypeError, ValueError) as error:
            raise _wrong(name, number, _said(error)) from error
        listed = f"timm/{row['model']}"
        yield LatencyResult(
            model=row.get("id") or (listed if listed in CATALOG else row["model"]),
            weights=None,
            series=(LatencySeries(batch, np.array([seconds]), np.zeros(1)),),
            device=row.get("device") or name,
            threads=_whole(row.get("threads") or "0", least=0),
            dtype=row.get("dtype") or "float32",
            memory_format=row.get("memory_format") or "contiguous",
            input_size=(3, side, side),
            versions={"file": name},
            mode=row.get("mode") or "inference_mode",
            started_at=row.get("started_at") or "",
        )


def _raw(reader: csv.DictReader[str], name: str) -> list[LatencyResult]:
    groups: dict[str, tuple[dict[str, str], dict[int, list[tuple[float, float]]]]] = {}
    for row in reader:
        number = reader.line_num
        try:
            about, batches = groups.setdefault(str(row["measurement"]), (row, {}))
            if about["model"] != row["model"] or not row["model"]:
                raise ValueError("the model is not that of the measurement's first row")
            _size(row["input_size"] or "")
            start, seconds = _number(row, "start_s", least=0.0), _number(row, "seconds_per_batch")
            batches.setdefault(_whole(row["batch_size"]), []).append((start, seconds))
            _whole(row.get("threads") or "0", least=0)
        except (KeyError, TypeError, ValueError) as error:
            raise _wrong(name, number, _said(error)) from error
    return [_from_rows(about, batches, name) for about, batches in groups.values()]


def _from_rows(
    about: dict[str, str], batches: dict[int, list[tuple[float, float]]], name: str
) -> LatencyResult:
    series = []
    for batch, runs in batches.items():
        starts, seconds = np.array(runs, np.float64).T
        series.append(LatencySeries(batch, seconds.copy(), starts.copy()))
    weights = about.get("weights") or "untrained"
    return LatencyResult(
        model=about["model"],
        weights=None if weights == "untrained" else weights,
        series=tuple(series),
        device=about["device"],
        threads=int(about.get("threads") or 0),
        dtype=about.get("dtype") or "float32",
        memory_format=about.get("memory_format") or "contiguous",
        input_size=_size(about["input_size"]),
        versions={"file": name},
        mode=about.get("mode") or "inference_mode",
        started_at=about.get("started_at") or "",
    )


def _number(row: dict[str, str], column: str, least: float | None = None) -> float:
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError):
        raise ValueError(f"{column} is “{text}”, no number") from None
    low = value >= least if least is not None else value > 0
    if not (math.isfinite(value) and low):
        raise ValueError(f"{column} is {text}, which no time is")
    return value


def _whole(value: Any, least: int = 1) -> int:
    try:
        found = int(value)
    except (TypeError, ValueError):
        raise ValueError(f"“{value}” is no whole number") from None
    if found < least:
        raise ValueError(f"{found} is below {least}")
    return found


def _size(text: str) -> tuple[int, int, int]:
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 3:
        raise ValueError(f"input_size is “{text}”, not like 3x224x224")
    channels, height, width = map(_whole, parts)
    return channels, height, width
