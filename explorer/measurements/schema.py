"""The tables as they are now; ``migrations/versions`` says how they became so.

Raw times are little-endian float64 in one blob: exact, 8 bytes a run on every database, and read
back without parsing. What is asked for in lists (median, quartiles, interval) stands beside them in
columns, so that a list reads no blob.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

#: SQLite numbers rows by itself only where the key is an INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")

machines = Table(
    "machines",
    metadata,
    Column("id", Key, primary_key=True),
    Column("fingerprint", String(16), nullable=False, unique=True),
    Column("description", JSON, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    # Of the content: the same measurement is never kept twice.
    Column("uid", String(64), nullable=False, unique=True),
    Column("machine_id", Key, ForeignKey("machines.id"), nullable=True, index=True),
    Column("origin", String(16), nullable=False),
    Column("model", String(200), nullable=False, index=True),
    Column("weights", String(200), nullable=True),
    Column("device", String(200), nullable=False),
    Column("mode", String(32), nullable=False),
    Column("dtype", String(32), nullable=False),
    Column("memory_format", String(32), nullable=False),
    Column("threads", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("started_at", String(40), nullable=False, index=True),
    Column("versions", JSON, nullable=False),
    Column("request", JSON, nullable=True),
)

series = Table(
    "series",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run_id", Key, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("median", Float(53), nullable=True),
    Column("q25", Float(53), nullable=True),
    Column("q75", Float(53), nullable=True),
    Column("mean", Float(53), nullable=True),
    Column("p95", Float(53), nullable=True),
    Column("p99", Float(53), nullable=True),
    Column("low", Float(53), nullable=True),
    Column("high", Float(53), nullable=True),
    Column("compile_seconds", Float(53), nullable=False),
    Column("peak_bytes", BigInteger, nullable=True),
    Column("estimate_bytes", BigInteger, nullable=True),
    Column("watts", Float(53), nullable=True),
    Column("joules_per_image", Float(53), nullable=True),
    Column("unsteady", String(100), nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("seconds", LargeBinary, nullable=False),
    Column("starts", LargeBinary, nullable=False),
    Column("details", JSON, nullable=False),
    UniqueConstraint("run_id", "position"),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Key, primary_key=True),
    # Of the request and the machine: an unfinished one of the same is taken up again.
    Column("digest", String(64), nullable=False, index=True),
    Column("request", JSON, nullable=False),
    Column("created_at", String(40), nullable=False),
    # Who runs it: machine, process, when that process began, and when it was last heard of.
    Column("owner", String(200), nullable=False),
    Column("heard_at", Float(53), nullable=False),
)

points = Table(
    "sweep_points",
    metadata,
    Column("id", Key, primary_key=True),
    Column("sweep_id", Key, ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column("mode", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", JSON, nullable=True),
    Column("seconds", Float(53), nullable=True),
    # A run belongs to one point at most: a point is never measured twice.
    Column("run_id", Key, ForeignKey("runs.id", ondelete="SET NULL"), nullable=True, unique=True),
    UniqueConstraint("sweep_id", "position"),
)
