"""What a row notes beside its end: how often we were told to slow down; and a call that is not to be tried again."""

from __future__ import annotations

from cinegraph_core.contracts import Call
from cinegraph_core.errors import RateLimitError, ServerError, ServiceTimeoutError
from tests.support.door import NAME
from tests.support.guard import Bench, reply


def notes(bench: Bench) -> dict[str, object]:
    return dict(bench.rows.all[-1].metadata)


def test_answers_that_told_us_to_slow_down_are_noted_even_if_the_call_ends_well() -> None:
    bench = Bench()
    bench.run(reply(429), reply(429), reply())
    assert (bench.rows.only.success, notes(bench)) == (True, {"rate_limited": 2})


def test_a_call_that_is_held_back_because_we_were_told_to_slow_down_is_noted() -> None:
    bench = Bench()
    bench.fails(RateLimitError, reply(429, headers={"retry-after": "60"}))
    assert notes(bench) == {"rate_limited": 1}
    bench.fails(RateLimitError)
    assert (bench.rows.all[-1].attempts, notes(bench)) == (0, {"rate_limited": 1})


def test_a_call_without_a_place_in_our_own_rate_is_noted_and_a_passed_deadline_is_not() -> None:
    bench = Bench(rate_per_second=0.05, deadline=10.0)
    bench.run(reply())
    bench.fails(ServiceTimeoutError)
    assert (bench.rows.all[-1].attempts, notes(bench)) == (0, {"rate_limited": 1})

    bench = Bench(deadline=10.0)
    guard = bench.begin()
    guard.attempt()
    bench.clock.advance(11)
    guard.abandon(ServiceTimeoutError("late"))
    assert notes(bench) == {}


def test_other_failures_are_not_noted() -> None:
    bench = Bench()
    bench.run(reply(503), reply())
    assert notes(bench) == {}


def test_a_call_that_is_not_to_be_tried_again_ends_with_its_first_answer() -> None:
    bench = Bench()
    guard = bench.services.begin(Call(NAME, "probe", "/ping", retry=False))
    attempt = guard.attempt()
    try:
        guard.answered(attempt, reply(503))
    except ServerError:
        pass
    else:
        raise AssertionError("it was to be tried again")
    assert (bench.rows.only.attempts, bench.rows.only.error_type) == (1, "server_error")
