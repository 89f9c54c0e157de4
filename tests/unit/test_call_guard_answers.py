"""What an answer means to a call."""

from __future__ import annotations

from typing import Any

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


JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.mark.parametrize("body", [b'{"id": ', b"<html>", b"{} {}", b"\xff\xfe"])
@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"])
def test_what_says_it_is_json_and_is_not_is_tried_again_without_a_reader_too(body: bytes, kind: str) -> None:
    bench = Bench()
    headers = {"content-type": kind}
    bench.run(reply(body=body, headers=headers), reply(headers=headers))
    assert bench.rows.brief == [(True, None, 2)]
    bench.fails(InvalidResponseError, *[reply(body=body, headers=headers)] * 4)
    assert bench.rows.brief[-1] == (False, "invalid_response", 4)


@pytest.mark.parametrize(
    "answer",
    [
        reply(body="\ufeff{}".encode(), headers=JSON),
        reply(body="{}".encode("utf-16"), headers=JSON),
        reply(body=b'{"score": NaN}', headers=JSON),
        reply(204, b"", JSON),
        reply(206, b'{"id": ', JSON),
        reply(302, b"moved", JSON),
        reply(body=b'{"id": 1}\n{"id": 2}', headers={"content-type": "application/x-ndjson"}),
        reply(body=b"<html>", headers={"content-type": "text/html"}),
        reply(body=b'{"id": '),
    ],
)
def test_what_may_be_as_it_says_is_an_answer(answer: Answer) -> None:
    assert Bench().run(answer) is answer


@pytest.mark.parametrize("options", [{"kind": "site"}, {"judge": lambda _: None}])
def test_who_has_a_judge_or_is_no_api_is_not_looked_into(options: dict[str, Any]) -> None:
    broken = reply(body=b'{"id": ', headers=JSON)
    assert Bench(**options).run(broken) is broken


def test_a_body_that_is_not_json_is_tried_again() -> None:
    bench = Bench()
    broken = [reply(body=body) for body in (b'{"id": ', b"<html>", b"\xff\xfe")]
    assert bench.run(*broken, reply(body=b"[1]"), read=Answer.json) == [1]
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


@pytest.mark.parametrize(("status", "header"), [(202, "x-amzn-waf-action"), (403, "cf-mitigated"), (405, "x-amzn-waf-action")])
def test_a_challenge_that_says_so_is_blocked_whatever_service_it_stands_before(status: int, header: str) -> None:
    bench = Bench()
    error = bench.fails(BlockedError, reply(status, b"<html>", headers={header: "challenge"}))
    assert header in str(error)
    assert bench.rows.brief == [(False, "blocked", 1)]
    bench.run(reply(200, headers={header: "allow"}))


def test_a_redirect_where_an_answer_was_to_be_read_is_not_read() -> None:
    bench = Bench()
    bench.fails(ClientError, reply(301, b"", {"location": "https://elsewhere.example/"}), read=Answer.json)
    assert bench.rows.brief == [(False, "client_error", 1)]
