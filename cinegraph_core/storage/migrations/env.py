"""Run migrations on the connection of the caller, inside its transaction; called by Alembic only."""

from __future__ import annotations

from alembic import context

from cinegraph_core.storage.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
