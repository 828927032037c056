"""``python -m explorer bench``: a sweep in this process, a progress bar, a file at the end."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from explorer.errors import ExplorerError, MeasurementError
from explorer.i18n import N_, _
from explorer.measurements import MeasurementStore, RowFilter
from explorer.measurements.files import export, timm_table
from explorer.measurements.sweeps import SweepStatus, SweepStore
from explorer.requests import LatencyRequest, ModelRef, SweepRequest
from explorer.sweeps.choosing import select_models
from explorer.sweeps.running import run_sweep

ENDINGS = (".csv", ".json", ".parquet")
INTERRUPTED = 130


def bench(options: argparse.Namespace) -> int:
    """Runs the command; the exit status."""
    try:
        return _bench(options)
    except ExplorerError as error:
        sys.stderr.write(f"{error.text(_)}\n")
        return 1


def _bench(options: argparse.Namespace) -> int:
    out = None if options.out is None else _checked(Path(options.out))
    request = SweepRequest(
        models=select_models(options.models),
        batch_sizes=options.batch,
        modes=options.mode,
        base=LatencyRequest(
            dtype=options.dtype,
            memory_format=options.memory_format,
            threads=options.threads,
            min_seconds=options.seconds,
            min_runs=options.runs,
        ),
    )
    # Torch takes seconds: a wrong name, and a database that cannot be used, are told before it.
    sweeps = SweepStore(MeasurementStore())
    sweeps.store.count()
    from explorer.device import pick_device
    from explorer.latency import check_request
    from explorer.machine import describe_machine
    from explorer.settings import get_settings

    for mode in request.modes:
        check_request(_of(request, mode), pick_device(get_settings().device))
    machine = describe_machine(pick_device(get_settings().device))
    sweep = sweeps.start(request, machine.fingerprint, fresh=options.fresh)
    status = 0
    try:
        _run(sweeps, sweep)
    except KeyboardInterrupt:
        sys.stderr.write(_("Stopped; the same command goes on where this one ended.") + "\n")
        status = INTERRUPTED
    _tell_skipped(sweeps.status(sweep))
    if out is not None:
        _write(out, _content(sweeps, sweep, out, raw=options.raw))
    return status


def _of(request: SweepRequest, mode: str) -> LatencyRequest:
    from dataclasses import replace

    return replace(request.base, batch_sizes=request.batch_sizes, mode=mode)


def _checked(out: Path) -> Path:
    """The file that will be written, before hours are spent."""
    if out.suffix.lower() not in ENDINGS:
        raise MeasurementError(
            N_("“{name}” names no kind of file; let it end in one of {known}."),
            name=out.name,
            known=", ".join(ENDINGS),
        )
    if not out.absolute().parent.is_dir():
        raise MeasurementError(
            N_("The folder {folder} is not there; make it, or name another file."),
            folder=str(out.absolute().parent),
        )
    return out


def _run(sweeps: SweepStore, sweep: int) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from explorer.pool import ModelPool

    pool = ModelPool()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn(_("left")),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(_("Measuring"), total=None)

        def progress(done: float, total: float, status: SweepStatus) -> None:
            now = next((point for point in status.points if point.state == "open"), None)
            what = _("done") if now is None else f"{now.model} · {now.batch_size} · {now.mode}"
            bar.update(task, completed=int(done), total=int(total), description=what)

        run_sweep(sweeps, sweep, lambda model: pool.use(ModelRef(model)), progress)


def _tell_skipped(status: SweepStatus) -> None:
    for point in status.points:
        if point.reason is not None:
            text = point.reason.text(_)
            name = f"{point.model}, {point.batch_size}, {point.mode}"
            sys.stderr.write(_("Skipped: {name}. {reason}").format(name=name, reason=text) + "\n")


def _content(sweeps: SweepStore, sweep: int, out: Path, *, raw: bool) -> bytes:
    """The file, its rows in the order of the plan."""
    status = sweeps.status(sweep)
    ids = [point.run_id for point in status.points if point.run_id is not None]
    kind = out.suffix.lower().removeprefix(".")
    if kind != "csv" or raw:
        return export([sweeps.store.result(run_id) for run_id in ids], kind)
    rows = {row.run_id: row for row in sweeps.store.rows(RowFilter(sweep=sweep))}
    notes = [
        (point.model, point.batch_size, point.mode, point.reason.text())
        for point in status.points
        if point.reason is not None
    ]
    return timm_table([rows[run_id] for run_id in ids if run_id in rows], notes)


def _write(out: Path, content: bytes) -> None:
    """Beside its place first: a file of before is replaced whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=out.absolute().parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(out)
    except OSError as error:
        raise MeasurementError(
            N_("{name} cannot be written ({reason}); the measurements are kept, try another file."),
            name=str(out),
            reason=error.strerror or str(error),
        ) from error
