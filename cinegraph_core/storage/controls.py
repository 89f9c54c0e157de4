"""Words that every process obeys: other limits, cleared caches, reset breakers, and what a provider said of its own quota."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from cinegraph_core.records import Control
from cinegraph_core.resilience.moments import APART
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import ServiceControlRow


def set_control(session: Session, service: str, name: Control, value: int, *, now: float) -> int | None:
    """Leave a word for a service; returns the value it replaces."""
    row = session.get(ServiceControlRow, (service, name), with_for_update=True)
    if row is None:
        try:
            with session.begin_nested():
                session.add(ServiceControlRow(service=service, name=name, value=value, changed_at=utc(now)))
        except IntegrityError:
            row = session.get(ServiceControlRow, (service, name), with_for_update=True)
            if row is None:  # nobody said it just now: it cannot be written
                raise
        else:
            return None
    before, row.value, row.changed_at = row.value, value, utc(now)
    session.flush()
    return before


def take_control(session: Session, service: str, name: Control, value: int, *, mine: int, now: float) -> int | None:
    """Change a word that holds a moment (ms), if that has passed or is ``mine``; else return it."""
    held = col(ServiceControlRow.value)
    return _set_if(session, service, name, value, (held <= int(now * 1000)) | (held == mine), now=now)


def extend_control(session: Session, service: str, name: Control, until: int, *, heard: int, now: float) -> None:
    """Put a word that holds a moment (ms) to another one, unless that is the earlier of the two.

    Nor is it changed where a person took it back (0 or less) since it was ``heard``.
    """
    held = col(ServiceControlRow.value)
    _set_if(session, service, name, until, (held < until) & ((held > 0) | (held == heard)), now=now)


def _set_if(session: Session, service: str, name: Control, value: int, free: Any, *, now: float) -> int | None:
    """Change a word if that is ``free`` as it stands, or else return it: compare-and-set.

    A word is free, too, that was said by a clock far ahead of ``now``: somebody has put it right, so its moment means nothing.
    """
    key: Any = (col(ServiceControlRow.service) == service) & (col(ServiceControlRow.name) == name)
    free |= col(ServiceControlRow.changed_at) > utc(now + APART)
    for is_last in (False, True):
        taken = session.execute(update(ServiceControlRow).where(key & free).values(value=value, changed_at=utc(now)))
        if taken.rowcount:  # type: ignore[attr-defined]
            return None
        held = session.execute(select(ServiceControlRow.value).where(key)).scalar_one_or_none()
        if held is not None:
            return int(held)
        try:
            with session.begin_nested():
                session.add(ServiceControlRow(service=service, name=name, changed_at=utc(now)))
        except IntegrityError:  # somebody said it just now, or it cannot be written
            if is_last:
                raise
    return None


def controls(session: Session) -> dict[tuple[str, str], int]:
    """Return every word by service and name; beside ``held_until`` stands ``held_since``, when it was said (ms)."""
    words: dict[tuple[str, str], int] = {}
    for row in session.exec(select(ServiceControlRow)):
        words[row.service, row.name] = row.value
        if row.name == "held_until":
            words[row.service, "held_since"] = int(row.changed_at.timestamp() * 1000)
    return words
