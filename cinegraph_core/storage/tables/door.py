"""The tables through which all processes share what the door counts and keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field

from cinegraph_core.storage.columns import UtcDateTime
from cinegraph_core.storage.tables.base import Table, at_column, json_column


def _big(default: int = 0) -> Any:
    return Field(default=default, sa_type=BigInteger)


class CallCounterRow(Table, table=True):
    """One limit within one calendar window: requests, or micro-dollars.

    ``used`` is gone for good, ``reserved`` is leased out; both together never exceed ``ceiling``. ``owner`` is a service, or
    empty for what all services share. ``told`` is the highest percentage already logged.
    """

    __tablename__ = "call_counters"

    owner: str = Field(primary_key=True)
    counter: str = Field(primary_key=True)
    window_start: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    window_end: datetime = at_column()
    used: int = _big()
    reserved: int = _big()
    ceiling: int = _big()
    told: int = 0


class CallLeaseRow(Table, table=True):
    """Calls that a process may make without asking; once expired, they count as made, and ``calls`` is below 0.

    ``units`` names each counter with what one call takes of it: owner, counter, start of the window (epoch seconds), units.
    """

    __tablename__ = "call_leases"

    key: str = Field(primary_key=True)
    service: str
    calls: int
    units: list[list[Any]] = json_column("units", list)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ServiceControlRow(Table, table=True):
    """A word that every process obeys within a second, such as another quota or the clearing of a cache."""

    __tablename__ = "service_controls"

    service: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: int = _big()
    changed_at: datetime = at_column()


class CachedAnswerRow(Table, table=True):
    """An answer kept for later, under the hash of what was asked; ``tags`` has each tag on a line of its own.

    The body comes last: SQLite reads the other columns of a row without it then.
    """

    __tablename__ = "cached_answers"

    key: str = Field(primary_key=True)
    service: str = Field(index=True)
    path: str
    status: int
    headers: dict[str, str] = json_column("headers", dict)
    url: str
    absent: bool
    size: int
    stored_at: datetime = Field(sa_type=UtcDateTime, index=True)
    fresh_until: datetime = at_column()
    kept_until: datetime = Field(sa_type=UtcDateTime, index=True)
    tags: str = ""
    body: bytes = Field(sa_type=LargeBinary)


class CacheTallyRow(Table, table=True):
    """What the cache of a service has done so far, all processes together."""

    __tablename__ = "cache_tallies"

    service: str = Field(primary_key=True)
    hits: int = _big()
    stale: int = _big()
    joined: int = _big()
    misses: int = _big()
    stored: int = _big()
    evicted: int = _big()
    negative: int = _big()
