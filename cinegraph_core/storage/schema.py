"""The schema over time: Alembic, run from the package itself, so that it works from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from cinegraph_core.errors import DatabaseError
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import Table

_SCRIPTS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x7363686D
"""Any fixed number: the key of PostgreSQL's advisory lock for migrations ("schm")."""
_OTHER_VERSION = "install that version or a newer one, or set CINEGRAPH_DATABASE_URL to another database"
_OTHER_DATABASE = "set CINEGRAPH_DATABASE_URL to another database"


def head() -> str:
    """Return the revision this version of Cinegraph needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(connection: Connection) -> str | None:
    """Return the revision the database is at, ``None`` before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def is_empty(connection: Connection) -> bool:
    """Return whether there is no table at all, ours or anybody's (Alembic's own aside)."""
    return not set(inspect(connection).get_table_names()) - {"alembic_version"}


def obstacle(connection: Connection) -> str:
    """Return what the database is that no migration can bring to :func:`head`, and what to do; empty if one can."""
    # The tables first: another process may be creating ours, and its revision comes with them.
    theirs = sorted(set(inspect(connection).get_table_names()) & set(Table.metadata.tables))
    found = current(connection)
    if found is not None:
        return "" if _knows(found) else f"was written by another version of Cinegraph (schema {found}): {_OTHER_VERSION}"
    return f"has tables of another program under names of ours ({', '.join(theirs)}): {_OTHER_DATABASE}" if theirs else ""


def upgrade(connection: Connection) -> None:
    """Bring the schema up to :func:`head`, in the transaction that is open; two processes take turns.

    Raises :class:`DatabaseError` where that cannot be, as :func:`obstacle` tells.
    """
    take_turns(connection, _UPGRADE_LOCK)
    _run(connection, command.upgrade, "head")


def downgrade(connection: Connection, revision: str) -> None:
    """Bring the schema back to ``revision`` (``base``: nothing left), in the transaction that is open.

    Raises :class:`DatabaseError` for a revision nobody knows, and as :func:`upgrade` does.
    """
    take_turns(connection, _UPGRADE_LOCK)
    _run(connection, command.downgrade, revision)


def differences(connection: Connection) -> list[str]:
    """Return, in words, where the tables of the database and those of the code disagree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": Table.metadata})
    return [str(difference) for difference in compare_metadata(context, Table.metadata)]


def _knows(revision: str) -> bool:
    """Return whether this version of Cinegraph has a migration of that name."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, action: Any, revision: str) -> None:
    if problem := obstacle(connection):
        raise DatabaseError(f"this database {problem}")
    try:
        action(_config(connection), revision)
    except CommandError as error:
        raise DatabaseError(f"the schema cannot be brought to {revision!r}: {error}") from error
