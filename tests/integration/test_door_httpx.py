"""The door for httpx over real sockets: every fault ends in the right error after the right number of requests, in one row."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Answer, Call, Clock, Credentials, Replica, ServiceSpec
from cinegraph_core.errors import (
    AuthError,
    BlockedError,
    CircuitOpenError,
    ClientError,
    ConfigurationError,
    InvalidResponseError,
    NetworkError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
)
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.door import Rows, open_door
from tests.support.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    cut_short,
    drip,
    hang,
    html,
    refusing_url,
    reset_at_once,
    reset_mid_body,
)

NAME = "films"
KEY = "canary-5f1d"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def judge(reply: Answer) -> ServiceError | None:
    """Find a challenge page, as some sites send it instead of an answer."""
    return BlockedError("a challenge page") if b"challenge" in reply.body else None


class Bench:
    """A door to one loopback service, opened within a loop and closed with it."""

    def __init__(self, base_url: str, clock: Clock | None = None, **settings: Any) -> None:
        self.clock = clock or PatientClock(patient_from=5.0)
        self.rows = Rows()
        spec = ServiceSpec(
            name=NAME,
            base_url="https://films.example/3",
            needs_key=True,
            authenticate=lambda key: Credentials(params={"api_key": key}, headers={"X-Key": key}),
            judge=judge,
        )
        settings = {"base_url": base_url, "api_key": KEY, **settings}
        self.services: Services = open_door(spec, clock=self.clock, rows=self.rows, services={NAME: settings})

    async def get(self, path: str = "/film", **params: Any) -> Any:
        call = Call(NAME, "movie_details", "tt0000001", Answer.json)
        return await self.services.client(NAME).get(path, params=params, call=call)

    def run(self, work: Callable[[], Any]) -> Any:
        async def lead() -> Any:
            try:
                return await work()
            finally:
                await self.services.aclose()

        return asyncio.run(lead())

    def waits(self) -> list[float]:
        """Return the waits between attempts; the other sleeps are the attempts' own time limits of 5 s."""
        assert isinstance(self.clock, PatientClock)
        return [seconds for seconds in self.clock.slept if seconds != 5.0]


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
    bench = Bench(server.url)
    server.plan("/film", *plan)
    with pytest.raises(kind) as caught:
        bench.run(bench.get)
    assert isinstance(caught.value, kind)
    assert server.counts["/film"] == attempts
    assert bench.rows.brief == [(False, kind.error_type, attempts)]
    assert bench.rows.only.metadata == {}
    assert bench.services.breaker_state(NAME) == "closed"
    assert (caught.value.service, KEY in str(caught.value)) == (NAME, False)


@pytest.mark.parametrize("fault", [reset_mid_body, cut_short, answer(503), html(), answer(429, b"{}", {"Retry-After": "2"})])
def test_a_passing_fault_is_ridden_out(server: FaultServer, fault: Behaviour) -> None:
    bench = Bench(server.url)
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
    bench = Bench(server.url)
    server.plan("/film", answer(429, b"{}", {"Retry-After": retry_after}), answer())
    bench.run(bench.get)
    assert bench.waits() == [pytest.approx(wait)]
    assert bench.rows.brief == [(True, None, 2)]


def test_a_hold_of_an_hour_is_kept_without_sleeping(server: FaultServer) -> None:
    bench = Bench(server.url)
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
    bench = Bench(refusing_url())
    with pytest.raises(NetworkError):
        bench.run(bench.get)
    assert bench.rows.brief == [(False, "network_error", 0)]
    assert bench.rows.only.metadata == {"unsent": 4}


@pytest.mark.parametrize("fault", [hang, drip])
def test_lesson_23_an_attempt_ends_at_its_timeout_to_the_second(server: FaultServer, fault: Behaviour) -> None:
    bench = Bench(server.url, retries=1)
    server.plan("/film", fault)
    began = bench.clock.monotonic()
    with pytest.raises(ServiceTimeoutError):
        bench.run(bench.get)
    assert bench.clock.monotonic() - began == 5.0 + 1.0 + 5.0
    assert bench.rows.only.response_time_ms == 11_000.0
    assert bench.rows.brief == [(False, "timeout", 2)]


@pytest.mark.parametrize("fault", [hang, drip])
def test_lesson_23_a_timeout_bounds_real_time_and_leaves_nothing_running(server: FaultServer, fault: Behaviour) -> None:
    bench = Bench(server.url, SystemClock(), timeout=0.3, retries=0)
    server.plan("/film", fault)

    async def work() -> float:
        bench.services.http_client(NAME)
        began = time.monotonic()
        with pytest.raises(ServiceTimeoutError):
            await bench.get()
        taken = time.monotonic() - began
        assert await asyncio.to_thread(server.hung_up.wait, 2.0), "the connection is closed, not left to itself"
        assert len(asyncio.all_tasks()) == 1
        return taken

    assert 0.3 <= bench.run(work) < 0.4


def test_lesson_23_the_deadline_bounds_the_call_with_its_waits(server: FaultServer) -> None:
    bench = Bench(server.url, PatientClock(), deadline=8.0)
    server.plan("/film", hang)
    with pytest.raises(ServiceTimeoutError):
        bench.run(bench.get)
    assert bench.clock.monotonic() == pytest.approx(8.0)
    assert bench.rows.brief == [(False, "timeout", 2)]


def test_a_cancelled_call_leaves_its_row_and_no_connection(server: FaultServer) -> None:
    bench = Bench(server.url, SystemClock())
    server.plan("/film", hang)

    async def work() -> None:
        task = asyncio.ensure_future(bench.get())
        assert await asyncio.to_thread(server.reached.wait, 2.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.hung_up.wait, 2.0)

    bench.run(work)
    assert bench.rows.brief == [(False, "cancelled", 1)]
    assert bench.services.breaker_state(NAME) == "closed"


def test_lesson_21_an_outage_is_a_typed_error_and_stops_reaching_the_service(server: FaultServer) -> None:
    bench = Bench(server.url)
    server.plan("/film", *[answer(500)] * 5, answer())

    async def work() -> None:
        for kind in (ServerError, ServerError, CircuitOpenError, CircuitOpenError):
            with pytest.raises(kind):
                await bench.get()
        assert server.counts["/film"] == 5
        bench.clock.advance(60.0)  # type: ignore[attr-defined]
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
    bench = Bench(server.url, PatientClock(), rate_per_second=1.0, breaker_failures=1, retries=0)
    server.plan("/film", answer(500))

    async def work() -> list[Any]:
        return await asyncio.gather(*(bench.get() for _ in range(4)), return_exceptions=True)

    outcomes = bench.run(work)
    assert [outcome.error_type for outcome in outcomes] == ["server_error", "circuit_open", "circuit_open", "circuit_open"]
    assert server.counts["/film"] == 1
    assert [row.attempts for row in bench.rows.all] == [1, 0, 0, 0]


def test_lesson_24_attempts_in_the_rows_are_what_the_server_counted(server: FaultServer) -> None:
    bench = Bench(server.url)
    faults = [answer(500), reset_mid_body, cut_short, html(), answer(429), answer()]
    for number in range(12):
        server.plan(f"/{number}", *(faults[(number + step) % len(faults)] for step in range(6)), answer())

    async def work() -> None:
        await asyncio.gather(*(bench.get(f"/{number}") for number in range(12)), return_exceptions=True)

    bench.run(work)
    assert len(bench.rows.all) == 12
    assert sum(row.attempts for row in bench.rows.all) == len(server.received)


def test_a_client_counts_its_own_requests(server: FaultServer) -> None:
    bench = Bench(server.url)
    server.plan("/film", answer(503), answer())

    async def work() -> None:
        one, other = bench.services.client(NAME), bench.services.client(NAME)
        call = Call(NAME, "movie_details", "tt1", Answer.json)
        await one.get("/film", call=call)
        await other.get("/film", call=call)
        assert (one.requests_sent, other.requests_sent, one.provenance) == (2, 1, "live")

    bench.run(work)


def test_parameters_arrive_whole_and_none_is_left_out(server: FaultServer) -> None:
    bench = Bench(f"{server.url}/tmdb/3")
    server.plan("/tmdb/3/search/movie", answer())
    title = "Tom & Jerry #1 + a=b Амели"

    async def work() -> None:
        await bench.get("/search/movie", query=title, year=None)

    bench.run(work)
    (exchange,) = server.received
    assert dict(parse_qsl(exchange.target.partition("?")[2], strict_parsing=True)) == {"query": title, "api_key": KEY}


def test_the_key_is_added_at_the_door_and_seen_nowhere_else(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = Bench(server.url)
    server.plan("/film", html(500), answer(200, b'{"echo": "' + KEY.encode() + b'"}'))

    async def work() -> None:
        async with bench.services.http_client(NAME) as http:
            response = await http.get("/film", params={"language": "de"})
            assert KEY not in repr(response) + str(response.url) + str(response.request.headers) + str(response.request.url)
            assert response.elapsed.total_seconds() == 1.0

    bench.run(work)
    assert all(exchange.headers["x-key"] == KEY and f"api_key={KEY}" in exchange.target for exchange in server.received)
    assert KEY not in caplog.text
    assert KEY not in repr(bench.rows.all)


def test_any_request_of_an_httpx_client_is_a_call(server: FaultServer) -> None:
    bench = Bench(server.url)
    server.plan("/film", answer(503), answer())

    async def work() -> Any:
        return (await bench.services.http_client(NAME).get("/film")).json()

    assert bench.run(work) == {"id": 1}
    row = bench.rows.only
    assert (row.operation, row.target_identifier, row.success, row.attempts) == ("request", "/film", True, 2)


def test_one_client_per_loop_which_is_closed_with_it(server: FaultServer) -> None:
    bench = Bench(server.url)
    server.plan("/film", answer())

    async def work() -> Any:
        first = bench.services.http_client(NAME)
        assert bench.services.http_client(NAME) is first
        await bench.get()
        return first

    first, second = bench.run(work), bench.run(work)
    assert first is not second
    assert first.is_closed


def test_a_client_sends_nothing_to_another_host(server: FaultServer) -> None:
    bench = Bench(server.url)

    async def work() -> None:
        with pytest.raises(ConfigurationError, match=r"elsewhere\.example"):
            await bench.services.http_client(NAME).get("http://elsewhere.example/film")
        with pytest.raises(ConfigurationError, match="names the service"):
            await bench.services.client(NAME).get("/film", call=Call("others", "x", "x"))

    bench.run(work)
    assert server.received == []


def test_mock_answers_are_marked(server: FaultServer) -> None:
    rows = Rows()
    services = open_door(
        ServiceSpec(name=NAME, base_url="https://films.example", needs_key=True),
        Replica("loopback", (NAME,), lambda: {NAME: server.url}),
        clock=PatientClock(),
        rows=rows,
        mode="mock",
    )
    server.plan("/film", answer())

    async def work() -> None:
        client = services.client(NAME)
        reply = await client.get("/film", call=Call(NAME, "movie_details", "tt1"))
        assert (reply.url, client.provenance) == ("https://films.example/film", "mock")
        await services.aclose()

    asyncio.run(work())
    assert rows.only.provenance == "mock"
