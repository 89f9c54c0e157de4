"""The door for httpx over real sockets: what a client sends, counts and tells, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cinegraph_core.contracts import Answer, Call, Replica, ServiceSpec
from cinegraph_core.errors import ClientError, ConfigurationError
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, Rows, open_door
from tests.support.fault_server import FaultServer, answer, html
from tests.support.keyed_door import KEY, KeyedBench


def test_a_client_counts_its_own_requests(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer(503), answer())

    async def work() -> None:
        one, other = bench.services.client(NAME), bench.services.client(NAME)
        call = Call(NAME, "movie_details", "tt1", Answer.json)
        await one.get("/film", call=call)
        await other.get("/film", call=call)
        assert (one.requests_sent, other.requests_sent, one.provenance) == (2, 1, "live")

    bench.run(work)


def test_parameters_arrive_whole_and_none_is_left_out(server: FaultServer) -> None:
    bench = KeyedBench(f"{server.url}/tmdb/3")
    server.plan("/tmdb/3/search/movie", answer())
    title = "Tom & Jerry #1 + a=b Амели"

    async def work() -> None:
        await bench.get("/search/movie", query=title, year=None)

    bench.run(work)
    (exchange,) = server.received
    assert dict(parse_qsl(exchange.target.partition("?")[2], strict_parsing=True)) == {"query": title, "api_key": KEY}


def test_the_key_is_added_at_the_door_and_seen_nowhere_else(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = KeyedBench(server.url)
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
    bench = KeyedBench(server.url)
    server.plan("/film", answer(503), answer())

    async def work() -> Any:
        return (await bench.services.http_client(NAME).get("/film")).json()

    assert bench.run(work) == {"id": 1}
    row = bench.rows.only
    assert (row.operation, row.target_identifier, row.success, row.attempts) == ("request", "/film", True, 2)


def test_a_client_sends_nothing_to_another_host(server: FaultServer) -> None:
    bench = KeyedBench(server.url)

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


def test_an_unexpected_redirect_is_told_without_inner_addresses_and_secrets(server: FaultServer) -> None:
    server.plan("/film", answer(302, b"", {"Location": f"{server.url}/moved?session=s3cret"}))
    spec = ServiceSpec(name=NAME, base_url="https://films.example", retries=0)
    bench = Bench(
        open_door(spec, clock=PatientClock(), rows=Rows(), services={NAME: {"base_url": server.url}}), PatientClock(), Rows()
    )
    (error,) = bench.each(bench.get)
    assert isinstance(error, ClientError)
    assert str(error) == "an unexpected redirect to /moved"
