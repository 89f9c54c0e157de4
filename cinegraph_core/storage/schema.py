"""The schema of a database as it is found: at which revision, whose tables, and whether it can be brought up to date.

Alembic, which brings it there, is dear to import: only :mod:`cinegraph_core.storage.migrating` does so.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from cinegraph_core.storage.tables import Table

SCRIPTS = Path(__file__).parent / "migrations"
_REVISION = table("alembic_version", column("version_num"))
_OTHER_VERSION = "install that version or a newer one, or set CINEGRAPH_DATABASE_URL to another database"
_OTHER_DATABASE = "set CINEGRAPH_DATABASE_URL to another database"


@cache
def revisions() -> tuple[str, ...]:
    """Return the revisions this version of Cinegraph knows, oldest first, off the names of their files."""
    return tuple(sorted(file.stem.partition("_")[0].removeprefix("r") for file in (SCRIPTS / "versions").glob("r*.py")))


def head() -> str:
    """Return the revision this version of Cinegraph needs."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """Return the revision the database is at, ``None`` before the first."""
    if not inspect(connection).has_table(_REVISION.name):
        return None
    return connection.scalar(select(_REVISION.c.version_num))


def is_empty(connection: Connection) -> bool:
    """Return whether there is no table at all, ours or anybody's (Alembic's own aside)."""
    return not set(inspect(connection).get_table_names()) - {_REVISION.name}


def obstacle(connection: Connection) -> str:
    """Return what the database is that no migration can bring to :func:`head`, and what to do; empty if one can."""
    # The tables first: another process may be creating ours, and its revision comes with them.
    theirs = sorted(set(inspect(connection).get_table_names()) & set(Table.metadata.tables))
    found = current(connection)
    if found is not None:
        return "" if found in revisions() else f"was written by another version of Cinegraph (schema {found}): {_OTHER_VERSION}"
    return f"has tables of another program under names of ours ({', '.join(theirs)}): {_OTHER_DATABASE}" if theirs else ""
