"""Words that every process obeys: other limits, cleared caches, reset breakers, and what a provider said of its own quota."""

from __future__ import annotations

from sqlmodel import Session, select

from cinegraph_core.records import Control
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.door_tables import ServiceControlRow


def set_control(session: Session, service: str, name: Control, value: int, *, now: float) -> int | None:
    """Leave a word for a service; returns the value it replaces."""
    row = session.get(ServiceControlRow, (service, name))
    before = None if row is None else row.value
    row = row or ServiceControlRow(service=service, name=name, changed_at=utc(now))
    row.value, row.changed_at = value, utc(now)
    session.add(row)
    session.flush()
    return before


def controls(session: Session) -> dict[tuple[str, str], int]:
    """Return every word by service and name."""
    return {(row.service, row.name): row.value for row in session.exec(select(ServiceControlRow))}
