"""Machines, runs and their series of raw times."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

Key = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "machines",
        Column("id", Key, primary_key=True),
        Column("fingerprint", String(16), nullable=False, unique=True),
        Column("description", JSON, nullable=False),
    )
    op.create_table(
        "runs",
        Column("id", Key, primary_key=True),
        Column("uid", String(64), nullable=False, unique=True),
        Column("machine_id", Key, ForeignKey("machines.id"), nullable=True),
        Column("origin", String(16), nullable=False),
        Column("model", String(200), nullable=False),
        Column("weights", String(200), nullable=True),
        Column("device", String(200), nullable=False),
        Column("mode", String(32), nullable=False),
        Column("dtype", String(32), nullable=False),
        Column("memory_format", String(32), nullable=False),
        Column("threads", Integer, nullable=False),
        Column("channels", Integer, nullable=False),
        Column("height", Integer, nullable=False),
        Column("width", Integer, nullable=False),
        Column("started_at", String(40), nullable=False),
        Column("versions", JSON, nullable=False),
        Column("request", JSON, nullable=True),
    )
    op.create_table(
        "series",
        Column("id", Key, primary_key=True),
        Column("run_id", Key, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
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
    op.create_index("ix_runs_machine_id", "runs", ["machine_id"])
    op.create_index("ix_runs_model", "runs", ["model"])
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index("ix_series_run_id", "series", ["run_id"])


def downgrade() -> None:
    """Removes them with what is in them."""
    op.drop_table("series")
    op.drop_table("runs")
    op.drop_table("machines")
