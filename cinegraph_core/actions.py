"""Everything that changes state on a person's word; the command line and the page both call these, and each is audited.

The row of the audit is written in the transaction of the change: there is never one without the other.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cinegraph_core.contracts import Clock
from cinegraph_core.storage import Database
from cinegraph_core.storage.review import accept_review, reject_review, show_review


@dataclass(frozen=True, slots=True)
class Change:
    """What an action changed: who did it, and the thing before and after."""

    who: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def accept_match(database: Database, film_id: int, tmdb_id: int, *, clock: Clock, who: str | None = None) -> Change:
    """Decide that a film is this one of TMDb's, whatever the matcher thinks now or later.

    ``who`` is by default the user of this process. Raises :class:`UsageError` if there is no such film.
    """
    who = who or current_user()
    with database.transaction() as session:
        before = show_review(session, film_id)
        return Change(who, before, accept_review(session, film_id, tmdb_id, who=who, now=clock.now()))


def reject_match(database: Database, film_id: int, *, clock: Clock, who: str | None = None) -> Change:
    """Decide that none of the candidates is the film; the matcher does not ask again.

    ``who`` is by default the user of this process. Raises :class:`UsageError` if there is no such film.
    """
    who = who or current_user()
    with database.transaction() as session:
        before = show_review(session, film_id)
        return Change(who, before, reject_review(session, film_id, who=who, now=clock.now()))


def current_user() -> str:
    """Return who runs this process, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that no passwd file knows.
        return f"uid {os.getuid()}"
