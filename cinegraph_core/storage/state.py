"""The breakers as the processes on this database last saw them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from cinegraph_core.resilience.moments import is_astray
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import ServiceStateRow

_LOCK = 0x73746174
"""Any fixed number: the key of PostgreSQL's advisory lock for the notes of breakers ("stat")."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    """A breaker as some process last told of it; times in seconds since the epoch."""

    state: str
    changed_at: float
    retry_at: float | None


def record_transition(
    session: Session, service: str, state: str, *, changed_at: float, retry_at: float | None, by_hand: bool = False
) -> str | None:
    """Note that a breaker changed, and return the state noted before; times in seconds since the epoch.

    A note older than the one stored is ignored, unless that one was dated by a clock far ahead, or a person speaks.
    """
    take_turns(session.connection(), _LOCK)
    row = session.get(ServiceStateRow, service)
    before, moment = None if row is None else row.breaker_state, utc(changed_at)
    if row is not None and not by_hand and _says_more(row, state, moment):
        return before
    row = row or ServiceStateRow(service=service, breaker_state=state, changed_at=moment)
    row.breaker_state, row.changed_at = state, moment
    row.retry_at = None if retry_at is None else utc(retry_at)
    session.add(row)
    session.flush()
    return before


def _says_more(row: ServiceStateRow, state: str, moment: datetime) -> bool:
    """Return whether another process has found out more than a note of this state and moment says."""
    if is_astray(row.changed_at.timestamp(), moment.timestamp()):
        return False
    return row.changed_at > moment or (state == "half_open" and not _is_over(row, moment))


def _is_over(row: ServiceStateRow, moment: datetime) -> bool:
    """Return whether it is the wait noted here that is over; else another process has found out more since."""
    return row.breaker_state == "open" and (row.retry_at is None or row.retry_at <= moment)


def service_states(session: Session) -> dict[str, ServiceStateRow]:
    """Return the last known state of every service that ever changed."""
    rows = session.exec(select(ServiceStateRow).order_by(col(ServiceStateRow.service)))
    return {row.service: row for row in rows}


def last_seen(session: Session) -> dict[str, LastSeen]:
    """Return the same, apart from the session."""
    return {
        name: LastSeen(row.breaker_state, row.changed_at.timestamp(), None if row.retry_at is None else row.retry_at.timestamp())
        for name, row in service_states(session).items()
    }
