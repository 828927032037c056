"""Where measurements are kept, found, and thrown away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from explorer.errors import MeasurementError
from explorer.i18n import N_
from explorer.latency_results import LatencyResult, Machine
from explorer.measurements import schema
from explorer.measurements.database import Database
from explorer.measurements.rows import (
    Row,
    RowFilter,
    result_of,
    row_of,
    run_values,
    series_values,
)

_LIGHT = [
    column for column in schema.series.c if column.name not in ("seconds", "starts", "details")
]


class MeasurementStore:
    """Every measurement that was made here, or brought here as a file.

    Nothing is opened before the first call, and no connection stays open after one. All methods
    raise ``MeasurementError`` with one sentence where the database cannot do it.

    Args:
        url: Any SQLAlchemy URL; None for ``EXPLORER_DATABASE_URL``, else an SQLite file in the
            user's data folder.
        timeout: Seconds to wait while another process writes into the same file.
    """

    def __init__(self, url: str | None = None, timeout: float = 10.0) -> None:
        self.database = Database(url, timeout)

    @property
    def name(self) -> str:
        """Of the file or the server, without the password."""
        return self.database.name

    def add(self, result: LatencyResult, origin: str = "measured") -> int:
        """Keeps a measurement; its id. One that is there already is not kept twice."""
        with self.database.writing() as connection:
            return add_run(connection, result, origin)[0]

    def add_all(self, results: Iterable[LatencyResult], origin: str) -> tuple[int, int]:
        """Keeps all or, after an error, none of them.

        Returns:
            (how many are new, how many were there already).
        """
        new = old = 0
        with self.database.writing() as connection:
            for result in results:
                _run_id, fresh = add_run(connection, result, origin)
                new, old = new + fresh, old + (not fresh)
        return new, old

    def rows(self, wanted: RowFilter | None = None, limit: int | None = None) -> tuple[Row, ...]:
        """The measurements that are wanted, newest first, without raw times."""
        query = _rows_query()
        for condition in _conditions(wanted or RowFilter()):
            query = query.where(condition)
        runs, series = schema.runs.c, schema.series.c
        query = query.order_by(runs.started_at.desc(), runs.id.desc(), series.position)
        if limit is not None:
            query = query.limit(limit)
        with self.database.reading() as connection:
            return tuple(row_of(dict(row)) for row in connection.execute(query).mappings())

    def result(self, run_id: int) -> LatencyResult:
        """A measurement with its raw times."""
        runs, series, machines = schema.runs, schema.series, schema.machines
        with self.database.reading() as connection:
            run = connection.execute(sa.select(runs).where(runs.c.id == run_id)).mappings().first()
            if run is None:
                raise MeasurementError(
                    N_("There is no measurement {id} in {name} any more; choose another."),
                    id=run_id,
                    name=self.name,
                )
            found = connection.execute(
                sa.select(series).where(series.c.run_id == run_id).order_by(series.c.position)
            ).mappings()
            machine = connection.execute(
                sa.select(machines.c.description).where(machines.c.id == run["machine_id"])
            ).scalar()
            return result_of(dict(run), [dict(one) for one in found], machine)

    def delete(self, run_ids: Iterable[int]) -> int:
        """Throws measurements away; how many were there. Points of sweeps stay done."""
        ids = list(run_ids)
        with self.database.writing() as connection:
            runs, series, points = schema.runs.c, schema.series.c, schema.points.c
            connection.execute(
                sa.update(schema.points).where(points.run_id.in_(ids)).values(run_id=None)
            )
            connection.execute(sa.delete(schema.series).where(series.run_id.in_(ids)))
            return connection.execute(sa.delete(schema.runs).where(runs.id.in_(ids))).rowcount

    def count(self) -> int:
        """Measurements that are kept."""
        with self.database.reading() as connection:
            query = sa.select(sa.func.count()).select_from(schema.runs)
            return int(connection.execute(query).scalar_one())

    def models(self) -> tuple[str, ...]:
        """Catalog ids with a measurement, in alphabetical order."""
        query = sa.select(schema.runs.c.model).distinct().order_by(schema.runs.c.model)
        with self.database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def machines(self) -> tuple[Machine, ...]:
        """What was measured on, oldest first."""
        query = sa.select(schema.machines.c.description).order_by(schema.machines.c.id)
        with self.database.reading() as connection:
            return tuple(Machine(**found) for found in connection.execute(query).scalars())


def add_run(
    connection: Connection, result: LatencyResult, origin: str = "measured"
) -> tuple[int, bool]:
    """Writes a measurement in the transaction of ``connection``.

    Returns:
        (its id, whether it is new).
    """
    values = run_values(result, origin)
    runs = schema.runs
    known = connection.execute(sa.select(runs.c.id).where(runs.c.uid == values["uid"])).scalar()
    if known is not None:
        return int(known), False
    values["machine_id"] = _machine_id(connection, result.machine)
    run_id = int(
        connection.execute(sa.insert(runs).values(values).returning(runs.c.id)).scalar_one()
    )
    for position, series in enumerate(result.series):
        record = series_values(series) | {"run_id": run_id, "position": position}
        connection.execute(sa.insert(schema.series).values(record))
    return run_id, True


def _machine_id(connection: Connection, machine: Machine | None) -> int | None:
    if machine is None:
        return None
    machines = schema.machines
    query = sa.select(machines.c.id).where(machines.c.fingerprint == machine.fingerprint)
    found = connection.execute(query).scalar()
    if found is not None:
        return int(found)
    values = {"fingerprint": machine.fingerprint, "description": asdict(machine)}
    try:
        # Another process may put the same machine in at the same moment (on a server).
        with connection.begin_nested():
            made = sa.insert(machines).values(values).returning(machines.c.id)
            return int(connection.execute(made).scalar_one())
    except sa.exc.IntegrityError:
        return int(connection.execute(query).scalar_one())


def _rows_query() -> Any:
    runs, series, machines = schema.runs, schema.series, schema.machines
    columns = [column for column in _LIGHT if column.name not in ("id", "run_id", "position")]
    mine = [column for column in runs.c if column.name not in ("id", "uid", "request", "versions")]
    return (
        sa.select(
            runs.c.id.label("run_id"),
            series.c.id.label("series_id"),
            machines.c.description,
            *columns,
            *mine,
        )
        .select_from(runs)
        .join(series, series.c.run_id == runs.c.id)
        .outerjoin(machines, machines.c.id == runs.c.machine_id)
    )


def _conditions(wanted: RowFilter) -> list[Any]:
    runs, series = schema.runs.c, schema.series.c
    pairs = [
        (wanted.model, runs.model),
        (wanted.machine, schema.machines.c.fingerprint),
        (wanted.mode, runs.mode),
        (wanted.dtype, runs.dtype),
        (wanted.memory_format, runs.memory_format),
        (wanted.batch_size, series.batch_size),
        (wanted.threads, runs.threads),
        (wanted.origin, runs.origin),
        (wanted.finished, series.finished),
    ]
    found = [column == value for value, column in pairs if value is not None]
    if wanted.input_size is not None:
        columns = (runs.channels, runs.height, runs.width)
        found += [column == value for column, value in zip(columns, wanted.input_size, strict=True)]
    if wanted.sweep is not None:
        points = schema.points.c
        mine = sa.select(points.run_id).where(points.sweep_id == wanted.sweep)
        found.append(runs.id.in_(mine.where(points.run_id.is_not(None))))
    return found
