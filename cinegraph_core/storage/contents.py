"""How much the database holds."""

from __future__ import annotations

from sqlalchemy import func, inspect, select, table
from sqlmodel import Session

from cinegraph_core.storage.tables import Table


def count_rows(session: Session) -> dict[str, int]:
    """Return how many rows each of our tables holds, whatever schema the database is at; empty ones are left out."""
    present = set(inspect(session.connection()).get_table_names())
    names = sorted(present & set(Table.metadata.tables))
    counts = {name: session.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}
    return {name: count for name, count in counts.items() if count}
