"""What keeps mock data and truth apart: the stamp of a database, and the refusal to store a fake as truth."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from cinegraph_core.errors import DatabaseError, ProvenanceError
from cinegraph_core.records import Mode, Provenance
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import DatabaseStampRow

Stamp = Literal["mock", "live"]
_FAKES: frozenset[str] = frozenset({"mock", "stale", "fallback"})
WANTED = "cinegraph_stamp"
"""Where a session's ``info`` keeps the stamp that this process writes: the database itself has none before its first write."""


def stamp_for(mode: Mode | Stamp) -> Stamp:
    """Return the stamp that a mode needs."""
    return "mock" if mode == "mock" else "live"


def stamped(session: Session) -> Stamp | None:
    """Return the database's stamp, ``None`` before its first write."""
    row = session.get(DatabaseStampRow, 1)
    if row is None:
        return None
    return "mock" if row.mode == "mock" else "live"


def check_stamp(found: Stamp | None, wanted: Stamp, where: str) -> None:
    """Raise :class:`DatabaseError` if the database is stamped for the other side."""
    if found in (None, wanted):
        return
    raise DatabaseError(
        f"{where} holds {found} data, and this run would write {wanted} data: set CINEGRAPH_MODE to "
        f"{'mock' if found == 'mock' else 'real'}, or CINEGRAPH_DATABASE_URL to another database"
    )


def write_stamp(session: Session, wanted: Stamp, *, now: float) -> Stamp:
    """Stamp a database that has no stamp yet; returns its stamp, which is another one's if that came first."""
    try:
        with session.begin_nested():
            session.add(DatabaseStampRow(mode=wanted, stamped_at=utc(now)))
    except IntegrityError:
        return stamped(session) or wanted
    return wanted


def is_fake(provenance: Provenance, mode: Mode) -> bool:
    """Tell whether a run in this mode may not store such an answer as truth."""
    return provenance in _FAKES and stamp_for(mode) == "live"


def refuse_fakes(session: Session, provenance: Provenance, what: str, *, mode: Mode | None = None) -> None:
    """Raise :class:`ProvenanceError` if a fake would be stored as truth: in a live database, or by a run that is not mock."""
    live = (mode is not None and is_fake(provenance, mode)) or "live" in (session.info.get(WANTED), stamped(session))
    if provenance in _FAKES and live:
        raise ProvenanceError(
            f"{what} has the provenance '{provenance}' and may not be stored as truth; "
            "run it again when the service answers, or use CINEGRAPH_MODE=mock with a database of its own"
        )
