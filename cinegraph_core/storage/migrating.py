"""The schema over time: Alembic, run from the package itself, so that it works from any folder."""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection

from cinegraph_core.errors import DatabaseError, UsageError
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.schema import SCRIPTS, obstacle, revisions
from cinegraph_core.storage.tables import Table

_UPGRADE_LOCK = 0x7363686D
"""Any fixed number: the key of PostgreSQL's advisory lock for migrations ("schm")."""


def upgrade(connection: Connection) -> None:
    """Bring the schema up to the newest revision, in the transaction that is open; two processes take turns.

    Raises :class:`DatabaseError` where that cannot be, as :func:`~cinegraph_core.storage.schema.obstacle` tells.
    """
    take_turns(connection, _UPGRADE_LOCK)
    _run(connection, command.upgrade, "head")


def downgrade(connection: Connection, revision: str) -> None:
    """Bring the schema back to ``revision`` (``base``: nothing left), in the transaction that is open.

    Raises :class:`UsageError` for a revision nobody knows, and :class:`DatabaseError` as :func:`upgrade` does.
    """
    take_turns(connection, _UPGRADE_LOCK)
    try:
        _run(connection, command.downgrade, revision)
    except CommandError as error:
        known = ", ".join(["base", *revisions()])
        raise UsageError(f"the schema cannot be brought back to {revision!r} ({error}); there are: {known}") from error


def differences(connection: Connection) -> list[str]:
    """Return, in words, where the tables of the database and those of the code disagree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": Table.metadata})
    return [str(difference) for difference in compare_metadata(context, Table.metadata)]


def script_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration: our migrations, run on this connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, action: Any, revision: str) -> None:
    if problem := obstacle(connection):
        raise DatabaseError(f"this database {problem}")
    action(script_config(connection), revision)
