"""When a call is refused: by an open breaker, by hand, without its key."""

from __future__ import annotations

import pytest

from cinegraph_core.contracts import BreakerWindow
from cinegraph_core.errors import AuthError, CircuitOpenError, ServerError, ServiceError
from cinegraph_core.services.verdicts import Again
from tests.support.door import NAME
from tests.support.guard import Bench, reply


def test_an_open_breaker_refuses_and_says_when_to_come_back() -> None:
    bench = Bench()
    bench.trip()
    bench.clock.advance(20.0)
    assert bench.fails(CircuitOpenError).retry_after == pytest.approx(40.0)
    assert bench.services.retry_after(NAME) == pytest.approx(40.0)
    assert bench.rows.brief == [(False, "circuit_open", 0)]


def test_the_breaker_is_asked_before_every_attempt() -> None:
    bench = Bench()
    waiting = bench.begin()
    assert waiting.answered(waiting.attempt(), reply(503)) == Again(1.0)
    bench.fails(ServerError, *[reply(500)] * 4)
    with pytest.raises(ServerError) as caught:
        waiting.attempt()
    assert caught.value.retry_after is not None
    assert bench.rows.brief == [(False, "server_error", 4), (False, "server_error", 1)]


def test_a_breaker_that_opens_for_long_ends_the_call_at_once() -> None:
    bench = Bench()
    bench.fails(ServerError, *[reply(500)] * 4)
    error = bench.fails(ServerError, reply(500))
    assert (bench.waits, error.retry_after) == ([], 60.0)


def test_a_breaker_that_opens_for_a_moment_is_waited_out() -> None:
    bench = Bench(breaker_failures=2, breaker_wait=3.0)
    bench.run(reply(500), reply(500), reply())
    assert bench.waits == [1.0, 3.0]
    assert bench.services.breaker_state(NAME) == "half_open"


def test_a_breaker_that_opened_during_the_wait_is_felt() -> None:
    bench = Bench(rate_per_second=1.0)
    ahead, behind = bench.begin(), bench.begin()
    first = ahead.attempt()
    second = behind.attempt()
    assert second.wait == 1.0
    for _ in range(5):
        bench.services.state(NAME).breaker.failure(first.permit, 0.0)
    with pytest.raises(CircuitOpenError):
        behind.leaving(second)
    assert bench.rows.brief == [(False, "circuit_open", 0)]


def test_slow_answers_open_the_breaker() -> None:
    bench = Bench(timeout=8.0, breaker_window=BreakerWindow(minimum=4))
    for _ in range(4):
        guard = bench.begin()
        attempt = guard.attempt()
        bench.clock.advance(5.5)
        guard.answered(attempt, reply())
    assert bench.services.breaker_state(NAME) == "open"


def test_a_wait_for_ones_turn_does_not_make_an_answer_slow() -> None:
    bench = Bench(timeout=8.0, rate_per_second=0.1, breaker_window=BreakerWindow(minimum=1))
    for _ in range(3):
        bench.run(reply())
    assert bench.services.breaker_state(NAME) == "closed"


@pytest.mark.parametrize("window", [BreakerWindow(), BreakerWindow(calls=30)])
def test_a_service_that_fails_four_times_of_five_trips_the_breaker(window: BreakerWindow) -> None:
    bench = Bench(retries=0, breaker_window=window)
    for number in range(20):
        bench.run(reply()) if number % 5 == 4 else bench.fails(ServerError, reply(500))
    assert bench.services.breaker_state(NAME) == "open"


def test_a_breaker_in_shadow_counts_in_the_rows_and_refuses_nobody() -> None:
    bench = Bench(retries=0, breaker_mode="shadow")
    for _ in range(7):
        bench.fails(ServerError, reply(500))
    assert bench.services.breaker_state(NAME) == "open"
    assert [dict(row.metadata) for row in bench.rows.all] == [{}] * 5 + [{"shadowed": 1}] * 2


def test_a_breaker_in_shadow_takes_no_retry_away_and_names_no_wait() -> None:
    bench = Bench(breaker_mode="shadow")
    bench.fails(ServerError, *[reply(500)] * 4)
    bench.run(reply(500), reply(500), reply())
    assert bench.services.breaker_state(NAME) == "open"
    assert bench.waits == [1.0, 2.0]
    assert bench.fails(ServerError, *[reply(500)] * 4).retry_after is None


def test_a_breaker_is_opened_and_reset_by_hand() -> None:
    bench = Bench()
    bench.services.state(NAME).breaker.force_open()
    bench.clock.advance(1e6)
    error = bench.fails(CircuitOpenError)
    assert ("by hand" in str(error), error.retry_after) == (True, None)
    assert bench.services.retry_after(NAME) == float("inf")
    bench.services.state(NAME).breaker.reset(bench.services.clock.monotonic())
    bench.run(reply())


@pytest.mark.parametrize("mode", ["auto", "shadow"])
def test_a_breaker_opened_by_hand_during_a_call_ends_it(mode: str) -> None:
    bench = Bench(breaker_mode=mode)
    guard = bench.begin()
    attempt = guard.attempt()
    bench.services.state(NAME).breaker.force_open()
    with pytest.raises(ServerError) as caught:
        guard.answered(attempt, reply(500))
    assert caught.value.retry_after is None


def test_a_breaker_set_open_refuses_from_the_start() -> None:
    bench = Bench(breaker_mode="open")
    bench.fails(CircuitOpenError)


@pytest.mark.parametrize(
    ("window", "state"),
    [
        (BreakerWindow(seconds=10.0, minimum=4), "closed"),
        (BreakerWindow(seconds=60.0, minimum=4), "open"),
        (BreakerWindow(calls=4, minimum=4), "open"),
        (BreakerWindow(calls=4), "closed"),
    ],
)
def test_the_window_is_of_a_kind_and_size_that_the_service_says(window: BreakerWindow, state: str) -> None:
    bench = Bench(retries=0, breaker_window=window)
    for status in (500, 500, 200, 200):
        bench.clock.advance(11.0)
        bench.run(reply()) if status == 200 else bench.fails(ServerError, reply(status))
    assert bench.services.breaker_state(NAME) == state


def test_without_its_key_a_service_is_not_asked() -> None:
    bench = Bench(needs_key=True)
    assert "CINEGRAPH_SERVICES__FILMS__API_KEY" in str(bench.fails(AuthError))
    assert bench.rows.brief == [(False, "auth_error", 0)]


def test_lesson_22_a_refused_key_is_an_alarm_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(api_key="canary-77")
    for status in (401, 403, 401, 500, 401):
        guard = bench.begin(method="POST")
        attempt = guard.attempt()
        with pytest.raises(ServiceError):
            guard.answered(attempt, reply(status))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "CINEGRAPH_SERVICES__FILMS__API_KEY" in caplog.text
    assert "canary" not in caplog.text
    bench.run(reply())
    bench.run(reply())
    bench.fails(AuthError, reply(401))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "ERROR"]
