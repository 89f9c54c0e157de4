"""Two processes that note the same thing at once, on both databases: the later word stays, and nobody trips over the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlmodel import Session

from cinegraph_core.actions import Change, reset_breaker
from cinegraph_core.resilience.health import Health
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.health import keep_health, last_health
from cinegraph_core.storage.state import LastSeen, last_seen, record_transition
from cinegraph_core.testing import FakeClock
from tests.support.waiting import waits_for_us, within

NOW = 1_700_000_000.0
CLOSED = LastSeen("closed", NOW, None)
OPEN = LastSeen("open", NOW + 1, NOW + 61)
WELL_AGAIN = LastSeen("closed", NOW + 2, None)


def note(session: Session, seen: LastSeen) -> None:
    record_transition(session, "films", seen.state, changed_at=seen.changed_at, retry_at=seen.retry_at)


def look(session: Session, status: str, moment: float) -> None:
    keep_health(session, "films", Health("healthy" if status == "healthy" else "down", status, "probe"), now=moment)


def writing(database: Database, work: Callable[[Session], object]) -> None:
    with database.transaction() as session:
        work(session)


@contextmanager
def before_us(database: Database, theirs: Callable[[], object]) -> Iterator[Session]:
    """Hold a transaction open until what is done in the other process waits for it; both have ended afterwards."""
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            yield session
            second = pool.submit(theirs)
            assert within(5, lambda: waits_for_us(session) or second.done())
        second.result(timeout=10)


def states(database: Database) -> dict[str, LastSeen]:
    with database.reading() as session:
        return last_seen(session)


@pytest.mark.parametrize("known", [False, True], ids=["first", "known"])
@pytest.mark.parametrize(("first", "second"), [(OPEN, WELL_AGAIN), (WELL_AGAIN, OPEN)], ids=["in order", "late"])
def test_of_two_notes_of_a_breaker_at_once_the_later_stays(
    database: Database, other: Database, known: bool, first: LastSeen, second: LastSeen
) -> None:
    if known:
        writing(database, lambda session: note(session, CLOSED))
    with before_us(database, lambda: writing(other, lambda session: note(session, second))) as session:
        note(session, first)
    assert states(database) == {"films": WELL_AGAIN}


@pytest.mark.parametrize("known", [False, True], ids=["first", "known"])
@pytest.mark.parametrize("order", [("down", "healthy"), ("healthy", "down")], ids=["in order", "late"])
def test_of_two_looks_at_a_service_at_once_the_later_stays(
    database: Database, other: Database, known: bool, order: tuple[str, str]
) -> None:
    at = {"down": NOW + 1, "healthy": NOW + 2}
    if known:
        writing(database, lambda session: look(session, "down", NOW))
    with before_us(database, lambda: writing(other, lambda session: look(session, order[1], at[order[1]]))) as session:
        look(session, order[0], at[order[0]])
    with database.reading() as session:
        row = last_health(session)["films"]
    assert (row.status, row.checked_at.timestamp()) == ("healthy", NOW + 2)


def test_a_reset_by_hand_sees_and_replaces_what_another_process_notes_meanwhile(database: Database, other: Database) -> None:
    writing(database, lambda session: note(session, CLOSED))
    changes: list[Change] = []

    def reset() -> None:
        changes.append(reset_breaker(other, "films", clock=FakeClock(NOW + 2), who="anna"))

    with before_us(database, reset) as session:
        note(session, OPEN)
    assert [(change.before, change.after) for change in changes] == [({"state": "open"}, {"state": "closed"})]
    assert states(database) == {"films": WELL_AGAIN}
    with database.reading() as session:
        assert [row.before for row in recent_actions(session)] == [{"state": "open"}]


def test_who_only_reads_waits_for_nobody(database: Database, other: Database) -> None:
    writing(database, lambda session: note(session, CLOSED))
    writing(database, lambda session: look(session, "down", NOW))
    with database.transaction() as session, ThreadPoolExecutor(1) as pool:
        note(session, OPEN)
        look(session, "healthy", NOW + 1)
        assert pool.submit(states, other).result(timeout=10) == {"films": CLOSED}
        with other.reading() as reader:
            assert last_health(reader)["films"].status == "down"
