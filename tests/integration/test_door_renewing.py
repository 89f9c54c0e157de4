"""An answer just too old is renewed for the next caller, also where each caller closes its client at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest

from cinegraph_core.errors import CancelledError
from cinegraph_core.services.service_client import CALL
from tests.support.cached_door import bench_of
from tests.support.door import NAME, Bench, run_in
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, hang
from tests.support.waiting import within

OLD, NEW = b'{"id": 1}', b'{"id": 2}'


def once(gate: threading.Event, body: bytes = NEW) -> Behaviour:
    """Answer when a test says so."""

    def send(exchange: Exchange) -> None:
        assert gate.wait(5.0)
        answer(200, body)(exchange)

    return send


def bench_with(server: FaultServer, renewal: Behaviour) -> Bench:
    """Return a door with an answer just too old, which the next caller has renewed."""
    server.plan("/film", answer(200, OLD), renewal)
    bench = bench_of(server.url, cache_revalidate=60.0)
    bench.run(bench.get)
    bench.clock.advance(101.0)
    return bench


def got(bench: Bench, *, sync: bool, then: Callable[[], None] = lambda: None) -> tuple[bytes, str | None]:
    """Return body and provenance of an answer got by a client of its own; do something before that is closed."""

    def told(response: httpx.Response) -> tuple[bytes, str | None]:
        then()
        return response.content, response.extensions[CALL].answer.provenance

    if sync:
        with bench.services.sync_client(NAME) as http:
            return told(http.get("/film"))

    async def get() -> tuple[bytes, str | None]:
        async with bench.services.http_client(NAME) as http:
            return told(await http.get("/film"))

    return asyncio.run(get())


@pytest.mark.parametrize("sync", [True, False])
def test_lesson_27_a_client_that_is_closed_at_once_has_the_answer_renewed(server: FaultServer, sync: bool) -> None:
    returned = threading.Event()
    bench = bench_with(server, once(returned))
    assert got(bench, sync=sync, then=returned.set) == (OLD, "stale")
    assert got(bench, sync=sync) == (NEW, "cache")
    assert server.counts["/film"] == 2
    assert bench.rows.brief == [(True, None, 1), (True, None, 0), (True, None, 1), (True, None, 0)]


def test_an_interrupted_thread_does_not_wait_for_a_renewal(server: FaultServer) -> None:
    bench = bench_with(server, hang)

    def interrupt() -> None:
        assert within(2.0, lambda: server.counts["/film"] == 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        got(bench, sync=True, then=interrupt)
    assert bench.rows.brief[2:] == [(False, "cancelled", 1)]
    assert server.hung_up.wait(2.0)


def test_a_cancelled_task_does_not_wait_for_a_renewal(server: FaultServer) -> None:
    bench = bench_with(server, hang)

    async def work() -> None:
        async with bench.services.http_client(NAME) as http:
            await http.get("/film")
            assert await asyncio.to_thread(within, 2.0, lambda: server.counts["/film"] == 2)
            own = asyncio.current_task()
            assert own is not None
            own.cancel()
            await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
    assert bench.rows.brief[2:] == [(False, "cancelled", 1)]
    assert server.hung_up.wait(2.0)


def test_who_comes_while_a_renewal_is_waited_for_keeps_its_connection(server: FaultServer) -> None:
    renewed, arrived = threading.Event(), threading.Event()
    bench = bench_with(server, once(renewed))
    server.plan("/late", once(arrived))

    async def come_and_go() -> None:
        async with bench.services.http_client(NAME) as first:
            await first.get("/film")

    async def work() -> int:
        first = asyncio.ensure_future(come_and_go())
        assert await asyncio.to_thread(within, 2.0, lambda: server.counts["/film"] == 2)
        async with bench.services.http_client(NAME) as late:
            call = asyncio.ensure_future(late.get("/late"))
            assert await asyncio.to_thread(within, 2.0, lambda: server.counts["/late"] == 1)
            assert not first.done()
            renewed.set()
            await first
            arrived.set()
            return (await call).status_code

    assert run_in(bench.services, work) == 200


def test_calls_of_a_closed_client_end_at_once_though_a_renewal_is_waited_for(server: FaultServer) -> None:
    renewed = threading.Event()
    bench = bench_with(server, once(renewed))
    server.plan("/late", hang)
    http = bench.services.sync_client(NAME)
    assert http.get("/film").content == OLD
    ends: list[BaseException] = []

    def call() -> None:
        try:
            http.get("/late")
        except CancelledError as error:
            ends.append(error)

    calling, closing = threading.Thread(target=call, daemon=True), threading.Thread(target=http.close, daemon=True)
    calling.start()
    assert within(2.0, lambda: server.counts == {"/film": 2, "/late": 1})
    closing.start()
    calling.join(5.0)
    assert len(ends) == 1
    assert closing.is_alive()
    renewed.set()
    closing.join(5.0)
    assert got(bench, sync=True) == (NEW, "cache")
