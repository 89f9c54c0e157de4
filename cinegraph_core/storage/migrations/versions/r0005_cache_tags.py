"""Tags of kept answers, by which they can be cleared; and how many questions a kept "not found" has answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tags = sa.Column("tags", sa.String(), nullable=False, server_default="")
    if op.get_bind().dialect.name == "sqlite":
        # Before the body, which it would otherwise have to pass to read the tags.
        with op.batch_alter_table("cached_answers", recreate="always") as answers:
            answers.add_column(tags, insert_before="body")
    else:
        op.add_column("cached_answers", tags)
    op.add_column("cache_tallies", sa.Column("negative", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("cache_tallies") as tallies:
        tallies.drop_column("negative")
    with op.batch_alter_table("cached_answers") as answers:
        answers.drop_column("tags")
