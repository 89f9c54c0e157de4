"""What the processes share at the door, one transaction for each step; for threads, never for an event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cinegraph_core.records import Control
from cinegraph_core.resilience.allowance import Granted, Limit, Mark, Refused
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.storage.audit import record_action
from cinegraph_core.storage.cache import add_tallies, find_answer, keep_answers, kept_keys
from cinegraph_core.storage.controls import controls, extend_control, take_control
from cinegraph_core.storage.database import Database
from cinegraph_core.storage.limits import lease_calls, settle_calls
from cinegraph_core.storage.state import LastSeen, last_seen, record_transition


class SharedStore:
    """The shared tables of a database; times in seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(
        self,
        service: str,
        limits: Sequence[Limit],
        *,
        needed: int,
        ahead: int,
        now: float,
        expires_at: float,
        under_way: int = 0,
    ) -> Granted | Refused:
        """Reserve calls, ``needed`` ones and some ``ahead``, in all limits or in none; ``under_way`` are the process's own."""
        with self._database.transaction() as session:
            return lease_calls(
                session,
                service,
                limits,
                needed=needed,
                ahead=ahead,
                now=now,
                expires_at=expires_at,
                under_way=under_way,
            )

    def settle(self, key: str, *, used: int, back: int, more: int = 0) -> list[Mark]:
        """Take note what became of a lease; returns the marks that were passed."""
        with self._database.transaction() as session:
            return settle_calls(session, key, used=used, back=back, more=more)

    def words(self) -> dict[tuple[str, str], int]:
        """Return every word by service and name."""
        with self._database.reading() as session:
            return controls(session)

    def say(self, service: str, name: Control, until: int, *, heard: int, now: float) -> None:
        """Tell every process of a moment, unless they know of a later one or a person took it back since it was ``heard``."""
        with self._database.transaction() as session:
            extend_control(session, service, name, until, heard=heard, now=now)

    def take(self, service: str, name: Control, value: int, *, mine: int, now: float) -> int | None:
        """Change a word that holds a moment, if that has passed or is ``mine``; else return it."""
        with self._database.transaction() as session:
            return take_control(session, service, name, value, mine=mine, now=now)

    def breakers(self) -> dict[str, LastSeen]:
        """Return how each breaker was last seen."""
        with self._database.reading() as session:
            return last_seen(session)

    def report(self, service: str, seen: LastSeen) -> None:
        """Note how a breaker was last seen."""
        with self._database.transaction() as session:
            record_transition(session, service, seen.state, changed_at=seen.changed_at, retry_at=seen.retry_at)

    def find(self, key: str) -> Entry | None:
        """Return the answer kept under a key."""
        with self._database.reading() as session:
            return find_answer(session, key)

    def keys(self, *, since: float, now: float) -> set[str]:
        """Return the keys of what was kept from a moment on."""
        with self._database.reading() as session:
            return kept_keys(session, since=since, now=now)

    def keep(self, entries: Sequence[Entry], *, now: float) -> Mapping[str, int]:
        """Keep answers; returns how many others had to go, by service."""
        with self._database.transaction() as session:
            return keep_answers(session, entries, now=now)

    def tally(self, tallies: Mapping[str, Mapping[str, int]]) -> None:
        """Add to what the caches have done."""
        with self._database.transaction() as session:
            for service in sorted(tallies):
                add_tallies(session, service, tallies[service])

    def note_loss(self, *, since: float, until: float) -> None:
        """Note in the audit that the shared state was away."""
        with self._database.transaction() as session:
            record_action(
                session,
                who="cinegraph",
                what="shared_state.lost",
                subject="the database",
                before={"since": since},
                after={"until": until},
                now=until,
            )
