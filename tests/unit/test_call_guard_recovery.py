"""How a service that was broken comes back: probes, then a growing share of the calls."""

from __future__ import annotations

import pytest

from cinegraph_core.errors import AuthError, CircuitOpenError, ServerError
from cinegraph_core.testing import FakeClock
from tests.support.door import NAME
from tests.support.guard import Bench, reply


def test_lesson_21_a_broken_service_comes_back_after_two_good_probes() -> None:
    bench = Bench()
    bench.trip()
    bench.clock.advance(60.0)
    probe = bench.begin()
    attempt = probe.attempt()
    bench.fails(CircuitOpenError)
    probe.answered(attempt, reply())
    assert bench.services.breaker_state(NAME) == "half_open"
    bench.run(reply())
    assert bench.services.breaker_state(NAME) == "ramp"
    for _ in range(15):
        bench.run(reply())
    assert bench.services.breaker_state(NAME) == "closed"
    names = [(old, new) for _, old, new, _ in bench.transitions]
    assert names == [("closed", "open"), ("open", "half_open"), ("half_open", "ramp"), ("ramp", "closed")]
    opened_at = bench.transitions[0][3] or 0.0
    assert opened_at - FakeClock().now() == pytest.approx(67.5), "the time of the next probe, on the wall clock"


def test_an_answer_that_says_nothing_of_health_gives_the_probe_back() -> None:
    bench = Bench()
    bench.trip()
    bench.clock.advance(60.0)
    bench.fails(AuthError, reply(401))
    bench.run(reply())
    assert bench.services.breaker_state(NAME) == "half_open"
    bench.run(reply())
    assert bench.services.breaker_state(NAME) == "ramp"


def test_in_the_ramp_one_caller_waits_for_its_places_and_loses_nothing() -> None:
    bench = Bench()
    bench.trip()
    bench.clock.advance(60.0)
    began = bench.clock.monotonic()
    for _ in range(17):
        bench.run(reply())
    assert bench.services.breaker_state(NAME) == "closed"
    assert bench.clock.monotonic() - began < 10.0
    assert {row.attempts for row in bench.rows.all} == {1}


@pytest.mark.parametrize(("deadline", "places"), [(60.0, [0.0, 0.5, 1.0, 1.5, 2.0]), (1.2, [0.0, 0.5, 1.0])])
def test_in_the_ramp_a_crowd_is_let_through_by_share_and_the_rest_is_refused(deadline: float, places: list[float]) -> None:
    bench = Bench(deadline=deadline)
    for _ in range(5):
        bench.fails(ServerError, reply(500), method="POST")
    bench.clock.advance(60.0)
    bench.run(reply())
    bench.run(reply())
    waits = []
    for _ in range(100):
        try:
            waits.append(bench.begin().attempt().wait)
        except CircuitOpenError as error:
            assert 0.0 < (error.retry_after or 0.0) <= 2.5  # noqa: PT017 - being let through is right too
    assert waits == places, "no place further off than two seconds or the deadline"
