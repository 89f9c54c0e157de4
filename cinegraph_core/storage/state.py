"""The breakers as the processes on this database last saw them."""

from __future__ import annotations

from sqlmodel import Session, col, select

from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import ServiceStateRow


def record_transition(session: Session, service: str, state: str, *, changed_at: float, retry_at: float | None) -> None:
    """Note that a breaker changed; an older note than the one stored is ignored. Times in seconds since the epoch."""
    row = session.get(ServiceStateRow, service)
    moment = utc(changed_at)
    if row is not None and row.changed_at > moment:
        return
    row = row or ServiceStateRow(service=service, breaker_state=state, changed_at=moment)
    row.breaker_state, row.changed_at = state, moment
    row.retry_at = None if retry_at is None else utc(retry_at)
    session.add(row)
    session.flush()


def service_states(session: Session) -> dict[str, ServiceStateRow]:
    """Return the last known state of every service that ever changed."""
    rows = session.exec(select(ServiceStateRow).order_by(col(ServiceStateRow.service)))
    return {row.service: row for row in rows}
