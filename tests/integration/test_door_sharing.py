"""Clients of one event loop: each its owner's to close, the connections common to all."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from tests.support.door import NAME
from tests.support.fault_server import Exchange, FaultServer, answer
from tests.support.keyed_door import KeyedBench


def test_two_tasks_open_and_close_a_client_each(server: FaultServer) -> None:
    """The usage that ``services.client`` shows, twice at a time and once more; a third task's client is not closed by it."""
    bench = KeyedBench(server.url)
    first_left = threading.Event()

    def once_the_first_has_left(exchange: Exchange) -> None:
        assert first_left.wait(5.0)
        answer()(exchange)

    server.plan("/film", answer())
    server.plan("/late", once_the_first_has_left)

    async def get(path: str) -> int:
        async with bench.services.http_client(NAME) as http:
            response = await http.get(path)
        first_left.set()
        return response.status_code

    async def work() -> None:
        plain = bench.services.http_client(NAME)
        assert await asyncio.gather(*map(get, ("/late", "/film"))) == [200, 200]
        assert await get("/film") == 200
        assert (await plain.get("/film")).status_code == 200
        assert (await bench.get("/film")) == {"id": 1}

    bench.run(work)
    assert [row.success for row in bench.rows.all] == [True] * 5


def keep_open(exchange: Exchange) -> None:
    """Answer one request after the other, until the client closes the connection."""
    reply = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\n{}"
    exchange.send(reply)
    while exchange.connection.recv(65536):
        exchange.send(reply)
    exchange.server.hung_up.set()


def test_they_share_a_connection_which_the_last_of_them_closes(server: FaultServer) -> None:
    """A script closes its client and nothing else."""
    bench = KeyedBench(server.url)
    server.plan("/film", keep_open)

    async def work() -> bool:
        async with bench.services.http_client(NAME) as other:
            async with bench.services.http_client(NAME) as one:
                await one.get("/film")
            await other.get("/film")
            assert not server.hung_up.is_set()
        return await asyncio.to_thread(server.hung_up.wait, 2.0)

    assert asyncio.run(work()), "the connection is closed with the last client"
    assert [row.success for row in bench.rows.all] == [True] * 2
    assert server.counts["/film"] == 1, "one connection"


def test_the_houses_own_client_is_closed_by_no_script(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", keep_open)

    async def work() -> None:
        await bench.get("/film")
        async with bench.services.http_client(NAME) as http:
            await http.get("/film")
        await bench.get("/film")
        assert not server.hung_up.is_set()
        await bench.services.aclose()
        assert await asyncio.to_thread(server.hung_up.wait, 2.0)

    asyncio.run(work())
    assert server.counts["/film"] == 1


def test_a_closed_client_sends_no_more_and_a_new_one_does(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer())

    async def work() -> None:
        old = bench.services.http_client(NAME)
        await bench.services.aclose()
        assert old.is_closed
        with pytest.raises(RuntimeError, match="has been closed"):
            await old.get("/film")
        assert (await bench.services.http_client(NAME).get("/film")).status_code == 200

    bench.run(work)


def test_a_client_made_without_a_loop_is_all_its_owners(server: FaultServer) -> None:
    bench = KeyedBench(server.url)
    server.plan("/film", answer())
    http = bench.services.http_client(NAME)

    async def get() -> httpx.Response:
        async with http:
            return await http.get("/film")

    assert asyncio.run(get()).status_code == 200
