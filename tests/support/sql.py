"""Speaking to a database directly, past our own repositories."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text


def ask(database_url: str, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(sql))]
    engine.dispose()
    return rows


def do(database_url: str, *statements: str) -> None:
    """Execute statements in one transaction."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
