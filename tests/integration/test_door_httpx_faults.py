"""Every fault ends in the right error after the right number of requests, in one row."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cinegraph_core.errors import (
    AuthError,
    BlockedError,
    CircuitOpenError,
    ClientError,
    InvalidResponseError,
    NetworkError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from tests.support.clocks import PatientClock
from tests.support.door import NAME
from tests.support.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    cut_short,
    html,
    refusing_url,
    reset_at_once,
    reset_mid_body,
)
from tests.support.keyed_door import KEY, KeyedBench

FAULTS: list[tuple[str, list[Behaviour], type[ServiceError], int]] = [
    ("reset at once", [reset_at_once], NetworkError, 4),
    ("reset mid-body", [reset_mid_body], NetworkError, 4),
    ("closed mid-body", [cut_short], NetworkError, 4),
    ("truncated JSON", [answer(200, b'{"id": ')], InvalidResponseError, 4),
    ("HTML for JSON", [html()], InvalidResponseError, 4),
    ("empty body", [answer(200, b"")], InvalidResponseError, 4),
    ("broken gzip", [answer(200, b"not gzip", {"Content-Encoding": "gzip"})], InvalidResponseError, 4),
    ("not HTTP at all", [lambda exchange: exchange.send(b"SSH-2.0-server\r\n\r\n")], NetworkError, 4),
    ("500", [answer(500)], ServerError, 4),
    ("502", [html(502)], ServerError, 4),
    ("503", [answer(503)], ServerError, 4),
    ("504", [html(504)], ServerError, 4),
    ("401", [answer(401)], AuthError, 1),
    ("403", [html(403)], AuthError, 1),
    ("400", [answer(400)], ClientError, 1),
    ("404", [answer(404)], NotFoundError, 1),
    ("301", [answer(301, b"", {"Location": "/elsewhere"})], ClientError, 1),
    ("a challenge with 200", [html(200, b"<script src='/challenge.js'>")], BlockedError, 1),
    ("a challenge with 202", [html(202, b"<script src='/challenge.js'>")], BlockedError, 1),
    ("429 without a word", [answer(429)], RateLimitError, 4),
    ("429 for an hour", [answer(429, b"{}", {"Retry-After": "3600"})], RateLimitError, 1),
]


@pytest.mark.parametrize(("plan", "kind", "attempts"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_every_fault_ends_in_its_error_after_the_right_number_of_requests(
    server: FaultServer, plan: list[Behaviour], kind: type[ServiceError], attempts: int
) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", *plan)
    with pytest.raises(kind) as caught:
        bench.run(bench.get)
    assert isinstance(caught.value, kind)
    assert server.counts["/film"] == attempts
    assert bench.rows.brief == [(False, kind.error_type, attempts)]
    assert "unsent" not in bench.rows.only.metadata
    assert bench.services.breaker_state(NAME) == "closed"
    assert (caught.value.service, KEY in str(caught.value)) == (NAME, False)


@pytest.mark.parametrize("fault", [reset_mid_body, cut_short, answer(503), html(), answer(429, b"{}", {"Retry-After": "2"})])
def test_a_passing_fault_is_ridden_out(server: FaultServer, fault: Behaviour) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", fault, fault, answer(200, b'{"id": 7}'))
    assert bench.run(bench.get) == {"id": 7}
    assert bench.rows.brief == [(True, None, 3)]
    assert server.counts["/film"] == 3


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:29 GMT", 9.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 1.0),
        ("1.5", 1.5),
        ("-5", 1.0),
        ("soon", 1.0),
    ],
)
def test_lesson_22_a_429_is_waited_out_as_told(server: FaultServer, retry_after: str, wait: float) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer(429, b"{}", {"Retry-After": retry_after}), answer())
    bench.run(bench.get)
    assert bench.waits() == [pytest.approx(wait)]
    assert bench.rows.brief == [(True, None, 2)]


def test_a_hold_of_an_hour_is_kept_without_sleeping(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer(429, b"{}", {"Retry-After": "3600"}), answer())

    async def work() -> None:
        for _ in range(2):
            with pytest.raises(RateLimitError) as caught:
                await bench.get()
            assert caught.value.retry_after == pytest.approx(3600.0)

    bench.run(work)
    assert bench.waits() == []
    assert server.counts["/film"] == 1
    assert bench.rows.brief == [(False, "rate_limit", 1), (False, "rate_limit", 0)]


def test_a_refused_connection_is_no_request(server: FaultServer) -> None:
    bench = KeyedBench(refusing_url())
    with pytest.raises(NetworkError):
        bench.run(bench.get)
    assert bench.rows.brief == [(False, "network_error", 0)]
    assert bench.rows.only.metadata == {"unsent": 4}


def test_lesson_21_an_outage_is_a_typed_error_and_stops_reaching_the_service(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", *[answer(500)] * 5, answer())

    async def work() -> None:
        for kind in (ServerError, ServerError, CircuitOpenError, CircuitOpenError):
            with pytest.raises(kind):
                await bench.get()
        assert server.counts["/film"] == 5
        bench.clock.advance(60.0)
        outcomes = await asyncio.gather(*(bench.get() for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(outcome, CircuitOpenError) for outcome in outcomes) == 19
        assert server.counts["/film"] == 6, "one probe"
        await bench.get()
        assert bench.services.breaker_state(NAME) == "ramp"
        for _ in range(15):
            await bench.get()
        assert bench.services.breaker_state(NAME) == "closed"

    bench.run(work)
    assert sum(row.attempts for row in bench.rows.all) == server.counts["/film"]


def test_those_who_wait_for_their_turn_feel_the_breaker_open(server: FaultServer) -> None:
    bench = KeyedBench(server.url, PatientClock(), rate_per_second=1.0, breaker_failures=1, retries=0)
    server.plan("/film", answer(500))

    async def work() -> list[Any]:
        return await asyncio.gather(*(bench.get() for _ in range(4)), return_exceptions=True)

    outcomes = bench.run(work)
    assert [outcome.error_type for outcome in outcomes] == ["server_error", "circuit_open", "circuit_open", "circuit_open"]
    assert server.counts["/film"] == 1
    assert [row.attempts for row in bench.rows.all] == [1, 0, 0, 0]


def test_lesson_24_attempts_in_the_rows_are_what_the_server_counted(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    faults = [answer(500), reset_mid_body, cut_short, html(), answer(429), answer()]
    for number in range(12):
        server.plan(f"/{number}", *(faults[(number + step) % len(faults)] for step in range(6)), answer())

    async def work() -> None:
        await asyncio.gather(*(bench.get(f"/{number}") for number in range(12)), return_exceptions=True)

    bench.run(work)
    assert len(bench.rows.all) == 12
    assert sum(row.attempts for row in bench.rows.all) == len(server.received)
