"""The survey of latency: a sweep of ``explorer.sweeps`` on this machine, its points as rows."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from explorer.atlas.folder import SurveyFolder, open_folder
from explorer.atlas.running import Tell, name_of, survey_bar
from explorer.atlas.survey import Survey, columns
from explorer.engine import Engine, get_engine
from explorer.errors import AtlasError
from explorer.i18n import N_
from explorer.latency_results import Machine
from explorer.measurements import MeasurementStore, RowFilter
from explorer.measurements.rows import Row
from explorer.measurements.sweeps import SweepPoint, SweepStore, plan
from explorer.requests import LatencyRequest, SweepRequest
from explorer.sweeps.choosing import select_models
from explorer.tasks import RunSweep

OWNER = "atlas"
LOOK_SECONDS = 0.5
THROWN_AWAY = "The measurement was removed from the store before it was read."

SCHEMA = columns(
    ("model", pa.string()), ("batch_size", pa.int32()), ("mode", pa.string()),
    ("dtype", pa.string()), ("memory_format", pa.string()), ("threads", pa.int32()),
    ("channels", pa.int32()), ("height", pa.int32()), ("width", pa.int32()),
    ("runs", pa.int32()), ("median_seconds", pa.float64()), ("low_seconds", pa.float64()),
    ("high_seconds", pa.float64()), ("mean_seconds", pa.float64()), ("p95_seconds", pa.float64()),
    ("p99_seconds", pa.float64()), ("compile_seconds", pa.float64()), ("peak_bytes", pa.int64()),
    ("joules_per_image", pa.float64()), ("unsteady", pa.string()), ("started_at", pa.string()),
    ("machine", pa.string()), ("device", pa.string()), ("cpu", pa.string()),
    ("system", pa.string()), ("python", pa.string()), ("torch", pa.string()),
    ("driver", pa.string()), ("run_id", pa.int64()), ("seconds", pa.float64()),
)  # fmt: skip


def latency_survey(request: SweepRequest, machine: Machine) -> Survey:
    """The survey of a sweep's points on a machine."""
    items = tuple(
        {"model": model, "batch_size": batch, "mode": mode} for model, batch, mode in plan(request)
    )
    conditions = {**asdict(request.base), "machine": machine.fingerprint}
    for name in ("batch_sizes", "mode"):  # those of the items count
        del conditions[name]
    return Survey("latency", items, conditions, SCHEMA)


def run_latency(options: argparse.Namespace) -> Path:
    """Runs the survey; the file with all rows.

    Raises:
        ExplorerError: It cannot be run as asked.
    """
    base = LatencyRequest(
        dtype=options.dtype, memory_format=options.memory_format, threads=options.threads,
        min_seconds=options.min_seconds, min_runs=options.runs,
    )  # fmt: skip
    request = SweepRequest(select_models(options.models), options.batch, options.mode, base)
    machine = _checked_machine(request)
    survey = latency_survey(request, machine)
    with open_folder(Path(options.out), survey, resume=options.resume) as folder:
        if not folder.missing:
            return folder.merge()
        sweeps = SweepStore(MeasurementStore())
        if "sweep" not in folder.notes:
            folder.note(sweep=sweeps.start(request, machine.fingerprint))
        engine = get_engine()
        try:
            with survey_bar(folder) as tell:
                follow(engine, sweeps, int(folder.notes["sweep"]), folder, tell)
        finally:
            engine.shutdown()
        return folder.merge()


def _checked_machine(request: SweepRequest) -> Machine:
    """This machine, once it is known that what is asked for can be measured on it."""
    from explorer.device import pick_device
    from explorer.latency import check_request
    from explorer.machine import describe_machine
    from explorer.settings import get_settings

    device = pick_device(get_settings().device)
    for mode in request.modes:
        check_request(replace(request.base, batch_sizes=request.batch_sizes, mode=mode), device)
    return describe_machine(device)


def follow(
    engine: Engine,
    sweeps: SweepStore,
    sweep: int,
    folder: SurveyFolder,
    tell: Tell,
) -> None:
    """Has the engine run a sweep, and keeps a row for each point that is closed meanwhile.

    Args:
        engine: Its worker writes into the same store.
        sweeps: The store.
        sweep: Its id there.
        folder: Where the rows go.
        tell: Called with a word on each row.

    Raises:
        ExplorerError: The sweep ended before its time; what was measured is kept.
    """
    _keep(sweeps, sweep, folder, tell)  # closed before a kill, but not yet here
    if not folder.missing:
        return
    job = engine.submit(RunSweep(sweep), OWNER, label=name_of({"model": folder.survey.name}))
    try:
        while not job.status(OWNER).finished:
            time.sleep(LOOK_SECONDS)
            _keep(sweeps, sweep, folder, tell)
        _keep(sweeps, sweep, folder, tell)
        job.result(0)
    finally:
        engine.cancel(job, OWNER)
    if folder.missing:
        raise AtlasError(
            N_("The sweep ended with {count} points open; --resume goes on."),
            count=len(folder.missing),
        )


def _keep(sweeps: SweepStore, sweep: int, folder: SurveyFolder, tell: Tell) -> None:
    """Rows of the points that are closed and not yet in the folder."""
    status = sweeps.status(sweep)
    closed = [p for p in status.points if p.state != "open" and p.position not in folder.done]
    if not closed:
        return
    rows = {row.run_id: row for row in sweeps.store.rows(RowFilter(sweep=sweep))}
    for point in closed:
        folder.append(_row(folder.survey, point, rows))
        tell(name_of(folder.survey.items[point.position]))


def _row(survey: Survey, point: SweepPoint, rows: dict[int, Row]) -> dict[str, Any]:
    if point.reason is not None:
        return survey.failure(point.position, point.reason.text(), seconds=point.seconds)
    row = None if point.run_id is None else rows.get(point.run_id)
    if row is None:
        return survey.failure(point.position, THROWN_AWAY, seconds=point.seconds)
    found = {
        "dtype": row.dtype, "memory_format": row.memory_format, "threads": row.threads,
        "channels": row.input_size[0], "height": row.input_size[1], "width": row.input_size[2],
        "runs": row.runs, "median_seconds": row.median, "low_seconds": row.low,
        "high_seconds": row.high, "mean_seconds": row.mean, "p95_seconds": row.p95,
        "p99_seconds": row.p99, "compile_seconds": row.compile_seconds,
        "peak_bytes": row.peak_bytes, "joules_per_image": row.joules_per_image,
        "unsteady": " ".join(row.unsteady), "started_at": row.started_at, "device": row.device,
        "run_id": row.run_id, "seconds": point.seconds,
    }  # fmt: skip
    if row.machine is not None:
        machine = row.machine
        found |= {
            "machine": machine.fingerprint, "cpu": machine.cpu, "system": machine.system,
            "python": machine.python, "torch": machine.torch, "driver": machine.driver,
        }  # fmt: skip
    return survey.row(point.position, found)
