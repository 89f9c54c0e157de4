"""Calls that ask the same at once share a request only where they would end alike: who may be told what by whom."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from cinegraph_core.contracts import Answer, Call, Replica
from cinegraph_core.errors import LayoutChangedError, PageError, ServiceError
from tests.support.cached_door import bench_of, in_turn
from tests.support.door import NAME, Bench
from tests.support.fault_server import FaultServer, answer, slowly


@pytest.fixture
def replica() -> Iterator[FaultServer]:
    with FaultServer() as stand_in:
        stand_in.plan("/film", answer(200, b'"replica"'))
        yield stand_in


def hybrid(server: FaultServer, replica: FaultServer) -> Bench:
    """A door whose service is away for good, with a replica in its place."""
    server.plan("/film", slowly(answer(503)))
    return bench_of(server.url, Replica("stand_in", (NAME,), lambda: {NAME: replica.url}), mode="hybrid")


def asking(bench: Bench, server: FaultServer, *asked: dict[str, Any]) -> list[Any]:
    """Make these calls, the others when the first has arrived; return what each was told."""

    async def one(given: dict[str, Any]) -> Any:
        try:
            return await bench.client.get("/film", call=Call(NAME, "movie_details", "tt1", **({"read": Answer.json} | given)))
        except (ServiceError, PageError) as error:
            return error.error_type

    return in_turn(bench, server, *(partial(one, given) for given in asked))


def test_lesson_28_who_wants_the_service_itself_is_never_told_what_a_replica_said(
    server: FaultServer, replica: FaultServer
) -> None:
    bench = hybrid(server, replica)
    assert asking(bench, server, {}, {"mode": "real"}) == ["replica", "server_error"]
    assert sorted(bench.rows.provenances) == [("fallback", 2), ("live", 1)]


def test_lesson_28_the_error_of_who_wants_the_service_itself_keeps_nobody_from_the_replica(
    server: FaultServer, replica: FaultServer
) -> None:
    assert asking(hybrid(server, replica), server, {"mode": "real"}, {}) == ["server_error", "replica"]


def test_lesson_27_those_who_may_be_told_by_a_replica_share_one_request_to_each(
    server: FaultServer, replica: FaultServer
) -> None:
    assert asking(hybrid(server, replica), server, *[{}] * 3, *[{"mode": "hybrid"}] * 2) == ["replica"] * 5
    assert (server.counts["/film"], replica.counts["/film"]) == (1, 1)


@pytest.mark.parametrize("once", [{"retry": False}, {"idempotent": False}])
def test_the_error_of_who_does_not_try_again_is_not_that_of_who_does(server: FaultServer, once: dict[str, Any]) -> None:
    server.plan("/film", slowly(answer(503)), answer())
    bench = bench_of(server.url, retries=2)
    assert asking(bench, server, once, {}) == ["server_error", {"id": 1}]


def unreadable(_: Answer) -> Any:
    raise LayoutChangedError("this reader does not know the page")


def test_lesson_27_who_shares_an_error_and_has_a_stale_answer_is_told_that(server: FaultServer) -> None:
    server.plan("/film", answer(), slowly(answer(503)))
    bench = bench_of(server.url, cache_on_error=1000.0)
    bench.each(bench.get)
    bench.clock.advance(200.0)
    assert asking(bench, server, {"read": unreadable}, {}) == ["server_error", {"id": 1}]
    assert server.counts["/film"] == 2
    assert sorted(bench.rows.brief[1:]) == [(False, "server_error", 1), (True, None, 0)]
    assert bench.rows.provenances[-1] == ("stale", 0)


def test_nobody_complains_of_an_error_that_comes_when_who_waited_has_given_up(server: FaultServer) -> None:
    server.plan("/film", slowly(answer(503)))
    bench, complaints = bench_of(server.url), []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
        leader, follower = (asyncio.ensure_future(bench.get()) for _ in range(2))
        assert await asyncio.to_thread(server.reached.wait, 10.0)
        follower.cancel()
        await asyncio.wait({leader, follower})
        leader.exception()
        del leader, follower
        await asyncio.sleep(0)
        gc.collect()

    bench.each(work)
    assert complaints == []


def test_a_status_is_the_same_error_to_httpx_whoever_asked_and_from_the_cache(server: FaultServer) -> None:
    server.plan("/film", slowly(answer(404, b'{"why": "unknown"}')))
    bench = bench_of(server.url, cache_negative_ttl=50.0)

    async def missing(http: httpx.AsyncClient) -> httpx.Response:
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await http.get("/film")
        return caught.value.response

    async def work() -> list[httpx.Response]:
        async with bench.services.http_client(NAME) as http:
            together = await asyncio.gather(missing(http), missing(http))
            await bench.get(absent_ok=True)
            return [*together, await missing(http)]

    (told,) = bench.each(work)
    assert [(one.status_code, one.json()) for one in told] == [(404, {"why": "unknown"})] * 3
    assert server.counts["/film"] == 2
