"""Each decision keeps the key of the query it answered, and whether the source has changed what it says since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE = "match_decisions"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("query_key", sa.String(), nullable=True))
    op.add_column(TABLE, sa.Column("source_changed", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column(TABLE, "source_changed")
    op.drop_column(TABLE, "query_key")
