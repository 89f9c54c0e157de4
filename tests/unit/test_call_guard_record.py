"""The one row that a call leaves, however it ended, and what no row and no message may say."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cinegraph_core.contracts import Answer, Call, Credentials
from cinegraph_core.errors import NetworkError, ParseError
from tests.support.door import NAME
from tests.support.guard import Bench, raiser, reply


def test_an_answer_is_read_while_the_call_is_open_and_leaves_one_row() -> None:
    bench = Bench()
    assert bench.run(reply(body=b'{"id": 1}'), read=Answer.json) == {"id": 1}
    row = bench.rows.only
    assert (row.source, row.operation, row.target_identifier, row.kind) == (NAME, "movie_details", "tt0000001", "call")
    assert (row.success, row.attempts, row.error_type, row.error_message) == (True, 1, None, None)
    assert (row.provenance, row.response_time_ms, dict(row.metadata)) == ("live", 100.0, {})
    assert row.inserted_at == datetime.fromtimestamp(bench.clock.now(), UTC)


@pytest.mark.parametrize(("body", "error_type"), [(b"[]", "not_found"), (b"{}", "not_found"), (b"[0]", None)])
def test_what_is_read_empty_is_a_success_that_found_nothing(body: bytes, error_type: str | None) -> None:
    bench = Bench()
    assert bench.run(reply(body=body), read=Answer.json) == json.loads(body)
    assert bench.rows.brief == [(True, error_type, 1)]


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
    assert bench.rows.only.response_time_ms == pytest.approx(3300.0)


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
