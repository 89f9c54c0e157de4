"""What is tried again, how often, and after how long."""

from __future__ import annotations

from typing import Any

import pytest

from cinegraph_core.contracts import BreakerWindow
from cinegraph_core.errors import AuthError, ClientError, NotFoundError, RateLimitError, ServerError, ServiceError
from cinegraph_core.services.verdicts import Again
from tests.support.door import NAME
from tests.support.guard import Bench, reply


@pytest.mark.parametrize(("status", "kind"), [(400, ClientError), (401, AuthError), (403, AuthError), (422, ClientError)])
def test_lesson_22_permanent_errors_take_one_attempt_and_leave_the_breaker_alone(status: int, kind: type[ServiceError]) -> None:
    bench = Bench()
    for _ in range(6):
        bench.fails(kind, reply(status))
    assert bench.services.breaker_state(NAME) == "closed"
    assert {row.attempts for row in bench.rows.all} == {1}


@pytest.mark.parametrize("status", [429, 401, 404])
def test_lesson_22_they_do_not_end_a_row_of_failures_wrongly(status: int) -> None:
    bench = Bench(retries=0)
    for _ in range(4):
        bench.fails(ServerError, reply(500))
    bench.fails({429: RateLimitError, 401: AuthError, 404: NotFoundError}[status], reply(status))
    bench.fails(ServerError, reply(500))
    assert bench.services.breaker_state(NAME) == ("closed" if status == 404 else "open"), "only a 404 is a proper answer"


@pytest.mark.parametrize("outcome", [reply(500), reply(502), TimeoutError(), ConnectionResetError()])
def test_failures_of_the_service_are_tried_four_times_and_trip_the_breaker(outcome: Any) -> None:
    bench = Bench()
    with pytest.raises(ServiceError):
        bench.run(*[outcome] * 4)
    assert bench.waits == [1.0, 2.0, 4.0]
    with pytest.raises(ServiceError):
        bench.run(outcome)
    assert bench.services.breaker_state(NAME) == "open"
    assert [row.attempts for row in bench.rows.all] == [4, 1]


def test_lesson_24_the_number_of_attempts_is_what_is_set() -> None:
    bench = Bench(retries=1)
    bench.fails(ServerError, *[reply(500)] * 2)
    assert bench.rows.brief == [(False, "server_error", 2)]


def test_only_what_can_be_repeated_is_repeated() -> None:
    bench = Bench()
    bench.fails(ServerError, reply(500), method="POST")
    bench.run(reply(500), reply(), method="HEAD")
    assert [row.attempts for row in bench.rows.all] == [1, 2]


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:29 GMT", 8.9),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 1.0),
        ("1.5", 1.5),
        ("-5", 1.0),
        ("soon", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_lesson_22_waits_as_told(status: int, retry_after: str, wait: float) -> None:
    bench = Bench()
    bench.run(reply(status, headers={"retry-after": retry_after}), reply())
    assert bench.waits == [pytest.approx(wait)]
    assert bench.rows.brief == [(True, None, 2)]


def test_lesson_22_a_wait_too_long_to_sleep_holds_the_service_instead() -> None:
    bench = Bench()
    assert bench.fails(RateLimitError, reply(429, headers={"retry-after": "3600"})).retry_after == 3600.0
    bench.clock.advance(3000.0)
    assert bench.services.retry_after(NAME) == 600.0
    assert bench.fails(RateLimitError).retry_after == 600.0
    bench.clock.advance(600.0)
    bench.run(reply())
    assert bench.rows.brief == [(False, "rate_limit", 1), (False, "rate_limit", 0), (True, None, 1)]
    assert bench.rows.all[1].response_time_ms is None
    assert bench.services.breaker_state(NAME) == "closed"


def test_others_wait_out_a_short_hold_too() -> None:
    bench = Bench()
    first = bench.begin()
    assert first.answered(first.attempt(), reply(429, headers={"retry-after": "4"})) == Again(4.0)
    bench.clock.advance(1.0)
    assert bench.begin().attempt().wait == 3.0
    bench.clock.advance(3.0)
    assert first.attempt().wait == 0.0


def test_lesson_22_others_wait_out_a_429_that_does_not_say_until_when_too() -> None:
    bench = Bench()
    first, second = bench.begin(), bench.begin()
    attempts = first.attempt(), second.attempt()
    bench.clock.advance(0.5)
    assert first.answered(attempts[0], reply(429)) == Again(1.0)
    bench.clock.advance(0.25)
    assert second.answered(attempts[1], reply(429)) == Again(0.75), "one pause for both"
    assert bench.begin().attempt().wait == 0.75
    bench.clock.advance(0.75)
    assert first.answered(first.attempt(), reply(429)) == Again(2.0)
    assert bench.services.retry_after(NAME) == 2.0


@pytest.mark.parametrize("retry_after", [1e9, float("inf")])
def test_lesson_22_a_pause_asked_for_by_an_error_lasts_a_day_at_most(retry_after: float) -> None:
    bench = Bench()
    assert bench.fails(RateLimitError, RateLimitError("slow down", retry_after=retry_after)).retry_after == 86_400.0
    bench.clock.advance(86_400.0)
    bench.run(reply())


def test_lesson_24_a_service_has_so_many_retries_and_no_more() -> None:
    bench = Bench(breaker_failures=10_000, breaker_window=BreakerWindow(minimum=10_000))
    for _ in range(300):
        guard = bench.begin()
        try:
            while True:
                guard.answered(guard.attempt(), reply(503))
        except ServerError:
            pass
    rows = bench.rows.all
    assert sum(row.attempts for row in rows) == 300 + 20 + 30, "one each, the reserve, and a tenth"
    assert rows[-1].metadata == {"no_retry_left": 1}
    assert (rows[0].attempts, rows[-2].attempts) == (4, 1)


def test_lesson_22_a_429_that_says_at_once_holds_nobody() -> None:
    bench = Bench()
    first, second = bench.begin(), bench.begin()
    again = first.answered(first.attempt(), reply(429, headers={"retry-after": "0"}))
    assert isinstance(again, Again)
    assert again.wait <= 1.0
    assert second.attempt().wait == 0.0


def test_lesson_22_one_pause_is_one_failure_however_many_are_told_of_it() -> None:
    bench = Bench(retries=0)
    told = reply(503, headers={"retry-after": "8"})
    for pause in range(1, 6):
        under_way = [(guard := bench.begin(), guard.attempt()) for _ in range(20)]
        for guard, attempt in under_way:
            with pytest.raises(ServerError):
                guard.answered(attempt, told)
        assert bench.services.breaker_state(NAME) == ("open" if pause == 5 else "closed")
        bench.clock.advance(8.0)


def test_failures_that_announce_no_pause_count_during_one_too() -> None:
    bench = Bench(retries=0)
    under_way = [(guard := bench.begin(), guard.attempt()) for _ in range(5)]
    for number, (guard, attempt) in enumerate(under_way):
        with pytest.raises(ServerError):
            guard.answered(attempt, reply(503, headers={} if number else {"retry-after": "8"}))
    assert bench.services.breaker_state(NAME) == "open"
