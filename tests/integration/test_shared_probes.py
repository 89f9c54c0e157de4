"""Of all processes on a database one probes a sick service, and what it asks of one is kept by all; on both databases."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from sqlalchemy import text

from cinegraph_core.errors import CircuitOpenError, RateLimitError, ServerError
from cinegraph_core.storage.controls import controls
from cinegraph_core.storage.state import record_transition, service_states
from tests.support.together import NAME, begun, later, probe, probes_well, process, sick, state
from tests.support.waiting import within


def test_lesson_21_while_one_process_probes_no_other_does(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        sick(one, other)
        guard, attempt = probe(one)
        with pytest.raises(CircuitOpenError) as caught:
            probe(other)
        assert caught.value.retry_after == pytest.approx(0.5), "soon: the probe may end any moment"
        with pytest.raises(CircuitOpenError):
            begun(other)
        guard.returned(attempt)
        later(0.5, one, other)

        assert within(1.0, lambda: probes_well(other)), "the place is free again"
        assert within(1.0, lambda: probes_well(one))
        assert state(one) == "ramp", "two good probes of its own"
        assert within(1.0, lambda: state(other) == "ramp")


def test_a_probe_that_failed_keeps_all_processes_away_for_the_longer_wait(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        sick(one, other)
        guard, attempt = probe(one)
        with pytest.raises(ServerError):
            guard.failed(attempt, ServerError("HTTP 500", service=NAME))
        assert within(1.0, lambda: state(other) == "open")
        assert other.services.retry_after(NAME) == pytest.approx(one.services.retry_after(NAME), abs=0.01)
        assert other.services.retry_after(NAME) > 100.0


def test_the_lease_of_a_process_that_was_killed_expires(database_url: str) -> None:
    with process(database_url) as killed, process(database_url) as other:
        sick(killed, other)
        probe(killed)
        later(14.9, other)
        with pytest.raises(CircuitOpenError):
            probe(other)
        later(0.6, other)
        probe(other)


def test_without_a_word_from_the_others_a_process_decides_alone(database_url: str) -> None:
    with process(database_url) as one:
        sick(one)
        with one.database.transaction() as session:
            session.execute(text("ALTER TABLE service_controls RENAME TO elsewhere"))
        guard, attempt = probe(one)
        guard.returned(attempt)
        with one.database.transaction() as session:
            session.execute(text("ALTER TABLE elsewhere RENAME TO service_controls"))


def test_a_breaker_that_refuses_nobody_asks_nobody(database_url: str) -> None:
    with process(database_url, breaker_mode="shadow") as one, process(database_url, breaker_mode="shadow") as other:
        sick(one, other)
        probe(one)
        probe(other)


def test_what_the_service_asked_of_one_process_is_kept_by_all_and_by_those_to_come(database_url: str) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(process(database_url)) for _ in range(2))
        guard, attempt = begun(one)
        with pytest.raises(RateLimitError):
            guard.failed(attempt, RateLimitError("slow down", service=NAME, retry_after=120.0))
        assert within(1.0, lambda: other.services.retry_after(NAME) > 0.0)
        assert other.services.retry_after(NAME) == pytest.approx(120.0, abs=0.01)
        third = stack.enter_context(process(database_url))
        with pytest.raises(RateLimitError, match="asked to be left alone for 120 more seconds"):
            begun(third)
        later(120.0, one, other, third)
        for each in (one, other, third):
            begun(each)


def test_a_moment_s_hold_is_nobody_else_s_business(database_url: str) -> None:
    with process(database_url) as one:
        one.services.state(NAME).hold(one.clock.monotonic() + 0.9)
        one.services.state(NAME).hold(one.clock.monotonic() + 0.5)
        one.shared.close()
        with one.database.reading() as session:
            assert (NAME, "held_until") not in controls(session)


def test_that_a_wait_is_over_is_no_news_where_another_process_knows_more(database_url: str) -> None:
    with process(database_url) as one, one.database.transaction() as session:
        record_transition(session, NAME, "open", changed_at=100.0, retry_at=160.0)
        record_transition(session, NAME, "half_open", changed_at=120.0, retry_at=None)
        assert service_states(session)[NAME].breaker_state == "open", "it has opened anew since"
        record_transition(session, NAME, "half_open", changed_at=160.0, retry_at=None)
        assert service_states(session)[NAME].breaker_state == "half_open"
        record_transition(session, NAME, "ramp", changed_at=161.0, retry_at=None)
        record_transition(session, NAME, "half_open", changed_at=162.0, retry_at=None)
        assert service_states(session)[NAME].breaker_state == "ramp", "its probes were good"
