"""The health of each service as it was found the last time somebody looked."""

from __future__ import annotations

from sqlmodel import Session, select

from cinegraph_core.resilience.health import Health
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import take_turns
from cinegraph_core.storage.tables import HealthStatusRow

_LOCK = 0x686C7468
"""Any fixed number: the key of PostgreSQL's advisory lock for what looks found ("hlth")."""


def keep_health(session: Session, service: str, health: Health, *, now: float) -> None:
    """Keep what a look found; an older look than the one stored changes nothing (``now``: epoch seconds)."""
    take_turns(session.connection(), _LOCK)
    row = session.get(HealthStatusRow, service)
    moment = utc(now)
    if row is None:
        row = HealthStatusRow(service=service, status="", reason="", basis="", changed_at=moment, checked_at=moment)
    elif row.checked_at > moment:
        return
    if row.status != health.status:
        row.changed_at = moment
    row.status, row.reason, row.basis, row.avg_ms = health.status, health.reason, health.basis, health.avg_ms
    row.checked_at = moment
    session.add(row)
    session.flush()


def last_health(session: Session) -> dict[str, HealthStatusRow]:
    """Return what the latest look at each service found."""
    return {row.service: row for row in session.exec(select(HealthStatusRow))}
