"""The shared count of calls: what is used, what is leased out, and what is left of each limit.

A transaction here holds one lock for all counters, so that a lease over several of them (hour, day, budget) is granted
whole or not at all, and no two processes wait for each other.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from cinegraph_core.resilience.allowance import Granted, Limit, Mark, Refused
from cinegraph_core.resilience.budget import BUDGETS, marks_passed
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import CallCounterRow, CallLeaseRow

_LOCK = 0x636E7473
"""Any fixed number: the key of PostgreSQL's advisory lock for the counters ("cnts")."""
_SHARE = 8
"""A process leases no more than an eighth of what is left ahead of need, so that little lies idle near the end."""
_KEPT = timedelta(days=400)
_LATEST = timedelta(days=1)
"""So long after a lease has expired its process may still say what became of its calls."""


def lease_calls(
    session: Session,
    service: str,
    limits: Sequence[Limit],
    *,
    needed: int,
    ahead: int,
    now: float,
    expires_at: float,
    under_way: int = 0,
) -> Granted | Refused:
    """Reserve at least one call: ``needed`` ones and, where there is plenty, some ``ahead``; times in epoch seconds.

    A refusal lasts until the window ends, or, if only reservations fill the limit, until those leases have expired. Of these,
    ``under_way`` are calls of the process that asks, which will count: no others give room, unless they may turn out cheaper.
    """
    take_turns(session.connection(), _LOCK)
    marks = _count_expired(session, now)
    rows = [_counter(session, limit) for limit in limits]
    room = [(limit.ceiling - row.used - row.reserved) // limit.units for limit, row in zip(limits, rows, strict=True)]
    left = min(room)
    if left < 1:
        short = [(limit, row) for limit, row, calls in zip(limits, rows, room, strict=True) if calls < 1]
        until, _, counter = max(
            (_full_until(limit, row, expires_at, under_way), limit.end, limit.counter) for limit, row in short
        )
        marks += [mark for limit, row in short if row.used for mark in _told(row, _least(limit))]
        return Refused(counter, until, tuple(marks))
    calls = min(left, max(needed, 1, min(needed + ahead, left // _SHARE)))
    for limit, row in zip(limits, rows, strict=True):
        row.reserved += calls * limit.units
        session.add(row)
    units = [[limit.owner, limit.counter, limit.start, limit.units] for limit in limits]
    lease = CallLeaseRow(key=uuid.uuid4().hex, service=service, calls=calls, units=units, expires_at=utc(expires_at))
    session.add(lease)
    session.flush()
    return Granted(lease.key, calls, tuple(marks))


def settle_calls(session: Session, key: str, *, used: int, back: int, more: int = 0) -> list[Mark]:
    """Take note what became of a lease's calls; of one that has expired all were counted as made, which is put right.

    ``more`` is what the calls used cost beyond what was reserved for them, in micro-dollars (below 0: less).
    """
    take_turns(session.connection(), _LOCK)
    lease = session.get(CallLeaseRow, key)
    if lease is None:
        return []
    if lease.calls > 0:
        marks = _count(session, lease, used=used, settled=used + back, more=more)
        lease.calls = max(0, lease.calls - used - back)
    else:
        marks = _count(session, lease, used=-back, settled=0, more=more)
        lease.calls = min(0, lease.calls + used + back)
    if lease.calls:
        session.add(lease)
    else:
        session.delete(lease)
    session.flush()
    return marks


def current_counters(session: Session, now: float) -> list[CallCounterRow]:
    """Return the counters whose window holds ``now``, by owner and name."""
    moment = utc(now)
    query = select(CallCounterRow).where(col(CallCounterRow.window_start) <= moment, col(CallCounterRow.window_end) > moment)
    return list(session.exec(query.order_by(col(CallCounterRow.owner), col(CallCounterRow.counter))))


def overdue_units(session: Session, now: float) -> Counter[tuple[str, str, float]]:
    """Return what is reserved and counts as used, by owner, counter and start of the window: its leases have expired."""
    found = Counter[tuple[str, str, float]]()
    for lease in _expired(session, now):
        for owner, counter, start, units in lease.units:
            found[owner, counter, start] += max(0, lease.calls) * units
    return found


def _full_until(limit: Limit, row: CallCounterRow, expires_at: float, under_way: int) -> float:
    """Return when a limit without room may have some: the end of its window, or of the leases that alone fill it."""
    sure = row.used if limit.at_most else row.used + under_way * limit.units
    return min(limit.end, expires_at) if sure + limit.units <= limit.ceiling else limit.end


def _expired(session: Session, now: float) -> Sequence[CallLeaseRow]:
    return session.exec(select(CallLeaseRow).where(col(CallLeaseRow.expires_at) <= utc(now))).all()


def _count_expired(session: Session, now: float) -> list[Mark]:
    """Count the calls of processes that went silent as made, at their reserved cost: their requests may have left.

    Their leases are kept a day longer, as the opposite number of calls, for a process that comes back.
    """
    marks = []
    for lease in _expired(session, now):
        if lease.calls > 0:
            marks += _count(session, lease, used=lease.calls, settled=lease.calls)
            lease.calls, lease.expires_at = -lease.calls, utc(now) + _LATEST
            session.add(lease)
        else:
            session.delete(lease)
    session.flush()
    return marks


def _count(session: Session, lease: CallLeaseRow, *, used: int, settled: int, more: int = 0) -> list[Mark]:
    """Count so many calls of a lease as used on its limits, and so many as no longer reserved."""
    marks = []
    for owner, counter, start, units in lease.units:
        row = session.get(CallCounterRow, (owner, counter, utc(start)))
        if row is None:
            continue
        row.used += used * units + (more if counter in BUDGETS else 0)
        row.reserved -= settled * units
        marks += _told(row)
        session.add(row)
    return marks


def _told(row: CallCounterRow, least: int = 1) -> list[Mark]:
    """Return the marks that a counter has reached and nobody was told of; from now on somebody was."""
    passed = marks_passed(row.used, row.ceiling, row.told, least=least)
    row.told = max(passed, default=row.told)
    return [Mark(row.owner, row.counter, percent, row.used, row.ceiling) for percent in passed]


def _least(limit: Limit) -> int:
    """Return what another call takes at least: less than its units, where it may turn out cheaper or may be another service's."""
    return 1 if limit.at_most or not limit.owner else limit.units


def _counter(session: Session, limit: Limit) -> CallCounterRow:
    row = session.get(CallCounterRow, (limit.owner, limit.counter, utc(limit.start)))
    if row is None:
        row = CallCounterRow(
            owner=limit.owner, counter=limit.counter, window_start=utc(limit.start), window_end=utc(limit.end), ceiling=0
        )
        _forget_old(session, limit)
    if row.ceiling != limit.ceiling:
        # Only a mark that the new ceiling puts out of reach again is logged again: while workers are restarted one by one
        # with another ceiling, the old and the new one take turns here.
        reached = marks_passed(row.used, limit.ceiling, 0, least=_least(limit))
        row.ceiling, row.told = limit.ceiling, min(row.told, max(reached, default=0))
    return row


def _forget_old(session: Session, limit: Limit) -> None:
    old: Any = (
        col(CallCounterRow.owner) == limit.owner,
        col(CallCounterRow.counter) == limit.counter,
        col(CallCounterRow.window_end) < utc(limit.start) - _KEPT,
    )
    session.execute(delete(CallCounterRow).where(*old))
