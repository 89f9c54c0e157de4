"""Who changed what: one row for everything a person did."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from cinegraph_core.storage.cleaning import clean_json
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import AuditRow


def record_action(
    session: Session, *, who: str, what: str, subject: str, before: Mapping[str, Any], after: Mapping[str, Any], now: float
) -> None:
    """Leave a row; it belongs in the transaction of the change itself. ``what`` is like ``review.accept``."""
    row = AuditRow(who=who, what=what, subject=subject, before=clean_json(before), after=clean_json(after), at=utc(now))
    session.add(row)
    session.flush()


def recent_actions(session: Session, *, limit: int = 50) -> list[AuditRow]:
    """Return the latest actions, newest first."""
    newest = (col(AuditRow.at).desc(), col(AuditRow.id).desc())
    return list(session.exec(select(AuditRow).order_by(*newest).limit(limit)))


def current_user() -> str:
    """Return who runs this process, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a user id that no passwd file knows.
        return f"uid {os.getuid()}"
