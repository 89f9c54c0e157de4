"""What a service sends back in its headers: our key, an address to go on to, letters beyond ASCII."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from cinegraph_core.errors import ConfigurationError, ServiceTimeoutError
from tests.support.cached_door import KEY, bench_of, shared_bench
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, hang
from tests.support.keyed_door import KEY as HEADER_KEY
from tests.support.keyed_door import KeyedBench

pytestmark = pytest.mark.usefixtures("patient_cache")


def with_slash(exchange: Exchange) -> None:
    """Redirect as many frameworks do, to the address that was asked for, parameters and all, with a slash."""
    answer(301, b"", {"Location": exchange.target.replace("/film?", "/film/?"), "Refresh": f"0; url={exchange.target}"})(exchange)


def with_links(exchange: Exchange) -> None:
    answer(200, b'{"id": 1}', {"Link": f'<http://films.example{exchange.target}>; rel="self"', "X-Asked": exchange.target})(
        exchange
    )


def got(bench: Bench, path: str, *, sync: bool, **options: Any) -> httpx.Response:
    if sync:
        with bench.services.sync_client(NAME) as http:
            return http.get(path, follow_redirects=True, **options)

    async def get() -> httpx.Response:
        async with bench.services.http_client(NAME) as http:
            return await http.get(path, follow_redirects=True, **options)

    return asyncio.run(get())


def seen(response: httpx.Response) -> str:
    """Return all that a caller sees of a response but its body."""
    return repr(
        (response.url, response.request.url, response.request.headers, response.headers.raw, response.extensions["cinegraph"])
    )


@pytest.mark.parametrize("sync", [True, False])
def test_a_key_that_is_sent_back_is_seen_by_nobody_and_the_redirect_works(
    server: FaultServer, database_url: str, sync: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.plan("/film", with_slash)
    server.plan("/film/", with_links)
    responses = []
    for _ in range(2):  # the second process finds what the first one kept
        with shared_bench(database_url, server.url) as bench:
            responses.append(got(bench, "/film", sync=sync, params={"language": "de"}))
    for response in responses:
        assert response.json() == {"id": 1}
        assert response.headers["link"].endswith('>; rel="self"')
        assert KEY not in "".join(map(seen, [response, *response.history]))
    assert KEY not in caplog.text
    assert KEY not in repr(bench.rows.all)
    assert server.received[1].target == f"/film/?language=de&api_key={KEY}"
    assert server.counts["/film/"] == 1


def test_a_key_in_a_header_is_masked_where_it_is_sent_back(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", lambda exchange: answer(200, b"{}", {"X-Echo": f"{exchange.headers['x-key']}, Amelie"})(exchange))
    response = got(bench, "/film", sync=True)
    assert response.headers["x-echo"] == "***, Amelie"
    assert HEADER_KEY not in seen(response)


def leads_to(path: str, clock: PatientClock) -> Behaviour:
    """Redirect after 0.7 s."""

    def send(exchange: Exchange) -> None:
        clock.advance(0.7)
        answer(302, b"", {"Location": path})(exchange)

    return send


@pytest.mark.parametrize("sync", [True, False])
def test_lesson_23_the_deadline_bounds_a_chain_of_redirects(server: FaultServer, sync: bool) -> None:
    bench = bench_of(server.url, clock=PatientClock(patience=0.5), timeout=1.0, deadline=1.5)
    server.plan("/0", leads_to("/1", bench.clock))
    server.plan("/1", leads_to("/2", bench.clock))
    server.plan("/2", hang)
    with pytest.raises(ServiceTimeoutError):
        got(bench, "/0", sync=sync)
    assert bench.clock.monotonic() == pytest.approx(1.5)
    assert bench.rows.brief == [(True, None, 1), (True, None, 1), (False, "timeout", 1)]
    assert [row.response_time_ms for row in bench.rows.all] == pytest.approx([700.0, 700.0, 100.0])


def test_who_follows_by_hand_may_take_their_time_and_a_request_sent_again_has_all_of_it(server: FaultServer) -> None:
    bench = bench_of(server.url, clock=PatientClock(patience=0.5), timeout=1.0, deadline=1.5)
    server.plan("/0", leads_to("/1", bench.clock), hang)
    server.plan("/1", hang)
    with bench.services.sync_client(NAME) as http:
        request = http.build_request("GET", "/0")
        led_on = http.send(request).next_request
        assert led_on is not None
        for next_one, seconds in ((led_on, 0.8), (request, 1.0)):
            bench.clock.advance(100.0)
            began = bench.clock.monotonic()
            with pytest.raises(ServiceTimeoutError):
                http.send(next_one)
            assert bench.clock.monotonic() - began == pytest.approx(seconds)


@pytest.mark.parametrize("sync", [True, False])
def test_a_redirect_to_another_host_is_an_error_of_httpx_too(server: FaultServer, sync: bool) -> None:
    server.plan("/film", answer(302, b"", {"Location": "https://elsewhere.example/film"}))
    with pytest.raises(httpx.RequestError) as caught:
        got(bench_of(server.url), "/film", sync=sync)
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.request.url.host == "elsewhere.example"
    assert [exchange.target.partition("?")[0] for exchange in server.received] == ["/film"]


@pytest.mark.parametrize("value", ["Amélie".encode(), "Amélie".encode("latin-1")])
def test_a_header_beyond_ascii_is_kept_and_handed_on(server: FaultServer, value: bytes) -> None:
    def send(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 Fine\r\nConnection: close\r\nContent-Length: 2\r\nX-Title: %s\r\n\r\n{}"
        exchange.send(head % value)

    server.plan("/film", send)
    bench = bench_of(server.url)

    async def get() -> list[httpx.Response]:
        async with bench.services.http_client(NAME) as http:
            together = await asyncio.gather(*[http.get("/film") for _ in range(3)])
            return [*together, await http.get("/film")]

    assert {response.headers["x-title"] for response in asyncio.run(get())} == {"Amélie"}
    assert server.counts["/film"] == 1
