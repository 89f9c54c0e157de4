"""What the processes share at the door, one transaction for each step; for threads, never for an event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from cinegraph_core.resilience.cache import Entry
from cinegraph_core.storage.audit import record_action
from cinegraph_core.storage.cache import add_tallies, find_answer, keep_answers, kept_keys
from cinegraph_core.storage.controls import controls, extend_control, take_control
from cinegraph_core.storage.database import Database
from cinegraph_core.storage.limits import lease_calls, settle_calls
from cinegraph_core.storage.state import LastSeen, last_seen, record_transition

P = ParamSpec("P")
T = TypeVar("T")


def _in_a_transaction(work: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[SharedStore, P], T]:
    """Return a method that does the same in a transaction of its own."""

    @wraps(work)
    def step(self: SharedStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._database.transaction() as session:
            return work(session, *args, **kwargs)

    return step


class SharedStore:
    """The shared tables of a database; times in seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    lease = _in_a_transaction(lease_calls)
    settle = _in_a_transaction(settle_calls)
    say = _in_a_transaction(extend_control)
    take = _in_a_transaction(take_control)
    keep = _in_a_transaction(keep_answers)

    def words(self) -> dict[tuple[str, str], int]:
        """Return every word by service and name."""
        with self._database.reading() as session:
            return controls(session)

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

    def keys(self, *, since: float, now: float) -> dict[str, float]:
        """Return the keys of what was kept from a moment on, and when it was."""
        with self._database.reading() as session:
            return kept_keys(session, since=since, now=now)

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
