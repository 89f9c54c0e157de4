"""``cinegraph db``: the schema of the database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cinegraph_core.cli.output import print_json, say
from cinegraph_core.endings import DONE, FAILED
from cinegraph_core.errors import UsageError
from cinegraph_core.settings import load_settings
from cinegraph_core.storage import Database
from cinegraph_core.storage.contents import count_rows

_JSON = click.option("--json", "as_json", is_flag=True, help='Print {"current", "needed", "problems"}.')


@click.group()
def db() -> None:
    """Prepare and inspect the database that CINEGRAPH_DATABASE_URL names."""


@db.command()
@_JSON
def upgrade(as_json: bool) -> None:
    """Bring the schema up to this version of Cinegraph; doing it twice changes nothing."""
    with _database() as database:
        database.upgrade()
        _tell(database, as_json=as_json)


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask whether what goes with it may be lost; needed without a terminal.")
@_JSON
def downgrade(revision: str, yes: bool, as_json: bool) -> int:
    """Bring the schema back to REVISION ('base': remove every table and all data); says what will be lost and asks."""
    with _database() as database:
        if not (yes or _may_be_lost(database, revision)):
            say("nothing was changed")
            return FAILED
        database.downgrade(revision)
        _tell(database, as_json=as_json)
    return DONE


@db.command()
@_JSON
def current(as_json: bool) -> None:
    """Print the revision the schema is at."""
    with _database() as database:
        _tell(database, as_json=as_json)


@db.command()
@_JSON
def check(as_json: bool) -> int:
    """Tell whether the schema is the one this version of Cinegraph needs; exit code 1 if it is not."""
    with _database() as database:
        problems = database.check()
        _tell(database, problems, as_json=as_json)
    for problem in problems:
        say(problem)
    return FAILED if problems else DONE


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(load_settings().database_url)
    say(f"database: {database.shown_url}")
    try:
        yield database
    finally:
        database.close()


def _may_be_lost(database: Database, revision: str) -> bool:
    """Ask; raises :class:`UsageError` where nobody is there to answer."""
    with database.reading() as session:
        rows = count_rows(session)
    held = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rows.items()) or "no data"
    lost = "all of it" if revision == "base" else "the tables and columns that came after it, with what they hold"
    warning = f"{database.shown_url} holds {held}; going back to {revision!r} removes {lost}"
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{warning}. Add --yes if that is meant")
    return click.confirm(f"{warning}. Go on?", err=True)


def _tell(database: Database, problems: list[str] | None = None, *, as_json: bool) -> None:
    found, needed = database.current(), database.head()
    if as_json:
        print_json({"current": found, "needed": needed, "problems": problems or []})
    else:
        click.echo(f"the schema is at {found or 'base (no tables)'}; this version needs {needed}")
