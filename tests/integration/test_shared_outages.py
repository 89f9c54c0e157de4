"""The database is away, or takes nothing: what can be read is obeyed, what was to be said is said later; on both databases."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text

from cinegraph_core.actions import reset_breaker, reset_quota
from cinegraph_core.application import Application
from cinegraph_core.errors import CircuitOpenError, QuotaExceededError
from cinegraph_core.services.shared import SharedState
from cinegraph_core.storage import Database
from cinegraph_core.storage.audit import recent_actions
from cinegraph_core.storage.controls import controls, set_control
from cinegraph_core.storage.shared_store import SharedStore
from cinegraph_core.storage.tables import ServiceControlRow
from tests.support.together import NAME, begun, fail, noted, process, state
from tests.support.waiting import busy, looked, within

pytestmark = pytest.mark.usefixtures("often")


@pytest.fixture
def both(database_url: str) -> Iterator[tuple[Application, Application]]:
    """Two processes."""
    with process(database_url) as one, process(database_url) as other:
        yield one, other


@contextmanager
def without(database: Database, *tables: str) -> Iterator[None]:
    """Let these tables be away meanwhile."""
    with ExitStack() as stack:
        for table in tables:
            with database.transaction() as session:
                session.execute(text(f"ALTER TABLE {table} RENAME TO away_{table}"))
            stack.callback(_bring_back, database, table)
        yield


def _bring_back(database: Database, table: str) -> None:
    with database.transaction() as session:
        session.execute(text(f"ALTER TABLE away_{table} RENAME TO {table}"))


def losses(application: Application) -> int:
    """How many losses of the shared state the audit knows."""
    with application.database.reading() as session:
        return sum(row.what == "shared_state.lost" for row in recent_actions(session))


def lose(shared: SharedState) -> None:
    """Let one question fail as it does while the database is away."""

    def ask(store: SharedStore) -> None:
        raise OSError("the server is gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(shared.ask(ask))


def test_what_can_be_read_is_obeyed_while_nothing_can_be_written(both: tuple[Application, Application]) -> None:
    one, _ = both
    with without(one.database, "audit_log"):
        lose(one.shared)
        assert asyncio.run(one.shared.ask(lambda store: store.words())) == {}
        with one.database.transaction() as session:
            set_control(session, NAME, "breaker_opened", 1, now=one.clock.now())
        assert looked(one.shared)
        with pytest.raises(CircuitOpenError, match="by hand"):
            begun(one)
    assert within(10.0, lambda: losses(one) == 1)
    assert looked(one.shared)
    assert losses(one) == 1


def test_an_outage_of_one_table_is_told_once(both: tuple[Application, Application], caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[int]:
        return [record.levelno for record in caplog.records if "shared state" in record.message]

    one, other = both
    other.close()
    with without(one.database, "service_state"):
        assert looked(one.shared)
        assert losses(one) == 0
    assert within(2.0, lambda: told() == [logging.ERROR, logging.WARNING])
    assert losses(one) == 1


def test_what_a_service_asks_for_while_the_database_is_away_is_told_when_it_is_back(
    both: tuple[Application, Application],
) -> None:
    one, other = both

    def held_until() -> float:
        with one.database.reading() as session:
            return controls(session).get((NAME, "held_until"), 0) / 1000

    with without(one.database, "service_controls"):
        one.services.state(NAME).hold(one.clock.monotonic() + 600.0)
        one.services.state(NAME).limits.provider_spent(one.clock.now() + 6000.0)
        assert looked(one.shared)
    assert within(2.0, lambda: other.services.retry_after(NAME) == pytest.approx(6000.0, abs=0.01))
    assert within(2.0, lambda: held_until() == pytest.approx(one.clock.now() + 600.0, abs=0.01))


def test_a_breaker_that_opens_while_the_database_is_away_is_followed_when_it_is_back(
    both: tuple[Application, Application],
) -> None:
    one, other = both
    with without(one.database, "service_state"):
        fail(one)
        fail(one)
        assert looked(one.shared)
        assert (state(one), state(other)) == ("open", "closed")
    assert within(2.0, lambda: state(other) == "open")
    assert noted(one) == "open"
    assert other.services.retry_after(NAME) == pytest.approx(60.0, abs=0.01)


def test_a_shorter_wish_does_not_replace_a_longer_one(both: tuple[Application, Application], database_url: str) -> None:
    one, other = both
    with busy(other.shared, has_begun=True):
        one.services.state(NAME).hold(one.clock.monotonic() + 600.0)
        one.services.state(NAME).limits.provider_spent(one.clock.now() + 9000.0)
        assert looked(one.shared)
        other.services.state(NAME).hold(other.clock.monotonic() + 12.0)
        other.services.state(NAME).limits.provider_spent(other.clock.now() + 7000.0)
    assert within(2.0, lambda: other.services.retry_after(NAME) == pytest.approx(9000.0, abs=0.01))
    with process(database_url) as later:
        assert later.services.state(NAME).held(later.clock.monotonic()) == pytest.approx(600.0, abs=0.01)
        with pytest.raises(QuotaExceededError):
            later.services.state(NAME).limits.take(later.clock.now())


def test_what_a_person_takes_back_is_not_said_afterwards(both: tuple[Application, Application]) -> None:
    one, other = both
    with busy(one.shared, has_begun=True):
        one.services.state(NAME).hold(one.clock.monotonic() + 600.0)
        one.services.state(NAME).limits.provider_spent(one.clock.now() + 6000.0)
        reset_breaker(other.database, NAME, clock=other.clock)
        reset_quota(other.database, NAME, clock=other.clock)
    for each in both:
        assert looked(each.shared)
    assert [each.services.retry_after(NAME) for each in both] == [0.0, 0.0]
    with one.database.reading() as session:
        assert session.get(ServiceControlRow, (NAME, "held_until")) is None
