"""The database alone, for commands that only look things up: they need neither plugins nor services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cinegraph_core.settings import Settings
from cinegraph_core.storage import Database


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Open the database and make it ready; raises :class:`DatabaseError` naming what to change."""
    database = Database(settings.database_url)
    try:
        database.prepare(settings.mode)
        yield database
    finally:
        database.close()
