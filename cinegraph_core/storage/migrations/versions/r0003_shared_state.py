"""What the processes share at the door: counters and leases of calls, words of persons, kept answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT, TIME, BIG = sa.String(), sa.DateTime(timezone=True), sa.BigInteger()
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TALLIES = ("hits", "stale", "joined", "misses", "stored", "evicted")


def upgrade() -> None:
    op.create_table(
        "call_counters",
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("counter", TEXT, nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("window_end", TIME, nullable=False),
        sa.Column("used", BIG, nullable=False),
        sa.Column("reserved", BIG, nullable=False),
        sa.Column("ceiling", BIG, nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "counter", "window_start", name="pk_call_counters"),
    )
    op.create_table(
        "call_leases",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("units", JSON, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_call_leases"),
    )
    op.create_index("ix_call_leases_expires_at", "call_leases", ["expires_at"])
    op.create_table(
        "service_controls",
        sa.Column("service", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("service", "name", name="pk_service_controls"),
    )
    op.create_table(
        "cached_answers",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("absent", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored_at", TIME, nullable=False),
        sa.Column("fresh_until", TIME, nullable=False),
        sa.Column("kept_until", TIME, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cached_answers"),
    )
    for column in ("service", "stored_at", "kept_until"):
        op.create_index(f"ix_cached_answers_{column}", "cached_answers", [column])
    op.create_table(
        "cache_tallies",
        sa.Column("service", TEXT, nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in TALLIES),
        sa.PrimaryKeyConstraint("service", name="pk_cache_tallies"),
    )


def downgrade() -> None:
    for table in ("cache_tallies", "cached_answers", "service_controls", "call_leases", "call_counters"):
        op.drop_table(table)
