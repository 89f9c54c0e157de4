"""What an answer means to a call."""

from __future__ import annotations

import pytest

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import (
    AuthError,
    BlockedError,
    CinegraphError,
    ClientError,
    InvalidResponseError,
    LayoutChangedError,
    NoDataError,
    NotFoundError,
    ParseError,
    RateLimitError,
    ServiceError,
    UnknownError,
)
from tests.support.guard import Bench, raiser, reply


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
