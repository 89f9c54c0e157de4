"""The wall clock of a machine is set back or forward: breakers, holds and probes keep their times; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from cinegraph_core.actions import clear_cache, reset_breaker, set_quota
from cinegraph_core.application import Application
from cinegraph_core.errors import RateLimitError
from cinegraph_core.resilience.breaker import LONGEST_WAIT
from cinegraph_core.services.probes import ProbeLease
from cinegraph_core.storage import Database
from cinegraph_core.storage.state import last_seen, record_transition, service_states
from cinegraph_core.testing import FakeClock
from tests.support.cached_door import bench_of
from tests.support.clocks import PatientClock, SettableClock
from tests.support.door import shared_state
from tests.support.fault_server import FaultServer, answer
from tests.support.together import NAME, begun, fail, noted, probes_well, process, state, trip
from tests.support.waiting import looked, within

pytestmark = pytest.mark.usefixtures("often", "patient_cache")
HOUR = 3600.0
NOW = 1_700_000_000.0


class _PatientSettableClock(PatientClock, SettableClock):
    """For real HTTP."""


@contextmanager
def machine(database_url: str) -> Iterator[tuple[Application, Application, SettableClock]]:
    """Two processes by one clock."""
    clock = SettableClock()
    with process(database_url, clock) as one, process(database_url, clock) as other:
        yield one, other, clock


def slow_down(application: Application, seconds: float) -> None:
    """Make one call that the service answers with a wish to be left alone."""
    guard, attempt = begun(application)
    with pytest.raises(RateLimitError):
        guard.failed(attempt, RateLimitError("slow down", service=NAME, retry_after=seconds))


@pytest.mark.parametrize("step", [-HOUR, -30.0, HOUR])
def test_an_open_breaker_waits_no_longer_and_no_shorter(database_url: str, step: float) -> None:
    with machine(database_url) as (one, other, clock):
        trip(one)
        assert within(2.0, lambda: state(other) == "open")
        clock.set(step)
        clock.advance(59.0)
        assert looked(one.shared)
        assert looked(other.shared)
        assert [state(each) for each in (one, other)] == ["open", "open"]
        clock.advance(1.0)
        assert [state(each) for each in (one, other)] == ["half_open", "half_open"]
        assert looked(one.shared)
        assert looked(other.shared)
        assert [state(each) for each in (one, other)] == ["half_open", "half_open"]
        assert within(2.0, lambda: probes_well(one))


@pytest.mark.parametrize("step", [-HOUR, -30.0])
def test_a_service_that_dies_after_the_clock_was_set_back_is_left_alone(database_url: str, step: float) -> None:
    with machine(database_url) as (one, other, clock):
        with one.database.transaction() as session:
            record_transition(session, NAME, "closed", changed_at=clock.now(), retry_at=None)
        assert looked(one.shared)
        assert looked(other.shared)
        clock.set(step)
        fail(one)
        fail(one)
        assert looked(one.shared)
        assert state(one) == "open"
        if step == -HOUR:
            assert within(2.0, lambda: state(other) == "open")
            assert other.services.retry_after(NAME) == pytest.approx(60.0, abs=0.01)


def test_a_hold_that_a_process_heard_of_ends_when_it_would_have(database_url: str) -> None:
    with machine(database_url) as (one, other, clock):
        slow_down(one, 30.0)
        assert within(2.0, lambda: other.services.retry_after(NAME) > 0)
        clock.set(-HOUR)
        set_quota(one.database, NAME, daily=100, hourly=None, clock=clock)
        assert within(2.0, lambda: bool(other.services.state(NAME).limits._rules))
        assert other.services.retry_after(NAME) == pytest.approx(30.0, abs=0.01)
        clock.advance(30.0)
        begun(other)


def test_what_a_clock_wrote_that_was_an_hour_ahead_is_not_believed(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with process(database_url, FakeClock(NOW + HOUR)) as ahead:
        slow_down(ahead, 30.0)
        with ahead.database.transaction() as session:
            record_transition(session, NAME, "open", changed_at=NOW + HOUR, retry_at=NOW + HOUR + 60.0)
    with process(database_url, FakeClock(NOW)) as right:
        begun(right)
    assert caplog.text.count("films: what another process noted is dated 3600 s ahead, so it is not believed") == 2


def test_a_probe_lent_by_a_clock_that_was_an_hour_ahead_is_free(database_url: str) -> None:
    for clock in (FakeClock(NOW + HOUR), FakeClock(NOW)):
        with shared_state(database_url, clock) as shared:
            assert looked(shared)
            assert ProbeLease(NAME, 15.0, clock, shared).claim().result(5.0) is None
    with shared_state(database_url, FakeClock(NOW)) as shared:
        assert looked(shared)
        assert ProbeLease(NAME, 15.0, FakeClock(NOW), shared).claim().result(5.0) == pytest.approx(0.5), "it is lent again"


def test_no_wait_is_believed_that_is_longer_than_any_breaker_s(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        with one.database.transaction() as session:
            record_transition(session, NAME, "open", changed_at=one.clock.now(), retry_at=one.clock.now() + 1e6)
        assert within(2.0, lambda: state(other) == "open")
        assert other.services.retry_after(NAME) == LONGEST_WAIT


@pytest.mark.parametrize("ahead", [[50.0, 0.0, 0.0], [0.0, 0.0, 50.0], [HOUR, 0.0, 0.0]])
def test_what_is_kept_is_found_by_clocks_that_are_a_minute_apart_whoever_kept_last(
    database_url: str, server: FaultServer, ahead: list[float]
) -> None:
    server.plan("/film", answer())
    with ExitStack() as stack:
        clocks = [PatientClock(NOW + seconds, patient_from=5.0, patience=10.0) for seconds in ahead]
        by_clocks = [stack.enter_context(shared_state(database_url, clock)) for clock in clocks]
        first, second, other = (bench_of(server.url, shared=one, clock=one.clock) for one in by_clocks)
        assert all(looked(shared) for shared in by_clocks)
        for number, bench in enumerate((first, second)):
            bench.each(partial(bench.get, n=number))
            assert all(looked(shared) for shared in by_clocks)
        other.each(partial(other.get, n=1))
        assert other.rows.provenances == [("cache", 0)]


def test_a_cache_that_was_cleared_keeps_answers_again_although_the_clock_is_set_back(
    database_url: str, server: FaultServer
) -> None:
    server.plan("/film", answer())
    database, clock = Database(database_url), _PatientSettableClock(patient_from=5.0, patience=10.0)
    with shared_state(database_url, clock) as shared:
        bench = bench_of(server.url, shared=shared, clock=clock)
        for _ in range(2):
            bench.each(bench.get)
            clock.advance(1.0)
            clear_cache(database, NAME, clock=clock)
            assert looked(shared)
            clock.set(-HOUR)
            known = server.counts["/film"]
            bench.each(bench.get, bench.get)
            assert server.counts["/film"] == known + 1
            assert looked(shared)
            assert asyncio.run(shared.ask(lambda store: store.keys(since=0.0, now=clock.now())))
    database.close()


def test_a_reset_by_hand_is_noted_whatever_the_clocks_say(database_url: str) -> None:
    with process(database_url) as one:
        trip(one)
        reset_breaker(one.database, NAME, clock=FakeClock(NOW - 30.0))
        assert noted(one) == "closed"
        assert within(2.0, lambda: state(one) == "closed")


def test_a_note_gives_way_to_an_older_one_only_if_its_clock_was_far_ahead(database: Database) -> None:
    with database.transaction() as session:
        record_transition(session, NAME, "closed", changed_at=NOW + 60.0, retry_at=None)
        record_transition(session, NAME, "open", changed_at=NOW, retry_at=NOW + 60.0)
        assert service_states(session)[NAME].breaker_state == "closed"
        record_transition(session, NAME, "open", changed_at=NOW - 0.5, retry_at=NOW + 59.5)
        assert last_seen(session)[NAME].retry_at == NOW + 59.5
