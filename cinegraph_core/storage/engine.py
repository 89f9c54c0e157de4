"""How a database is opened: the pragmas of SQLite, one transaction style for both kinds, errors that say what to do."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlmodel import Session

from cinegraph_core.errors import DatabaseError
from cinegraph_core.settings import mask_password

BUSY_SECONDS = 30
_EXAMPLES = "e.g. sqlite:///cinegraph.db or postgresql+psycopg://user:password@host/name"
_FILMS_LOCK = 0x63696E65
"""Any fixed number: the key of PostgreSQL's advisory lock for editions, films and decisions ("cine")."""


def parse(url: str) -> URL:
    """Return a database URL we support; raises :class:`DatabaseError` naming the setting otherwise."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"CINEGRAPH_DATABASE_URL is not a database URL; {_EXAMPLES}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseError(f"CINEGRAPH_DATABASE_URL names {parsed.get_backend_name()!r}; supported are {_EXAMPLES}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseError(f"CINEGRAPH_DATABASE_URL must name a file: threads do not share one in memory; {_EXAMPLES}")
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def shown(url: URL) -> str:
    """Return a URL for people: the password masked, also one that stands in its query."""
    return mask_password(url.render_as_string(hide_password=True))


def open_engine(url: URL) -> Engine:
    """Return an engine with our pragmas; nothing is connected yet."""
    is_sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = (
        {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}} if is_sqlite else {"pool_pre_ping": True}
    )
    try:
        engine = create_engine(url, **options)
    except (ImportError, NoSuchModuleError) as error:
        raise DatabaseError(
            f"the driver for {shown(url)} is not installed ({error}): in Cinegraph's checkout run: pip install '.[postgres]'"
        ) from error
    if is_sqlite:
        # A batch goes in one statement: SQLite's driver releases the interpreter for each statement, and a busy event loop is
        # slow to give it back.
        engine.dialect.use_insertmanyvalues_wo_returning = True
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late: see _begin_immediate
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    _ensure_wal(cursor)
    cursor.close()


def _ensure_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; the switch does not honour the busy timeout, so two processes on a new file need this patience."""
    deadline = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later could fail half-way otherwise."""
    deferred = connection.get_execution_options().get("cinegraph_read_only", False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")


def take_turns(connection: Connection, key: int) -> None:
    """Let one transaction at a time go on that asks with this key, until it ends; SQLite has only one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def lock_films(session: Session) -> None:
    """Let one writer at a time change editions, films and decisions, until the transaction ends.

    Two crawls that meet the same new film, or the same new award, would otherwise trip over each other.
    """
    take_turns(session.connection(), _FILMS_LOCK)
