"""``cinegraph db``: the schema of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from cinegraph_core.cli.output import DONE, FAILED, say
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database


@click.group()
def db() -> None:
    """Prepare and inspect the database that CINEGRAPH_DATABASE_URL names."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to this version of Cinegraph; doing it twice changes nothing."""
    with _database() as database:
        database.upgrade()
        click.echo(f"the schema is at {database.current()}")


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Bring the schema back to REVISION ('base': remove every table and all data)."""
    with _database() as database:
        database.downgrade(revision)
        click.echo(f"the schema is at {database.current() or 'base (no tables)'}")


@db.command()
def current() -> None:
    """Print the revision the schema is at."""
    with _database() as database:
        click.echo(database.current() or "base (no tables)")


@db.command()
def check() -> int:
    """Tell whether the schema is the one this version of Cinegraph needs."""
    with _database() as database:
        problems = database.check()
        if not problems:
            click.echo(f"the schema is at {database.current()}, as it should be")
            return DONE
        for problem in problems:
            say(problem)
        return FAILED


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(load_settings().database_url)
    say(f"database: {database.shown_url}")
    try:
        yield database
    finally:
        database.close()
