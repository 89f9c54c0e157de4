"""One call through the door without any I/O: what an answer means, what is tried again, and the one row it leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cinegraph_core.contracts import Answer, BreakerWindow, Call, Credentials, ServiceSpec
from cinegraph_core.errors import (
    AuthError,
    BlockedError,
    CinegraphError,
    CircuitOpenError,
    ClientError,
    InvalidResponseError,
    LayoutChangedError,
    NetworkError,
    NoDataError,
    NotFoundError,
    ParseError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    UnknownError,
)
from cinegraph_core.services import Again, CallGuard, Done, Services
from cinegraph_core.testing import FakeClock
from tests.support.door import Rows, open_door

NAME = "films"


class Bench:
    """A door with one service, and a driver that plays the client."""

    def __init__(self, **options: Any) -> None:
        self.settings = {key: options.pop(key) for key in list(options) if key in ("api_key", "deadline", "retries")}
        self.clock = FakeClock()
        self.rows = Rows()
        self.transitions: list[tuple[str, str, str, float | None]] = []
        self.services: Services = open_door(
            ServiceSpec(name=NAME, base_url="https://films.example/api", **options),
            clock=self.clock,
            rows=self.rows,
            services={NAME: self.settings},
            on_transition=lambda *change: self.transitions.append(change),
        )

    def begin(self, read: Callable[[Answer], Any] | None = None, *, absent_ok: bool = False, method: str = "GET") -> CallGuard:
        return self.services.begin(Call(NAME, "movie_details", "tt0000001", read, absent_ok), method=method)

    def run(self, *outcomes: Answer | BaseException, read: Callable[[Answer], Any] | None = None, **call: Any) -> Any:
        """Lead a call through these outcomes, one per attempt; all of them must be wanted."""
        guard, left = self.begin(read, **call), list(outcomes)
        waits: list[float] = []
        self.waits = waits
        try:
            while True:
                attempt = guard.attempt()
                self.clock.advance(attempt.wait)
                guard.leaving(attempt)
                outcome = left.pop(0)
                self.clock.advance(0.1)
                verdict = guard.answered(attempt, outcome) if isinstance(outcome, Answer) else guard.failed(attempt, outcome)
                if isinstance(verdict, Done):
                    return verdict.value
                assert isinstance(verdict, Again)
                waits.append(verdict.wait)
                self.clock.advance(verdict.wait)
        finally:
            assert not left, "an attempt that a test prepared was not made"
            assert guard.ended

    def fails(self, kind: type[CinegraphError], *outcomes: Answer | BaseException, **call: Any) -> Any:
        with pytest.raises(kind) as caught:
            self.run(*outcomes, **call)
        assert type(caught.value) is kind
        return caught.value

    def trip(self) -> None:
        """Open the breaker: four attempts of one call and the first of the next."""
        self.fails(ServerError, *[reply(500)] * 4)
        self.fails(ServerError, reply(500))
        assert self.services.breaker_state(NAME) == "open"
        self.rows.all.clear()


def reply(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, body, "https://films.example/api/movie/1")


# ------------------------------------------------------------------------------------------------ the one row


def test_an_answer_is_read_while_the_call_is_open_and_leaves_one_row() -> None:
    bench = Bench()
    assert bench.run(reply(body=b'{"id": 1}'), read=Answer.json) == {"id": 1}
    row = bench.rows.only
    assert (row.source, row.operation, row.target_identifier, row.kind) == (NAME, "movie_details", "tt0000001", "call")
    assert (row.success, row.attempts, row.error_type, row.error_message) == (True, 1, None, None)
    assert (row.provenance, row.response_time_ms, dict(row.metadata)) == ("live", 100.0, {})
    assert row.inserted_at == datetime.fromtimestamp(bench.clock.now(), UTC)


def test_without_a_reader_the_value_is_the_answer() -> None:
    assert Bench().run(reply(204)).status == 204


def test_a_target_is_never_empty() -> None:
    bench = Bench()
    guard = bench.services.begin(Call(NAME, "probe", "  "))
    guard.answered(guard.attempt(), reply())
    assert bench.rows.only.target_identifier == "probe"


def test_a_retried_call_is_one_row_that_counts_its_attempts_and_its_waits() -> None:
    bench = Bench()
    bench.run(reply(503), reply(500), reply())
    assert bench.waits == [1.0, 2.0]
    assert bench.rows.brief == [(True, None, 3)]
    assert bench.rows.only.response_time_ms == 3300.0


def test_requests_nobody_can_have_seen_are_counted_apart() -> None:
    bench = Bench()
    error = bench.fails(NetworkError, *[ConnectionRefusedError("refused")] * 3, ConnectionResetError("reset"))
    assert not hasattr(error, "status") or error.status is None
    assert (bench.rows.only.attempts, bench.rows.only.metadata) == (1, {"unsent": 3})


def test_requests_sent_are_told_one_by_one() -> None:
    bench, told = Bench(), []
    guard = bench.services.begin(Call(NAME, "x", "x"), on_sent=lambda: told.append(1))
    guard.failed(guard.attempt(), ConnectionRefusedError())
    guard.redirected(guard.attempt())
    guard.answered(guard.attempt(), reply())
    assert len(told) == 2
    assert bench.rows.only.attempts == 2


def test_a_long_message_is_cut() -> None:
    bench = Bench()
    bench.fails(ParseError, reply(), read=raiser(ParseError("x" * 2000)))
    assert len(bench.rows.only.error_message or "") == 500


# --------------------------------------------------------------------------------------- what an answer means


@pytest.mark.parametrize("status", [404, 410])
def test_an_expected_absence_is_a_success_without_a_value(status: int) -> None:
    bench = Bench()
    assert bench.run(reply(status, b"<html>"), read=Answer.json, absent_ok=True) is None
    assert bench.rows.brief == [(True, "not_found", 1)]


def test_an_unexpected_404_is_a_failure_and_is_not_retried() -> None:
    bench = Bench()
    assert bench.fails(NotFoundError, reply(404)).status == 404
    assert bench.rows.brief == [(False, "not_found", 1)]


@pytest.mark.parametrize("error", [NotFoundError("Movie not found!"), NoDataError("no films yet")])
def test_an_answer_that_says_there_is_nothing_is_a_success(error: CinegraphError) -> None:
    bench = Bench()
    bench.fails(type(error), reply(), read=raiser(error))
    assert bench.rows.brief == [(True, "not_found", 1)]


@pytest.mark.parametrize(
    ("error", "error_type"),
    [(LayoutChangedError("no table"), "layout_changed"), (ParseError("odd year"), "parse_error"), (BlockedError(), "blocked")],
)
def test_a_page_that_cannot_be_read_is_a_failure_of_one_attempt(error: CinegraphError, error_type: str) -> None:
    bench = Bench()
    bench.fails(type(error), reply(), read=raiser(error))
    assert bench.rows.brief == [(False, error_type, 1)]


def test_a_body_that_is_not_json_is_tried_again() -> None:
    bench = Bench()
    assert bench.run(reply(body=b'{"id": '), reply(body=b"<html>"), reply(body=b"\xff\xfe"), reply(), read=Answer.json) == {}
    assert bench.rows.brief == [(True, None, 4)]
    bench.fails(InvalidResponseError, *[reply(body=b"<html>")] * 4, read=Answer.json)


def test_lesson_02_a_reader_that_breaks_is_never_a_success() -> None:
    bench = Bench()
    error = bench.fails(ParseError, reply(), read=lambda answer: answer.json()["results"])
    assert "KeyError" in str(error)
    assert isinstance(error.__cause__, KeyError)
    assert bench.rows.brief == [(False, "parse_error", 1)]


def test_lesson_02_a_judge_that_breaks_never_lets_an_answer_through() -> None:
    def judge(answer: Answer) -> ServiceError | None:
        return answer.headers["x-verdict"]  # type: ignore[return-value]

    bench = Bench(judge=judge)
    assert "KeyError" in str(bench.fails(UnknownError, reply()))
    assert bench.rows.brief == [(False, "unknown", 1)]


def test_lesson_29_the_judge_sees_an_answer_before_its_status_counts() -> None:
    def judge(answer: Answer) -> ServiceError | None:
        return RateLimitError("Request limit reached!", retry_after=3600.0) if b"limit" in answer.body else None

    bench = Bench(judge=judge)
    bench.fails(RateLimitError, reply(401, b"Request limit reached!"))
    assert bench.rows.brief == [(False, "rate_limit", 1)]
    other = Bench(judge=judge)
    other.fails(AuthError, reply(401, b"Invalid API key!"))


def test_a_challenge_with_202_is_blocked_and_an_honest_202_is_not() -> None:
    def judge(answer: Answer) -> ServiceError | None:
        return BlockedError("a challenge") if b"challenge" in answer.body else None

    bench = Bench(judge=judge)
    bench.run(reply(202))
    bench.fails(BlockedError, reply(202, b"challenge.js"))
    assert bench.rows.brief == [(True, None, 1), (False, "blocked", 1)]


def test_a_redirect_where_an_answer_was_to_be_read_is_not_read() -> None:
    bench = Bench()
    bench.fails(ClientError, reply(301, b"", {"location": "https://elsewhere.example/"}), read=Answer.json)
    assert bench.rows.brief == [(False, "client_error", 1)]


# ------------------------------------------------------------------------------------------------- what is retried


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


# ------------------------------------------------------------------------------------------------------ Retry-After


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


def test_a_hold_within_the_deadline_is_still_too_long_to_sleep() -> None:
    bench = Bench(deadline=60.0)
    bench.fails(RateLimitError, reply(429, headers={"retry-after": "30"}))
    bench.clock.advance(15.0)
    assert bench.fails(RateLimitError).retry_after == pytest.approx(15.0)


def test_a_wait_that_would_pass_the_deadline_fails_now() -> None:
    bench = Bench(deadline=5.0)
    assert bench.fails(RateLimitError, reply(429, headers={"retry-after": "6"})).retry_after == 6.0
    assert bench.waits == []


def test_others_wait_out_a_short_hold_too() -> None:
    bench = Bench()
    first = bench.begin()
    assert first.answered(first.attempt(), reply(429, headers={"retry-after": "4"})) == Again(4.0)
    bench.clock.advance(1.0)
    assert bench.begin().attempt().wait == 3.0
    bench.clock.advance(3.0)
    assert first.attempt().wait == 0.0


# ------------------------------------------------------------------------------------------- limits and the breaker


def test_lesson_23_the_deadline_is_passed_down_to_the_attempt() -> None:
    bench = Bench(timeout=5.0, deadline=8.0)
    guard = bench.begin()
    first = guard.attempt()
    assert first.timeout == 5.0
    bench.clock.advance(5.0)
    assert guard.failed(first, TimeoutError()) == Again(1.0)
    bench.clock.advance(1.0)
    attempt = guard.attempt()
    assert attempt.timeout == pytest.approx(2.0)
    bench.clock.advance(2.0)
    with pytest.raises(ServiceTimeoutError):
        guard.failed(attempt, TimeoutError())
    assert bench.rows.only.response_time_ms == pytest.approx(8000.0)


def test_time_in_a_queue_counts_for_neither_deadline_nor_response_time() -> None:
    bench = Bench(timeout=5.0, deadline=8.0)
    guard = bench.begin()
    guard.failed(guard.attempt(), ConnectionResetError())
    bench.clock.advance(1001.0)
    guard.queued(1000.0)
    attempt = guard.attempt()
    assert attempt.timeout == 5.0
    bench.clock.advance(0.5)
    guard.answered(attempt, reply())
    assert bench.rows.only.response_time_ms == 1500.0


def test_the_rate_is_kept_by_all_calls_together() -> None:
    bench = Bench(rate_per_second=2.0)
    assert [bench.begin().attempt().wait for _ in range(3)] == [0.0, 0.5, 1.0]


def test_a_place_beyond_the_deadline_is_refused_and_not_taken() -> None:
    bench = Bench(rate_per_second=0.1, deadline=15.0)
    assert [bench.begin().attempt().wait for _ in range(2)] == [0.0, 10.0]
    for _ in range(3):
        assert bench.fails(ServiceTimeoutError).retry_after == 20.0
    bench.clock.advance(10.0)
    assert bench.begin().attempt().wait == 10.0


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
    for number in range(21):
        bench.run(reply()) if number % 5 == 4 else bench.fails(ServerError, reply(500))
    assert bench.services.breaker_state(NAME) == "open"


def test_a_breaker_in_shadow_counts_in_the_rows_and_refuses_nobody() -> None:
    bench = Bench(retries=0, breaker_mode="shadow")
    for _ in range(7):
        bench.fails(ServerError, reply(500))
    assert bench.services.breaker_state(NAME) == "open"
    assert [dict(row.metadata) for row in bench.rows.all] == [{}] * 5 + [{"shadowed": 1}] * 2


def test_a_breaker_is_opened_and_reset_by_hand() -> None:
    bench = Bench()
    bench.services.open_breaker(NAME)
    bench.clock.advance(1e6)
    error = bench.fails(CircuitOpenError)
    assert ("by hand" in str(error), error.retry_after) == (True, None)
    assert bench.services.retry_after(NAME) == float("inf")
    bench.services.reset_breaker(NAME)
    bench.run(reply())


def test_a_breaker_opened_by_hand_during_a_call_ends_it() -> None:
    bench = Bench()
    guard = bench.begin()
    attempt = guard.attempt()
    bench.services.open_breaker(NAME)
    with pytest.raises(ServerError) as caught:
        guard.answered(attempt, reply(500))
    assert caught.value.retry_after is None


def test_a_breaker_set_open_refuses_from_the_start() -> None:
    bench = Bench(breaker_mode="open")
    bench.fails(CircuitOpenError)


def test_the_window_is_of_a_kind_and_size_that_the_service_says() -> None:
    for window in (BreakerWindow(seconds=10.0, minimum=4), BreakerWindow(calls=4, minimum=4)):
        bench = Bench(retries=0, breaker_window=window)
        for status in (500, 500, 200, 200, 200):
            bench.clock.advance(11.0)
            bench.run(reply()) if status == 200 else bench.fails(ServerError, reply(status))
        assert bench.services.breaker_state(NAME) == "closed"


# --------------------------------------------------------------------------------------------------- the retry budget


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


# ---------------------------------------------------------------------------------------------------- a refused key


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


# --------------------------------------------------------------------------------------------- cancelled, keys, secrets


def test_a_call_given_up_under_way_counts_its_request_and_frees_the_probe() -> None:
    bench = Bench()
    bench.trip()
    bench.clock.advance(60.0)
    guard = bench.begin()
    guard.attempt()
    guard.abandon(asyncio.CancelledError())
    guard.abandon(asyncio.CancelledError())
    assert bench.rows.brief == [(False, "cancelled", 1)]
    bench.begin().attempt()


def test_a_call_given_up_before_it_began_sent_nothing() -> None:
    bench = Bench()
    bench.begin().abandon(asyncio.CancelledError())
    assert bench.rows.brief == [(False, "cancelled", 0)]


def test_without_its_key_a_service_is_not_asked() -> None:
    bench = Bench(needs_key=True)
    assert "CINEGRAPH_SERVICES__FILMS__API_KEY" in str(bench.fails(AuthError))
    assert bench.rows.brief == [(False, "auth_error", 0)]


def test_no_secret_leaves_in_a_message_a_row_or_a_cause() -> None:
    key = "canary/91 f3"

    def read(answer: Answer) -> Any:
        raise ValueError(f"cannot read {answer.body.decode()}")

    bench = Bench(
        api_key=key,
        authenticate=lambda secret: Credentials(params={"apikey": secret}, headers={"Authorization": f"Bearer {secret}"}),
    )
    echo = json.dumps({"asked": f"/movie?apikey=canary%2F91%20f3&x=1 and canary%2F91+f3, Bearer {key}"}).encode()
    error = bench.fails(ParseError, reply(body=echo), read=read)
    assert "canary" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "canary" not in (bench.rows.only.error_message or "")
    assert "x=1" in str(error)


def raiser(error: Exception) -> Callable[[Answer], Any]:
    def read(answer: Answer) -> Any:
        raise error

    return read
