"""The shared count of calls: what is used, what is leased out, and what is left of each limit.

A transaction here holds one lock for all counters, so that a lease over several of them (hour, day, budget) is granted
whole or not at all, and no two processes wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from cinegraph_core.resilience.allowance import Granted, Limit, Mark, Refused
from cinegraph_core.resilience.budget import BUDGETS, mark_passed
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import CallCounterRow, CallLeaseRow

_LOCK = 0x636E7473
"""Any fixed number: the key of PostgreSQL's advisory lock for the counters ("cnts")."""
_SHARE = 8
"""A process leases no more than an eighth of what is left ahead of need, so that little lies idle near the end."""
_KEPT = timedelta(days=400)


def lease_calls(
    session: Session, service: str, limits: Sequence[Limit], *, needed: int, ahead: int, now: float, expires_at: float
) -> Granted | Refused:
    """Reserve at least one call: ``needed`` ones and, where there is plenty, some ``ahead``; times in epoch seconds.

    A refusal lasts until the window ends, or, if only reservations for calls that may turn out cheaper fill the limit, until
    those leases expire.
    """
    take_turns(session.connection(), _LOCK)
    marks = _settle_expired(session, now)
    rows = [_counter(session, limit) for limit in limits]
    room = [(limit.ceiling - row.used - row.reserved) // limit.units for limit, row in zip(limits, rows, strict=True)]
    left = min(room)
    if left < 1:
        short = [(limit, row) for limit, row, calls in zip(limits, rows, room, strict=True) if calls < 1]
        until, counter = max(((_full_until(limit, row, expires_at), limit.counter) for limit, row in short), key=itemgetter(0))
        return Refused(counter, until, marks)
    calls = min(left, max(needed, 1, min(needed + ahead, left // _SHARE)))
    for limit, row in zip(limits, rows, strict=True):
        row.reserved += calls * limit.units
        session.add(row)
    units = [[limit.owner, limit.counter, limit.start, limit.units] for limit in limits]
    lease = CallLeaseRow(key=uuid.uuid4().hex, service=service, calls=calls, units=units, expires_at=utc(expires_at))
    session.add(lease)
    session.flush()
    return Granted(lease.key, calls, marks)


def settle_calls(session: Session, key: str, *, used: int, back: int, more: int = 0) -> list[Mark]:
    """Take note what became of a lease's calls; one that has expired was counted as made already, so nothing changes.

    ``more`` is what the calls used cost beyond what was reserved for them, in micro-dollars (below 0: less).
    """
    take_turns(session.connection(), _LOCK)
    lease = session.get(CallLeaseRow, key)
    if lease is None:
        return []
    return _settle(session, lease, used=used, back=back, more=more)


def current_counters(session: Session, now: float) -> list[CallCounterRow]:
    """Return the counters whose window holds ``now``, by owner and name."""
    moment = utc(now)
    query = select(CallCounterRow).where(col(CallCounterRow.window_start) <= moment, col(CallCounterRow.window_end) > moment)
    return list(session.exec(query.order_by(col(CallCounterRow.owner), col(CallCounterRow.counter))))


def _full_until(limit: Limit, row: CallCounterRow, expires_at: float) -> float:
    """Return when a limit without room may have some: the end of its window, or of the leases that alone fill it."""
    only_reserved = limit.at_most and row.used + limit.units <= limit.ceiling
    return min(limit.end, expires_at) if only_reserved else limit.end


def _settle_expired(session: Session, now: float) -> tuple[Mark, ...]:
    """Count the calls of processes that went silent as made, at their reserved cost: their requests may have left."""
    expired = session.exec(select(CallLeaseRow).where(col(CallLeaseRow.expires_at) <= utc(now))).all()
    return tuple(mark for lease in expired for mark in _settle(session, lease, used=lease.calls, back=0))


def _settle(session: Session, lease: CallLeaseRow, *, used: int, back: int, more: int = 0) -> list[Mark]:
    marks = []
    for owner, counter, start, units in lease.units:
        row = session.get(CallCounterRow, (owner, counter, utc(start)))
        if row is None:
            continue
        row.used += used * units + (more if counter in BUDGETS else 0)
        row.reserved -= (used + back) * units
        if percent := mark_passed(row.used, units, row.ceiling, row.told):
            row.told = percent
            marks.append(Mark(owner, counter, percent, row.used, row.ceiling))
        session.add(row)
    lease.calls -= used + back
    if lease.calls > 0:
        session.add(lease)
    else:
        session.delete(lease)
    session.flush()
    return marks


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
        row.ceiling, row.told = limit.ceiling, min(row.told, mark_passed(row.used, limit.units, limit.ceiling, 0))
    return row


def _forget_old(session: Session, limit: Limit) -> None:
    old: Any = (
        col(CallCounterRow.owner) == limit.owner,
        col(CallCounterRow.counter) == limit.counter,
        col(CallCounterRow.window_end) < utc(limit.start) - _KEPT,
    )
    session.execute(delete(CallCounterRow).where(*old))
