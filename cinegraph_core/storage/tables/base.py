"""What every table is built on: one metadata, and the columns that recur."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Column, MetaData
from sqlmodel import Field, SQLModel

from cinegraph_core.storage.columns import Json, UtcDateTime

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of every table; one metadata, so that names of constraints agree on all databases."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)


def key_column() -> Any:
    """Return the field of a primary key that the database counts up."""
    return Field(default=None, primary_key=True)


def json_column(name: str, default: Any) -> Any:
    """Return the field of a JSON column that is never null."""
    return Field(default_factory=default, sa_column=Column(name, Json, nullable=False))


def at_column(*, optional: bool = False) -> Any:
    """Return the field of a column that holds a time."""
    return Field(default=None, sa_type=UtcDateTime, nullable=True) if optional else Field(sa_type=UtcDateTime)
