"""One process's breaker is every process's, within a second and on both databases."""

from __future__ import annotations

import time

import pytest

from cinegraph_core.actions import reset_breaker
from cinegraph_core.contracts import Call
from cinegraph_core.errors import CircuitOpenError
from cinegraph_core.storage.audit import recent_actions
from tests.support.together import NAME, fail, process, state
from tests.support.waiting import within


def test_an_opening_is_followed_by_every_process_until_its_own_probe_is_due(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        fail(one)
        fail(one)
        assert state(one) == "open"
        assert within(1.0, lambda: state(other) == "open")
        with pytest.raises(CircuitOpenError):
            other.services.begin(Call(NAME, "request", "/")).attempt()
        other.clock.advance(other.services.retry_after(NAME))  # type: ignore[attr-defined]
        assert state(other) == "half_open"
        # Opened once, told once: whoever follows does not tell it again as news of its own.
        assert state(one) == "open"


def test_a_reset_by_hand_is_felt_by_every_process_within_a_second_and_stays(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        fail(one)
        fail(one)
        assert within(1.0, lambda: state(other) == "open")
        change = reset_breaker(one.database, NAME, clock=one.clock, who="anna")
        assert (change.before, change.after) == ({"state": "open"}, {"state": "closed"})
        assert within(1.0, lambda: state(one) == state(other) == "closed")
        time.sleep(0.7)
        assert state(one) == state(other) == "closed"
        with one.database.reading() as session:
            assert [(row.who, row.what, row.subject) for row in recent_actions(session)] == [("anna", "breaker.reset", NAME)]
        # A process that starts later is not reset by an old word.
        with process(database_url) as later:
            fail(later)
            fail(later)
            time.sleep(0.7)
            assert state(later) == "open"
