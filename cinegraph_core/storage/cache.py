"""The cache's database layer: answers that outlive a process and are shared by all, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from cinegraph_core.records.words import cleared_at
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.resilience.moments import is_astray
from cinegraph_core.storage.batches import in_batches
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.controls import controls
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import CachedAnswerRow, CacheTallyRow

_LOCK = 0x63616368
"""Any fixed number: the key of PostgreSQL's advisory lock for what is kept ("cach")."""
MOST_BYTES = 512 << 20
"""Bytes of answers that are kept at most, all services together."""
_LARGEST = 0.25
"""Share of it that one answer may take."""
_SPARE = 0.9
"""When the bound is passed, the oldest go until this share of it is left, so that not every store has to make room."""


def find_answer(session: Session, key: str) -> Entry | None:
    """Return what is kept under a key, however old."""
    row = session.get(CachedAnswerRow, key)
    if row is None:
        return None
    return Entry(
        key=row.key,
        service=row.service,
        path=row.path,
        status=row.status,
        headers=row.headers,
        body=row.body,
        url=row.url,
        absent=row.absent,
        stored_at=row.stored_at.timestamp(),
        fresh_until=row.fresh_until.timestamp(),
        kept_until=row.kept_until.timestamp(),
        tags=tuple(row.tags.splitlines()[1:]),
    )


def kept_keys(session: Session, *, since: float, now: float) -> dict[str, float]:
    """Return the keys of what was kept from a moment on, and when it was, so that nobody asks for what is not there."""
    query = select(CachedAnswerRow.key, CachedAnswerRow.stored_at)
    rows = session.exec(query.where(col(CachedAnswerRow.stored_at) >= utc(since), col(CachedAnswerRow.kept_until) > utc(now)))
    return {key: stored_at.timestamp() for key, stored_at in rows}


def keep_answers(session: Session, entries: Sequence[Entry], *, now: float, most: int = MOST_BYTES) -> Mapping[str, int]:
    """Store answers, each in place of an older one; returns how many were removed to make room, by service.

    An answer that was asked for before the last purge of its service is not stored, as the purge may have meant it; nor is
    one that another process has meanwhile kept a newer one of, or that takes more than a quarter of the room.
    """
    take_turns(session.connection(), _LOCK)
    words = controls(session)
    fit = [entry for entry in entries if entry.size <= most * _LARGEST]
    cleared = {service: cleared_at(words, service) for service in {entry.service for entry in fit}}
    newest = {
        entry.key: entry for entry in fit if entry.since >= cleared[entry.service] or is_astray(cleared[entry.service], now)
    }
    session.execute(delete(CachedAnswerRow).where(col(CachedAnswerRow.kept_until) <= utc(now)))
    for key in sorted(newest):
        entry, known = newest[key], session.get(CachedAnswerRow, key)
        if known is not None and utc(entry.stored_at) < known.stored_at <= utc(now):
            continue
        session.merge(
            CachedAnswerRow(
                key=key,
                service=entry.service,
                path=entry.path,
                status=entry.status,
                headers=dict(entry.headers),
                body=entry.body,
                url=entry.url,
                absent=entry.absent,
                size=entry.size,
                stored_at=utc(entry.stored_at),
                fresh_until=utc(entry.fresh_until),
                kept_until=utc(entry.kept_until),
                tags=_lines(entry.tags),
            )
        )
    session.flush()
    return _make_room(session, most)


def purge_answers(session: Session, service: str, prefix: str = "", tag: str = "") -> int:
    """Forget a service's answers, or those whose path begins so and which have the tag; returns how many."""
    take_turns(session.connection(), _LOCK)
    gone: Any = col(CachedAnswerRow.service) == service
    if prefix:
        gone &= col(CachedAnswerRow.path).startswith(prefix, autoescape=True)
    if tag:
        gone &= col(CachedAnswerRow.tags).contains(_lines([tag]), autoescape=True)
    return int(session.execute(delete(CachedAnswerRow).where(gone)).rowcount)  # type: ignore[attr-defined]


def add_tallies(session: Session, service: str, tally: Mapping[str, int]) -> None:
    """Add to what the cache of a service has done so far."""
    take_turns(session.connection(), _LOCK)
    row = session.get(CacheTallyRow, service) or CacheTallyRow(service=service)
    for name, count in tally.items():
        setattr(row, name, getattr(row, name) + count)
    session.add(row)
    session.flush()


def cache_summary(session: Session, now: float) -> dict[str, dict[str, int]]:
    """Return what is kept for each service, and what its cache has done."""
    kept: Any = select(col(CachedAnswerRow.service), func.count(), func.sum(col(CachedAnswerRow.size)))
    found = {
        service: {"entries": int(entries), "bytes": int(size)}
        for service, entries, size in session.execute(
            kept.where(col(CachedAnswerRow.kept_until) > utc(now)).group_by(col(CachedAnswerRow.service))
        )
    }
    for row in session.exec(select(CacheTallyRow)):
        found.setdefault(row.service, {"entries": 0, "bytes": 0}).update(row.model_dump(exclude={"service"}))
    return found


def _lines(tags: Iterable[str]) -> str:
    """Return tags so that each stands between two ends of line."""
    return "".join(f"\n{tag}" for tag in tags) + "\n"


def _make_room(session: Session, most: int) -> dict[str, int]:
    total = session.execute(select(func.coalesce(func.sum(col(CachedAnswerRow.size)), 0))).scalar_one()
    evicted: dict[str, int] = {}
    if total <= most:
        return evicted
    oldest: Any = select(col(CachedAnswerRow.key), col(CachedAnswerRow.service), col(CachedAnswerRow.size))
    gone = []
    for key, service, size in session.execute(oldest.order_by(col(CachedAnswerRow.stored_at), col(CachedAnswerRow.key))):
        if total <= most * _SPARE:
            break
        gone.append(key)
        total -= size
        evicted[service] = evicted.get(service, 0) + 1
    for keys in in_batches(gone):
        session.execute(delete(CachedAnswerRow).where(col(CachedAnswerRow.key).in_(keys)))
    return evicted
