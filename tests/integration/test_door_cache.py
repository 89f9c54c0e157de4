"""The cache at the door, over real HTTP: one request for all who ask, bounds, and answers that say what they are."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from cinegraph_core.contracts import Replica
from cinegraph_core.errors import NotFoundError, ServerError
from tests.support.cached_door import bench_of
from tests.support.door import NAME
from tests.support.fault_server import Exchange, FaultServer, answer, slowly
from tests.support.waiting import within


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/film", answer())
    return server


def test_lesson_27_the_second_caller_is_answered_from_the_cache_whatever_the_order_of_parameters(server: FaultServer) -> None:
    bench = bench_of(server.url)
    first, second = bench.each(lambda: bench.get(query="Alive", year=2020), lambda: bench.get(year=2020, query="Alive"))
    assert first == second == {"id": 1}
    assert server.counts["/film"] == bench.client.requests_sent == 1
    assert bench.rows.provenances == [("live", 1), ("cache", 0)]
    assert bench.rows.all[1].success
    assert bench.client.provenance == "cache"


def test_lesson_27_a_ttl_of_0_keeps_nothing_and_every_caller_asks(server: FaultServer) -> None:
    bench = bench_of(server.url, cache_ttl=0)
    bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(3))), bench.get)
    assert server.counts["/film"] == 4


def test_lesson_27_100_cold_callers_make_one_request(server: FaultServer) -> None:
    server.plan("/film", slowly(answer()))
    bench = bench_of(server.url)
    (answers,) = bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(100))))
    assert answers == [{"id": 1}] * 100
    assert server.counts["/film"] == 1
    assert sum(row.attempts for row in bench.rows.all) == 1
    assert len(bench.rows.all) == 100


def test_lesson_27_100_cold_callers_make_one_request_also_when_it_fails(server: FaultServer) -> None:
    server.plan("/film", slowly(answer(503)))
    bench = bench_of(server.url)
    (errors,) = bench.each(lambda: asyncio.gather(*(bench.get() for _ in range(100)), return_exceptions=True))
    assert all(isinstance(error, ServerError) for error in errors)
    assert len(set(map(id, errors))) == 100, "each caller has an error of its own"
    assert server.counts["/film"] == 1
    assert sorted(bench.rows.brief) == [*[(False, "server_error", 0)] * 99, (False, "server_error", 1)]


def test_a_leader_that_gives_up_leaves_the_request_to_the_next(server: FaultServer) -> None:
    server.plan("/film", slowly(answer()))
    bench = bench_of(server.url)

    async def work() -> Any:
        leader, *followers = (asyncio.ensure_future(bench.get()) for _ in range(6))
        assert await asyncio.to_thread(server.reached.wait, 10.0)
        leader.cancel()
        return await asyncio.gather(leader, *followers, return_exceptions=True)

    (outcomes,) = bench.each(work)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [{"id": 1}] * 5
    assert server.counts["/film"] == 2


def test_threads_with_clients_of_their_own_share_one_request(server: FaultServer) -> None:
    server.plan("/film", slowly(answer()))
    bench = bench_of(server.url)
    bodies: list[Any] = []

    def ask() -> None:
        with bench.services.sync_client(NAME) as http:
            bodies.append(http.get("/film").json())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [{"id": 1}] * 4
    assert server.counts["/film"] == 1


def test_an_answer_is_asked_for_anew_when_its_time_is_over_and_by_who_wants_it_fresh(server: FaultServer) -> None:
    bench = bench_of(server.url)
    bench.each(bench.get, lambda: bench.get(fresh=True))
    assert server.counts["/film"] == 2
    bench.clock.advance(100.0)
    bench.each(bench.get)
    assert server.counts["/film"] == 3


def test_lesson_27_what_who_wants_it_fresh_was_told_takes_the_place_of_what_is_kept(server: FaultServer) -> None:
    server.plan("/film", *(answer(200, b'{"id": %d}' % number) for number in (1, 2, 3)))
    bench = bench_of(server.url)
    told = bench.each(bench.get, lambda: bench.get(fresh=True), bench.get)
    assert told == [{"id": 1}, {"id": 2}, {"id": 2}]
    server.plan("/film", answer(503))
    bench.each(lambda: bench.get(fresh=True))
    assert bench.each(bench.get) == [{"id": 2}], "an error takes nothing's place"


def test_lesson_27_an_answer_that_comes_late_does_not_take_the_place_of_one_that_was_asked_for_after_it(
    server: FaultServer,
) -> None:
    released = threading.Event()

    def late(exchange: Exchange) -> None:
        released.wait(10.0)
        answer(200, b'{"id": 2}')(exchange)

    server.plan("/film", answer(200, b'{"id": 1}'), late, answer(200, b'{"id": 3}'))
    bench = bench_of(server.url, cache_on_error=1000.0)

    async def overtake() -> list[Any]:
        bench.clock.advance(100.0)
        first = asyncio.ensure_future(bench.get())
        assert await asyncio.to_thread(within, 5.0, lambda: server.counts["/film"] == 2)
        bench.clock.advance(1.0)
        second = await bench.get(fresh=True)
        released.set()
        return [second, await first]

    assert bench.each(bench.get, overtake, bench.get) == [{"id": 1}, [{"id": 3}, {"id": 2}], {"id": 3}]


def test_what_is_only_ever_wanted_fresh_is_not_kept(server: FaultServer) -> None:
    bench = bench_of(server.url)
    bench.each(*[lambda: bench.get(fresh=True)] * 2, bench.get)
    assert server.counts["/film"] == 3


def test_lesson_27_that_there_is_no_such_thing_is_kept_for_a_time_of_its_own(server: FaultServer) -> None:
    bench = bench_of(server.url, cache_negative_ttl=10.0)
    absent = lambda: bench.get("/none", absent_ok=True)  # noqa: E731
    assert bench.each(absent, absent) == [None, None]
    assert server.counts["/none"] == 1
    (unexpected,) = bench.each(lambda: bench.get("/none"))
    assert isinstance(unexpected, NotFoundError), "to who does not expect it, it is an error"
    assert bench.rows.brief == [(True, "not_found", 1), (True, "not_found", 0), (False, "not_found", 0)]
    assert server.counts["/none"] == 1
    bench.clock.advance(10.0)
    bench.each(absent)
    assert server.counts["/none"] == 2


def test_errors_and_what_may_not_be_stored_are_never_kept(server: FaultServer) -> None:
    server.plan("/bad", answer(500))
    server.plan("/own", answer(headers={"cache-control": "private, no-store"}))
    bench = bench_of(server.url, breaker_failures=50)
    bench.each(*[lambda: bench.get("/bad")] * 2, *[lambda: bench.get("/own")] * 2)
    assert (server.counts["/bad"], server.counts["/own"]) == (2, 2)

    async def personal() -> None:
        http = bench.services.http_client(NAME)
        for headers in ({"Authorization": "Bearer x"}, {"Cookie": "a=b"}, {"Cache-Control": "no-cache"}, {"Range": "bytes=0-1"}):
            await http.get("/film", headers=headers)
        await http.post("/film")

    bench.each(personal, personal)
    assert server.counts["/film"] == 10


def test_lesson_27_a_stale_answer_serves_where_no_other_can_be_had_and_says_so(server: FaultServer) -> None:
    server.plan("/film", answer(), answer(503))
    bench = bench_of(server.url, cache_on_error=1000.0, breaker_failures=2)
    bench.each(bench.get)
    bench.clock.advance(100.0)
    assert bench.each(*[bench.get] * 4) == [{"id": 1}] * 4
    assert bench.services.breaker_state(NAME) == "open"
    assert bench.rows.provenances == [("live", 1), ("stale", 1), ("stale", 1), ("stale", 0), ("stale", 0)]
    assert bench.client.provenance == "stale"
    bench.clock.advance(1000.0)
    (gone,) = bench.each(bench.get)
    assert isinstance(gone, ServerError)


def test_a_stale_answer_serves_at_once_while_one_request_renews_it(server: FaultServer) -> None:
    server.plan("/film", answer(), answer(200, b'{"id": 2}'))
    bench = bench_of(server.url, cache_revalidate=50.0)

    async def meanwhile() -> list[Any]:
        stale = await asyncio.gather(*(bench.get() for _ in range(20)))
        await asyncio.to_thread(within, 5.0, lambda: len(bench.rows.all) == 22)
        return stale

    bench.each(bench.get)
    bench.clock.advance(120.0)
    stale, renewed = bench.each(meanwhile, bench.get)
    assert stale == [{"id": 1}] * 20
    assert renewed == {"id": 2}
    assert server.counts["/film"] == 2
    assert bench.client.requests_sent == 1, "the renewal is nobody's own"
    assert bench.rows.provenances[1:] == [*[("stale", 0)] * 20, ("live", 1), ("cache", 0)]


def test_lesson_28_a_kept_answer_of_a_replica_is_still_mock_and_none_is_kept_without_being_asked(server: FaultServer) -> None:
    stand_in = Replica("stand_in", (NAME,), lambda: {NAME: server.url})
    bench = bench_of("http://127.0.0.1:1", stand_in, mode="mock")
    bench.each(bench.get, bench.get)
    assert bench.rows.provenances == [("mock", 1), ("mock", 0)]
    assert bench.client.provenance == "mock"
    silent = bench_of("http://127.0.0.1:1", stand_in, mode="mock", cache_ttl=None)
    assert silent.services.spec(NAME).cache_ttl == 0.0
