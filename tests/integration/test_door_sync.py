"""The door for ``httpx.Client``: the same calls for callers that block; and errors that httpx's own ``except`` lines catch."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from itertools import takewhile
from typing import Any

import httpx
import pytest

from cinegraph_core import services as door
from cinegraph_core.clock import SystemClock
from cinegraph_core.contracts import Clock, ServiceSpec
from cinegraph_core.errors import (
    AuthError,
    CircuitOpenError,
    InvalidResponseError,
    NetworkError,
    RateLimitError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
)
from cinegraph_core.services import Services
from tests.support.clocks import PatientClock
from tests.support.crawling import opened
from tests.support.door import Rows, open_door
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, drip, hang, head_of, refusing_url, reset_mid_body

NAME = "films"


def bench(url: str, clock: Clock | None = None, **settings: Any) -> tuple[Services, Rows]:
    rows = Rows()
    spec = ServiceSpec(NAME, "https://films.example")
    clock = clock or PatientClock(patient_from=5.0)
    return open_door(spec, clock=clock, rows=rows, services={NAME: {"base_url": url, **settings}}), rows


def test_a_plain_script_gets_retries_and_one_row(server: FaultServer) -> None:
    services, rows = bench(server.url)
    server.plan("/film", answer(503), answer())
    with services.sync_client(NAME) as http:
        assert http.get("/film", params={"a": "b"}).json() == {"id": 1}
    assert rows.brief == [(True, None, 2)]
    assert [exchange.target for exchange in server.received] == ["/film?a=b"] * 2


def test_a_compressed_answer_is_read_and_a_body_is_sent(server: FaultServer) -> None:
    services, _ = bench(server.url)
    bodies: list[bytes] = []

    def take(exchange: Exchange) -> None:
        with exchange.connection.makefile("rb") as sent:  # to its end: what is left unread makes a reset of the close
            bodies.append(b"".join(takewhile(lambda line: line != b"\r\n", sent)))
        packed = gzip.compress(b"fine")
        exchange.send(head_of(200, len(packed), {"Content-Encoding": "gzip", "Content-Type": "text/plain"}) + packed)

    server.plan("/film", take)
    with services.sync_client(NAME) as http:
        response = http.post("/film", content=iter([b"one", b"two"]))
    assert response.text == "fine"
    assert b"one" in bodies[0]


@pytest.mark.parametrize("fault", [hang, drip])
def test_lesson_23_a_timeout_bounds_a_blocking_call(server: FaultServer, fault: Behaviour) -> None:
    services, rows = bench(server.url, SystemClock(), timeout=1.0, retries=0)
    server.plan("/film", fault)
    with services.sync_client(NAME) as http:
        began = time.monotonic()
        with pytest.raises(ServiceTimeoutError):
            http.get("/film")
        assert 1.0 <= time.monotonic() - began < 10.0
        assert server.hung_up.wait(10.0)
    assert rows.brief[-1] == (False, "timeout", 1)


def test_threads_share_a_client_and_its_breaker(server: FaultServer) -> None:
    services, rows = bench(server.url, retries=0)
    server.plan("/film", answer(500))
    ends: list[str] = []

    def call() -> None:
        try:
            http.get("/film")
        except ServiceError as error:
            ends.append(error.error_type)

    with services.sync_client(NAME) as http:
        threads = [threading.Thread(target=call) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(CircuitOpenError):
            http.get("/film")
    assert len(ends) == 20
    assert server.counts["/film"] == sum(row.attempts for row in rows.all) < 21


def test_it_works_where_a_loop_is_running(server: FaultServer) -> None:
    services, _ = bench(server.url)
    server.plan("/film", answer())

    async def notebook() -> int:
        with services.sync_client(NAME) as http:
            return http.get("/film").status_code

    assert asyncio.run(notebook()) == 200


def test_a_closed_client_leaves_no_thread(server: FaultServer) -> None:
    services, _ = bench(server.url)
    server.plan("/film", answer())
    http = services.sync_client(NAME)
    http.get("/film")
    assert [thread for thread in threading.enumerate() if thread.name == "cinegraph-portal"]
    http.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "cinegraph-portal"]
    services.sync_client(NAME).close()


def test_services_client_gives_either_kind(server: FaultServer, tmp_path: Any) -> None:
    server.plan("/film", answer())
    spec = ServiceSpec(NAME, "https://films.example")
    with opened(tmp_path, spec, clock=SystemClock(), services={NAME: {"base_url": server.url}}) as (application, _):
        door.set_opener(lambda: application)
        try:
            with door.client(NAME, sync=True) as http:
                assert http.get("/film").json() == {"id": 1}
            assert isinstance(door.client(NAME), httpx.AsyncClient)
        finally:
            door.set_opener(type(application).open)


# ---------------------------------------------------------------------------------------- caught as httpx's own errors


@pytest.mark.parametrize(
    ("plan", "ours", "theirs"),
    [
        ([answer(500)], ServerError, httpx.HTTPStatusError),
        ([answer(401)], AuthError, httpx.HTTPStatusError),
        ([answer(429, b"slow", {"Retry-After": "3600"})], RateLimitError, httpx.HTTPStatusError),
        ([reset_mid_body], NetworkError, httpx.NetworkError),
        ([hang], ServiceTimeoutError, httpx.TimeoutException),
        (None, NetworkError, httpx.ConnectError),
    ],
)
@pytest.mark.parametrize("sync", [True, False])
def test_an_error_is_one_of_httpx_too(
    server: FaultServer, sync: bool, plan: list[Behaviour] | None, ours: type[ServiceError], theirs: type[Exception]
) -> None:
    services, _ = bench(server.url if plan else refusing_url(), retries=0)
    server.plan("/film", *(plan or [answer()]))
    with pytest.raises(theirs) as caught:
        _get(services, sync=sync)
    assert isinstance(caught.value, ours)
    assert type(caught.value).__name__ == ours.__name__
    assert caught.value.request.url.path == "/film"  # type: ignore[attr-defined]
    if theirs is httpx.HTTPStatusError:
        assert caught.value.response.status_code == caught.value.status  # type: ignore[attr-defined]
        assert caught.value.response.request is caught.value.request  # type: ignore[attr-defined]


@pytest.mark.parametrize("sync", [True, False])
def test_a_refusal_is_a_connect_error_to_httpx(server: FaultServer, sync: bool) -> None:
    services, _ = bench(server.url)
    services.state(NAME).breaker.force_open()
    with pytest.raises(httpx.ConnectError) as caught:
        _get(services, sync=sync)
    assert isinstance(caught.value, CircuitOpenError)


def test_a_body_that_is_not_what_it_says_is_a_decoding_error(server: FaultServer) -> None:
    services, _ = bench(server.url, retries=0)
    server.plan("/film", answer(200, b"not gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(httpx.DecodingError) as caught:
        _get(services, sync=True)
    assert isinstance(caught.value, InvalidResponseError)


def test_a_crashing_service_does_not_take_the_others_connections(server: FaultServer) -> None:
    """The bulkhead: each service has its own connections, so that one that hangs starves no other."""
    rows = Rows()
    sick, well = ServiceSpec("sick", "https://a.example", timeout=30.0, retries=0), ServiceSpec("well", "https://b.example")
    places = {name: {"base_url": server.url} for name in ("sick", "well")}
    services = open_door(sick, well, clock=SystemClock(), rows=rows, services=places)
    server.plan("/sick", hang)
    server.plan("/well", answer())

    async def work() -> None:
        hanging = [asyncio.ensure_future(services.http_client("sick").get("/sick")) for _ in range(80)]
        assert await asyncio.to_thread(server.reached.wait, 10.0)
        assert (await services.http_client("well").get("/well")).status_code == 200
        assert not any(call.done() for call in hanging)
        for call in hanging:
            call.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await services.aclose()

    asyncio.run(work())


def _get(services: Services, *, sync: bool) -> httpx.Response:
    if sync:
        with services.sync_client(NAME) as http:
            return http.get("/film")

    async def work() -> httpx.Response:
        try:
            return await services.http_client(NAME).get("/film")
        finally:
            await services.aclose()

    return asyncio.run(work())
