"""Sweeps and their points."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
)

revision = "0002"
down_revision = "0001"

Key = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "sweeps",
        Column("id", Key, primary_key=True),
        Column("digest", String(64), nullable=False),
        Column("request", JSON, nullable=False),
        Column("created_at", String(40), nullable=False),
        Column("owner", String(200), nullable=False),
        Column("heard_at", Float(53), nullable=False),
    )
    op.create_table(
        "sweep_points",
        Column("id", Key, primary_key=True),
        Column("sweep_id", Key, ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False),
        Column("position", Integer, nullable=False),
        Column("model", String(200), nullable=False),
        Column("batch_size", Integer, nullable=False),
        Column("mode", String(32), nullable=False),
        Column("state", String(16), nullable=False),
        Column("reason", JSON, nullable=True),
        Column("seconds", Float(53), nullable=True),
        Column(
            "run_id", Key, ForeignKey("runs.id", ondelete="SET NULL"), nullable=True, unique=True
        ),
        UniqueConstraint("sweep_id", "position"),
    )
    op.create_index("ix_sweeps_digest", "sweeps", ["digest"])


def downgrade() -> None:
    """Removes them with what is in them."""
    op.drop_table("sweep_points")
    op.drop_table("sweeps")
