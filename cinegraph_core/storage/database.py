"""The database: opened once per process, written in short transactions, never on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session

from cinegraph_core.errors import DatabaseError
from cinegraph_core.records import Mode
from cinegraph_core.storage import schema
from cinegraph_core.storage.engine import open_engine, parse, shown
from cinegraph_core.storage.stamp import WANTED, Stamp, check_stamp, stamp_for, stamped, write_stamp

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """A SQLite file or a PostgreSQL database; nothing is connected before the first use.

    ``transaction`` serves threads, ``run`` serves the event loop: what is handed to it first is written first.
    """

    def __init__(self, url: str) -> None:
        self._url = parse(url)
        self._engine = open_engine(self._url)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cinegraph-writer")
        self._wanted: Stamp | None = None
        self._stamped = False

    @property
    def shown_url(self) -> str:
        """The URL for people: the password masked."""
        return shown(self._url)

    # ------------------------------------------------------------------------------------------------ schema

    def upgrade(self) -> None:
        """Bring the schema up to date; doing it twice changes nothing, two processes take turns."""
        from cinegraph_core.storage import migrating  # noqa: PLC0415 - dear to import, and seldom needed

        with self._connection() as connection:
            migrating.upgrade(connection)

    def downgrade(self, revision: str) -> None:
        """Bring the schema back to ``revision``; ``base`` removes every table and all data."""
        from cinegraph_core.storage import migrating  # noqa: PLC0415 - dear to import, and seldom needed

        with self._connection() as connection:
            migrating.downgrade(connection, revision)

    def current(self) -> str | None:
        """Return the revision the schema is at, ``None`` for an empty database."""
        with self._connection(read_only=True) as connection:
            return schema.current(connection)

    @staticmethod
    def head() -> str:
        """Return the revision this version of Cinegraph needs."""
        return schema.head()

    def check(self) -> list[str]:
        """Return what is wrong with the schema, in words; an empty list means that code and database agree."""
        from cinegraph_core.storage import migrating  # noqa: PLC0415 - dear to import, and seldom needed

        with self._connection(read_only=True) as connection:
            if problem := schema.obstacle(connection):
                return [f"it {problem}"]
            found = schema.current(connection)
            if found != schema.head():
                return [f"the schema is at {found or 'base'}, this version needs {schema.head()}: run `cinegraph db upgrade`"]
            return migrating.differences(connection)

    def prepare(self, mode: Mode | Stamp) -> None:
        """Make ready for work: create the tables of an empty database, refuse one that is old, new, or of another mode.

        Raises :class:`DatabaseError` with the remedy.
        """
        with self._connection(read_only=True) as connection:
            problem, empty, found = schema.obstacle(connection), schema.is_empty(connection), schema.current(connection)
        if problem:
            raise DatabaseError(f"{self.shown_url} {problem}")
        if found is None and empty:
            self.upgrade()
        elif found is None:
            raise DatabaseError(
                f"{self.shown_url} has tables that are not Cinegraph's: set CINEGRAPH_DATABASE_URL to another database, "
                "or add ours beside them with: cinegraph db upgrade"
            )
        elif found != schema.head():
            raise DatabaseError(
                f"{self.shown_url} is at schema {found}, this version needs {schema.head()}: run cinegraph db upgrade"
            )
        self.stamp(mode)

    def stamp(self, mode: Mode | Stamp) -> None:
        """Say which data this process writes; the first write stamps the database with it.

        Raises :class:`DatabaseError` naming CINEGRAPH_MODE and CINEGRAPH_DATABASE_URL if the database is stamped otherwise.
        """
        self._wanted = stamp_for(mode)
        with self.reading() as session:
            found = stamped(session)
        check_stamp(found, self._wanted, self.shown_url)
        self._stamped = found is not None

    # ------------------------------------------------------------------------------------------------ work

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session whose work is committed at the end, or undone if the block raises."""
        info = {WANTED: self._wanted}
        with self._connection() as connection, Session(connection, expire_on_commit=False, info=info) as session:
            wrote = _watch_writes(session)
            yield session
            session.flush()
            stamped_now = wrote() and self._stamp_first_write(session)
            session.commit()
        self._stamped = self._stamped or stamped_now

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads and blocks no writer; whatever it changes is undone."""
        with self._connection(read_only=True) as connection, Session(connection, expire_on_commit=False) as session:
            yield session

    async def run(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work(session, …)`` returns, done in one transaction on the writer thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, lambda: self._work(work, *args, **kwargs))

    def close(self) -> None:
        """Finish what was handed to the writer, then let go of every connection."""
        self._writer.shutdown(wait=True)
        self._engine.dispose()

    # ------------------------------------------------------------------------------------------------ inside

    def _work(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.transaction() as session:
            return work(session, *args, **kwargs)

    @contextmanager
    def _connection(self, *, read_only: bool = False) -> Iterator[Connection]:
        """Open a connection in a transaction; only what fails before it began is told as "cannot be opened"."""
        engine = self._engine.execution_options(cinegraph_read_only=True) if read_only else self._engine
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise DatabaseError(self._unusable("opened", error)) from error
        with connection:
            try:
                transaction = connection.begin()
            except DBAPIError as error:
                raise DatabaseError(self._unusable("used", error)) from error
            with transaction:
                yield connection
                if read_only and transaction.is_active:
                    transaction.rollback()

    def _stamp_first_write(self, session: Session) -> bool:
        if self._stamped or self._wanted is None:
            return False
        if not inspect(session.connection()).has_table("database_stamp"):
            return False
        found = stamped(session) or write_stamp(session, self._wanted, now=time.time())
        check_stamp(found, self._wanted, self.shown_url)
        return True

    def _unusable(self, what: str, error: DBAPIError) -> str:
        told = f"the database {self.shown_url} cannot be {what}: {error.orig}"
        if "not a database" in str(error.orig):
            return f"{told}; it is another program's file or damaged: set CINEGRAPH_DATABASE_URL to another one"
        if self._url.get_backend_name() != "sqlite":
            return f"{told}; see that its server runs and that CINEGRAPH_DATABASE_URL names its host, user and database"
        folder = Path(self._url.database or "").absolute().parent
        return (
            f"{told}; see that {folder} is a folder in which this user may write, and has room, or set CINEGRAPH_DATABASE_URL "
            "to a file elsewhere"
        )


def _watch_writes(session: Session) -> Callable[[], bool]:
    """Return a function that tells whether the session has written anything."""
    seen: list[bool] = []

    def flushed(*_: Any) -> None:
        seen.append(True)

    def executed(state: ORMExecuteState) -> None:
        if not state.is_select:
            seen.append(True)

    event.listen(session, "after_flush", flushed)
    event.listen(session, "do_orm_execute", executed)
    return lambda: bool(seen)
