"""What one caller's answer may be to another: the same to who asks the same, judged by each, and never older than a purge."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from cinegraph_core.actions import clear_cache
from cinegraph_core.contracts import Answer, Call, Replica
from cinegraph_core.errors import LayoutChangedError, PageError, ServiceError
from cinegraph_core.services.shared import Controls, SharedState
from cinegraph_core.storage import Database
from tests.support.cached_door import bench_of, in_turn
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, shared_state
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, head_of, reset_at_once, slowly
from tests.support.waiting import within

pytestmark = pytest.mark.usefixtures("patient_cache")


def echo(*names: str, vary: str = "") -> Behaviour:
    """Return a behaviour that answers with the headers of these names it was sent."""

    def behave(exchange: Exchange) -> None:
        told = {name: exchange.headers.get(name) for name in names} | {"target": exchange.target}
        answer(200, json.dumps(told).encode(), {"Vary": vary} if vary else {})(exchange)

    return behave


def bodies(bench: Bench, *asked: dict[str, Any], path: str = "/film") -> list[Any]:
    """Ask for a path with these options, one after the other."""

    async def work() -> list[Any]:
        http = bench.services.http_client(NAME)
        return [(await http.get(path, **options)).json() for options in asked]

    (told,) = bench.each(work)
    return list(told)


# ------------------------------------------------------------------------------------------- cookies


@pytest.mark.parametrize("blocking", [False, True])
def test_lesson_27_an_answer_that_sets_a_cookie_does_not_end_the_cache(server: FaultServer, *, blocking: bool) -> None:
    server.plan("/film", answer(headers={"Set-Cookie": "__cf_bm=abc; Path=/"}))
    server.plan("/other", answer())
    bench = bench_of(server.url)
    if blocking:
        with bench.services.sync_client(NAME) as http:
            for path in ("/film", "/film", "/other", "/other"):
                http.get(path)
    else:
        bench.each(bench.get, bench.get, lambda: bench.get("/other"), lambda: bench.get("/other"))
    assert server.counts == {"/film": 1, "/other": 1}
    assert all("cookie" not in exchange.headers for exchange in server.received)


def test_a_cookie_of_the_caller_s_own_is_sent_and_its_answer_is_not_kept(server: FaultServer) -> None:
    server.plan("/film", echo("cookie"))
    bench = bench_of(server.url)
    told = bodies(bench, *[{"headers": {"Cookie": "a=b"}}] * 2)
    assert [one["cookie"] for one in told] == ["a=b", "a=b"]
    assert server.counts["/film"] == 2


# ------------------------------------------------------------------------------------------- keys


def test_a_caller_s_own_headers_tell_answers_apart(server: FaultServer) -> None:
    server.plan("/film", echo("x-auth-token", "x-api-version", vary="X-Api-Version, X-Auth-Token"))
    bench = bench_of(server.url)
    given = [{"X-Auth-Token": "alice"}, {"X-Auth-Token": "bob"}, {"X-Api-Version": "2"}, {}, {"x-auth-token": "alice"}]
    told = bodies(bench, *[{"headers": headers} for headers in given])
    assert [one["x-auth-token"] for one in told] == ["alice", "bob", None, None, "alice"]
    assert [one["x-api-version"] for one in told] == [None, None, "2", None, None]
    assert server.counts["/film"] == 4


def test_who_asks_and_how_the_answer_is_packed_make_no_difference(server: FaultServer) -> None:
    server.plan("/film", echo(vary="Accept-Encoding"))
    bench = bench_of(server.url)
    given = [
        {},
        {"Accept-Encoding": "identity"},
        {"Referer": "https://a.example/"},
        {"Traceparent": "00-1"},
        {"X-Request-Id": "7"},
    ]
    bodies(bench, *[{"headers": headers} for headers in given])
    assert server.counts["/film"] == 1
    bodies(bench, {"headers": {"User-Agent": "a telephone"}}, {"headers": {"Accept-Language": "de"}})
    assert server.counts["/film"] == 3


def test_an_answer_that_differs_for_unknown_reasons_is_not_kept(server: FaultServer) -> None:
    for path, vary in (("/any", "*"), ("/whence", "Accept, Referer"), ("/who", "Accept-Encoding, Cookie")):
        server.plan(path, echo(vary=vary))
        bodies(bench_of(server.url), {}, {}, path=path)
        assert server.counts[path] == 2


def test_the_order_of_values_of_one_name_makes_a_difference(server: FaultServer) -> None:
    server.plan("/film", echo())
    bench = bench_of(server.url)
    orders = ["by=year&page=1&by=title", "by=title&page=1&by=year", "page=1&by=year&by=title"]
    told = [bodies(bench, {}, path=f"/film?{query}")[0]["target"] for query in orders]
    assert ["by=year&by=title" in target for target in told] == [True, False, True]
    assert server.counts.total() == 2


def test_words_of_cache_control_are_understood_in_whatever_case(server: FaultServer) -> None:
    server.plan("/own", answer(headers={"Cache-Control": "No-Store"}))
    server.plan("/one", answer(headers={"Cache-Control": "max-age=60, Private"}))
    server.plan("/film", answer())
    bench = bench_of(server.url)
    bodies(bench, {}, {}, path="/own")
    bodies(bench, {}, {}, path="/one")
    bodies(bench, {}, {"headers": {"Cache-Control": "No-Cache"}}, {"headers": {"Cache-Control": "max-age=600"}})
    assert (server.counts["/own"], server.counts["/one"], server.counts["/film"]) == (2, 2, 3)


def test_the_answer_to_a_get_with_a_body_is_not_kept(server: FaultServer) -> None:
    server.plan("/film", answer())
    bench = bench_of(server.url)

    async def work() -> None:
        http = bench.services.http_client(NAME)
        for wanted in ("one", "two"):
            await http.request("GET", "/film", json={"wanted": wanted})

    bench.each(work)
    assert server.counts["/film"] == 2


# ------------------------------------------------------------------------------------------- flights


def asking(bench: Bench, server: FaultServer, *asked: tuple[bool, Callable[[Answer], Any]]) -> list[Any]:
    """Ask for the same with these calls (absent_ok, read), the others when the first has arrived; return what each got."""

    async def one(absent_ok: bool, read: Callable[[Answer], Any]) -> Any:
        try:
            return await bench.client.get("/film", call=Call(NAME, "movie_details", "tt1", read, absent_ok))
        except (ServiceError, PageError) as error:
            return error.error_type

    return in_turn(bench, server, *(partial(one, *given) for given in asked))


def unreadable(_: Answer) -> Any:
    raise LayoutChangedError("this reader does not know the page")


@pytest.mark.parametrize("strict_first", [True, False])
def test_lesson_27_whether_an_absence_is_an_error_is_each_caller_s_own_affair(server: FaultServer, *, strict_first: bool) -> None:
    server.plan("/film", slowly(answer(404, b"{}")))
    bench = bench_of(server.url)
    told = asking(bench, server, (not strict_first, Answer.json), (strict_first, Answer.json))
    assert told == (["not_found", None] if strict_first else [None, "not_found"])
    assert server.counts["/film"] == 1
    assert sorted((row.success, row.error_type) for row in bench.rows.all) == [(False, "not_found"), (True, "not_found")]
    assert sorted(row.attempts for row in bench.rows.all) == [0, 1]


def test_lesson_27_each_caller_reads_the_answer_that_came_for_all(server: FaultServer) -> None:
    server.plan("/film", slowly(answer(200, b'{"id": 1}')))
    bench = bench_of(server.url)
    told = asking(bench, server, (False, unreadable), (False, Answer.json), (False, unreadable))
    assert told == ["layout_changed", {"id": 1}, "layout_changed"]
    assert server.counts["/film"] == 1
    assert bench.rows.brief == [(False, "layout_changed", 1), (True, None, 0), (False, "layout_changed", 0)]


@pytest.mark.parametrize(("last", "error"), [(answer(503), "server_error"), (reset_at_once, "network_error")])
def test_an_answer_that_failed_before_the_last_attempt_is_not_handed_on(server: FaultServer, last: Behaviour, error: str) -> None:
    server.plan("/film", slowly(answer(200, b"not json")), last)
    bench = bench_of(server.url, retries=1)
    told = asking(bench, server, (False, Answer.json), (False, lambda reply: reply.body))
    assert told == [error, error]
    assert server.counts["/film"] == 2


def test_who_cannot_read_the_answer_of_another_turns_to_the_replica_or_to_a_stale_answer(server: FaultServer) -> None:
    server.plan("/film", slowly(answer(200, b"not json")))
    readers = ((False, lambda reply: reply.body), (False, Answer.json))
    with FaultServer() as other:
        other.plan("/film", answer(200, b'{"id": 2}'))
        bench = bench_of(server.url, Replica("stand_in", (NAME,), lambda: {NAME: other.url}), mode="hybrid")
        assert asking(bench, server, *readers) == [b"not json", {"id": 2}]
        assert bench.rows.provenances == [("live", 1), ("fallback", 1)]
    server.plan("/film", answer(200, b'{"id": 1}'), slowly(answer(200, b"not json")))
    bench = bench_of(server.url, cache_on_error=1000.0)
    bench.each(bench.get)
    bench.clock.advance(200.0)
    assert asking(bench, server, *readers) == [b"not json", {"id": 1}]
    assert bench.rows.provenances == [("live", 1), ("live", 1), ("stale", 0)]


# ------------------------------------------------------------------------------------------- purges


class Hearing:
    """Hears the words that every process obeys, after the cache has heard them."""

    def __init__(self) -> None:
        self.words: Controls = {}

    def pulse(self, shared: SharedState, *, ending: bool) -> None:
        """Have nothing to tell."""

    def obey(self, words: Controls) -> None:
        self.words = words


@pytest.mark.parametrize("tag", ["", "film:603"])
def test_what_was_asked_before_a_purge_answers_nobody_after_it(database_url: str, server: FaultServer, tag: str) -> None:
    hearing, clock = Hearing(), PatientClock()

    def late(exchange: Exchange) -> None:
        clock.advance(1.0)
        clear_cache(database, NAME, tag=tag, clock=clock, who="anna")
        clock.advance(1.0)
        within(5.0, lambda: bool(hearing.words))
        exchange.send(head_of(200, 8) + b'"before"')

    server.plan("/film", late, answer(200, b'"after"'))
    database = Database(database_url)
    with shared_state(database_url, clock) as shared:
        bench = bench_of(server.url, shared=shared, clock=clock)
        shared.join(hearing)
        assert bench.each(bench.get, bench.get, bench.get) == ["before", "after", "after"]
    with shared_state(database_url, clock) as shared:
        later = bench_of(server.url, shared=shared, clock=clock)
        assert later.each(later.get) == ["after"]
    assert server.counts["/film"] == 2
    database.close()
