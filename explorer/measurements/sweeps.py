"""Sweeps in the database: the plan, what is done of it, and who is at it.

A point and its measurement are written in one transaction, and only while the point is open: after
a crash a point is either done with its measurement or open without one, never lost or doubled.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from explorer.errors import MeasurementError
from explorer.i18n import N_
from explorer.latency_results import LatencyResult, Note
from explorer.measurements import schema
from explorer.measurements.rows import RowFilter, request_of
from explorer.measurements.store import MeasurementStore, add_run
from explorer.requests import LatencyRequest, SweepRequest

#: Seconds without a word after which the runner on another machine counts as gone.
SILENT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One measurement of a sweep.

    Attributes:
        position: In the plan, from 0.
        model: Catalog id.
        batch_size: Images per pass.
        mode: As in ``LatencyRequest``.
        state: "open", "done" or "skipped".
        reason: Why it was skipped.
        seconds: That the measurement took with everything around it; None while open.
        run_id: Of the measurement; None while open, or when it was thrown away since.
    """

    position: int
    model: str
    batch_size: int
    mode: str
    state: str
    reason: Note | None
    seconds: float | None
    run_id: int | None


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """A sweep as it stands.

    Attributes:
        id: Of the sweep.
        request: What was asked for.
        created_at: UTC, ISO 8601.
        points: In the order of the plan.
    """

    id: int
    request: SweepRequest
    created_at: str
    points: tuple[SweepPoint, ...]

    def count(self, state: str) -> int:
        """Points in a state."""
        return sum(point.state == state for point in self.points)

    @property
    def finished(self) -> bool:
        """Whether no point is open."""
        return self.count("open") == 0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to the end, from the mean of the points done; None before the first."""
        done = [point.seconds for point in self.points if point.state == "done" and point.seconds]
        return sum(done) / len(done) * self.count("open") if done else None


def plan(request: SweepRequest) -> tuple[tuple[str, int, str], ...]:
    """(model, batch size, mode) of every point: a network's points follow each other."""
    return tuple(
        (model, batch, mode)
        for model in dict.fromkeys(request.models)
        for mode in dict.fromkeys(request.modes)
        for batch in dict.fromkeys(request.batch_sizes)
    )


def point_request(request: SweepRequest, point: SweepPoint) -> LatencyRequest:
    """What is measured at a point."""
    return replace(request.base, batch_sizes=(point.batch_size,), mode=point.mode)


class SweepStore:
    """The sweeps of a store.

    Args:
        store: Where measurements are kept.
        now: Seconds since 1970.
    """

    def __init__(self, store: MeasurementStore, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self._now = now

    def start(self, request: SweepRequest, machine: str = "", *, fresh: bool = False) -> int:
        """A new sweep, or the unfinished one of the same request on the same machine; its id.

        Args:
            request: What to measure.
            machine: Fingerprint.
            fresh: True begins anew in any case.
        """
        points = plan(request)
        if not points:
            raise MeasurementError(
                N_("A sweep of {count} measurements has nothing to do; choose models, batches."),
                count=0,
            )
        digest = _digest(request, machine)
        sweeps = schema.sweeps
        with self.store.database.writing() as connection:
            if not fresh and (found := _unfinished(connection, digest)) is not None:
                return found
            values = {
                "digest": digest,
                "request": asdict(request),
                "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "owner": "",
                "heard_at": 0.0,
            }
            made = sa.insert(sweeps).values(values).returning(sweeps.c.id)
            sweep = int(connection.execute(made).scalar_one())
            records = [
                {
                    "sweep_id": sweep,
                    "position": position,
                    "model": model,
                    "batch_size": batch,
                    "mode": mode,
                    "state": "open",
                }
                for position, (model, batch, mode) in enumerate(points)
            ]
            connection.execute(sa.insert(schema.points), records)
        return sweep

    def status(self, sweep: int) -> SweepStatus:
        """How far it is."""
        with self.store.database.reading() as connection:
            found = (
                connection.execute(sa.select(schema.sweeps).where(schema.sweeps.c.id == sweep))
                .mappings()
                .first()
            )
            if found is None:
                raise MeasurementError(
                    N_("There is no sweep {id} in {name}; start one."),
                    id=sweep,
                    name=self.store.name,
                )
            return _status(connection, dict(found))

    def all(self, limit: int = 50) -> tuple[SweepStatus, ...]:
        """The latest sweeps, newest first."""
        query = sa.select(schema.sweeps).order_by(schema.sweeps.c.id.desc()).limit(limit)
        with self.store.database.reading() as connection:
            records = [dict(found) for found in connection.execute(query).mappings()]
            return tuple(_status(connection, record) for record in records)

    def take(self, sweep: int) -> SweepStatus:
        """Makes this process the one that runs the sweep.

        Raises:
            MeasurementError: Another process is at it.
        """
        sweeps = schema.sweeps
        with self.store.database.writing() as connection:
            query = sa.select(sweeps).where(sweeps.c.id == sweep).with_for_update()
            found = connection.execute(query).mappings().first()
            if found is not None and self._is_held(found["owner"], found["heard_at"]):
                raise MeasurementError(
                    N_("Sweep {id} is run by another process just now ({owner}); wait or stop it."),
                    id=sweep,
                    owner=found["owner"],
                )
            connection.execute(
                sa.update(sweeps)
                .where(sweeps.c.id == sweep)
                .values(owner=this_process(), heard_at=self._now())
            )
        return self.status(sweep)

    def release(self, sweep: int) -> None:
        """Nobody runs the sweep any more; harmless where another process does."""
        sweeps = schema.sweeps
        with self.store.database.writing() as connection:
            mine = (sweeps.c.id == sweep) & (sweeps.c.owner == this_process())
            connection.execute(sa.update(sweeps).where(mine).values(owner=""))

    def _is_held(self, owner: str, heard_at: float) -> bool:
        if owner in ("", this_process()):
            return False
        host, pid, began = owner.rsplit("/", 2)
        if host != socket.gethostname():
            return self._now() - heard_at < SILENT_SECONDS
        try:
            return f"{psutil.Process(int(pid)).create_time():.2f}" == began
        except psutil.Error:
            return False

    def heard(self, sweep: int) -> None:
        """Says that this process is still at it."""
        sweeps = schema.sweeps
        with self.store.database.writing() as connection:
            mine = (sweeps.c.id == sweep) & (sweeps.c.owner == this_process())
            connection.execute(sa.update(sweeps).where(mine).values(heard_at=self._now()))

    def done(self, sweep: int, point: SweepPoint, result: LatencyResult, seconds: float) -> bool:
        """Keeps a point's measurement; False where the point was done by somebody else already."""
        with self.store.database.writing() as connection:
            if not self._close(connection, sweep, point, {"state": "done", "seconds": seconds}):
                return False
            run_id, _new = add_run(connection, result)
            points = schema.points
            connection.execute(
                sa.update(points).where(_is_point(sweep, point)).values(run_id=run_id)
            )
            return True

    def skip(self, sweep: int, point: SweepPoint, reason: Note) -> bool:
        """Leaves a point out, with the reason; False where it was no longer open."""
        values = {"state": "skipped", "reason": {**asdict(reason)}}
        with self.store.database.writing() as connection:
            return self._close(connection, sweep, point, values)

    def _close(
        self, connection: Connection, sweep: int, point: SweepPoint, values: dict[str, Any]
    ) -> bool:
        points, sweeps = schema.points, schema.sweeps
        open_one = _is_point(sweep, point) & (points.c.state == "open")
        closed = connection.execute(sa.update(points).where(open_one).values(values)).rowcount == 1
        connection.execute(
            sa.update(sweeps).where(sweeps.c.id == sweep).values(heard_at=self._now())
        )
        return closed

    def rows(self, sweep: int) -> Any:
        """The measurements of a sweep, as ``MeasurementStore.rows``."""
        return self.store.rows(RowFilter(sweep=sweep))


def this_process() -> str:
    """Machine, number and beginning of this process: no other is ever called the same."""
    began = psutil.Process().create_time()
    return f"{socket.gethostname()}/{os.getpid()}/{began:.2f}"


def _digest(request: SweepRequest, machine: str) -> str:
    text = json.dumps([asdict(request), machine], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _unfinished(connection: Connection, digest: str) -> int | None:
    sweeps, points = schema.sweeps, schema.points
    open_ones = sa.select(points.c.sweep_id).where(points.c.state == "open")
    query = (
        sa.select(sweeps.c.id)
        .where((sweeps.c.digest == digest) & sweeps.c.id.in_(open_ones))
        .order_by(sweeps.c.id.desc())
    )
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def _is_point(sweep: int, point: SweepPoint) -> Any:
    points = schema.points.c
    return (points.sweep_id == sweep) & (points.position == point.position)


def _status(connection: Connection, record: dict[str, Any]) -> SweepStatus:
    points = schema.points
    query = sa.select(points).where(points.c.sweep_id == record["id"]).order_by(points.c.position)
    request = record["request"]
    base = request_of(request["base"])
    return SweepStatus(
        id=record["id"],
        request=SweepRequest(
            models=tuple(request["models"]),
            batch_sizes=tuple(request["batch_sizes"]),
            modes=tuple(request["modes"]),
            base=base or LatencyRequest(),
        ),
        created_at=record["created_at"],
        points=tuple(
            SweepPoint(
                position=found["position"],
                model=found["model"],
                batch_size=found["batch_size"],
                mode=found["mode"],
                state=found["state"],
                reason=None if found["reason"] is None else Note(**found["reason"]),
                seconds=found["seconds"],
                run_id=found["run_id"],
            )
            for found in connection.execute(query).mappings()
        ),
    )
