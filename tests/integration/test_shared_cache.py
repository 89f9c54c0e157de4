"""What one process keeps, every process has, within a second and on both databases."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from sqlalchemy import text

from cinegraph_core.actions import clear_cache
from cinegraph_core.contracts import Answer, ServiceSpec
from cinegraph_core.resilience.cache import Memory
from cinegraph_core.services.cache import ServiceCache
from cinegraph_core.services.cache_shared import Kept
from cinegraph_core.storage import Database
from cinegraph_core.storage.cache import cache_summary
from tests.support.cached_door import KEY, bench_of, shared_bench
from tests.support.clocks import PatientClock
from tests.support.door import NAME, Bench, shared_state
from tests.support.fault_server import FaultServer, answer
from tests.support.waiting import busy, looked, within

pytestmark = pytest.mark.usefixtures("patient_cache")


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    server.plan("/film", answer())
    return server


def database_holds(database: Database, entries: int) -> bool:
    with database.reading() as session:
        return cache_summary(session, PatientClock().now()).get(NAME, {}).get("entries") == entries


def test_what_one_process_kept_answers_the_next_without_secrets_in_it(database_url: str, server: FaultServer) -> None:
    server.plan("/film", answer(headers={"Set-Cookie": f"session={KEY}"}))
    with shared_bench(database_url, server.url) as bench:
        bench.each(lambda: bench.get(year=2020, api_key=KEY))
    with shared_bench(database_url, server.url) as later:
        later.each(lambda: later.get(year=2020), lambda: later.get(year=2020))
        assert later.rows.provenances == [("cache", 0)] * 2
    assert server.counts["/film"] == 1
    database = Database(database_url)
    with database.reading() as session:
        (row,) = session.execute(text("SELECT * FROM cached_answers")).mappings().all()
        summary = cache_summary(session, PatientClock().now())[NAME]
    database.close()
    assert KEY not in str(dict(row))
    assert row["url"] == "https://films.example/3/film?year=2020&api_key=***"
    assert (summary["entries"], summary["stored"], summary["misses"], summary["hits"]) == (1, 1, 1, 2)


def test_what_one_process_keeps_another_that_runs_finds_within_a_second(database_url: str, server: FaultServer) -> None:
    with shared_state(database_url, PatientClock()) as ones, shared_state(database_url, PatientClock()) as others:
        one, other = (bench_of(server.url, shared=shared) for shared in (ones, others))
        other.each(lambda: other.get(n=0))
        one.each(lambda: one.get(n=1))
        sent = server.counts["/film"]
        assert looked(ones)
        assert looked(others)
        other.each(lambda: other.get(n=1))
        assert server.counts["/film"] == sent


def test_a_cleared_cache_is_felt_within_a_second_by_every_process(database_url: str, server: FaultServer) -> None:
    database = Database(database_url)
    with shared_bench(database_url, server.url) as bench:
        bench.each(bench.get)
        bench.clock.advance(1.0)
        change = clear_cache(database, NAME, clock=bench.clock, who="anna")
        assert change.who == "anna"
        assert within(1.0, lambda: bench.each(bench.get) == [{"id": 1}] and server.counts["/film"] == 2)
        bench.each(bench.get)
        assert server.counts["/film"] == 2
    database.close()


def test_what_is_about_one_thing_is_forgotten_by_every_process_and_the_rest_is_not_asked_for(
    database_url: str, server: FaultServer
) -> None:
    database = Database(database_url)
    with shared_bench(database_url, server.url) as one, shared_bench(database_url, server.url) as other:
        ask = {n: partial(Bench.get, n=n, tags=(f"film:{n}",)) for n in (603, 604)}
        one.each(partial(ask[603], one), partial(ask[604], one))
        assert within(2.0, lambda: database_holds(database, 2))
        other.each(partial(ask[603], other), partial(ask[604], other))
        for bench in (one, other):
            bench.clock.advance(1.0)
        change = clear_cache(database, NAME, tag="film:603", clock=one.clock, who="anna")
        assert change.before == {"entries": 1, "tag": "film:603"}
        server.plan("/film", answer(200, b'{"id": 2}'))
        for bench in (other, one):
            assert within(1.0, lambda bench=bench: bench.each(partial(ask[603], bench)) == [{"id": 2}])  # type: ignore[misc]
            assert bench.each(partial(ask[604], bench)) == [{"id": 1}]
            assert bench.rows.provenances[-1] == ("cache", 0)
    database.close()


def test_what_a_cache_does_is_counted_in_memory_and_in_the_database(database_url: str) -> None:
    spec = ServiceSpec(NAME, base_url="https://films.example", cache_ttl=100.0, cache_revalidate=50.0)
    clock = PatientClock()
    with shared_state(database_url, clock) as shared:
        memory = Memory(entries=2)
        cache = ServiceCache(spec, memory, Kept(shared, memory), clock)
        for number in range(4):
            cache.keep(f"{number}", "/film", Answer(200, {}, b"{}", "https://films.example/film"), absent=False)
        cache.keep("none", "/none", Answer(404, {}, b"", "https://films.example/none"), absent=True)
        _, leading = cache.board("3")
        _, follows = cache.board("3")
        assert (leading, follows) == (True, False)
        _, renews = cache.board("3", joins=False)
        assert not renews
        cache.count_served(asyncio.run(cache.find("3")) or pytest.fail("it is kept"))
        cache.count_served(asyncio.run(cache.find("none")) or pytest.fail("it is kept"))
        clock.advance(120.0)
        cache.count_served(asyncio.run(cache.find("3")) or pytest.fail("it is kept"))
    database = Database(database_url)
    with database.reading() as session:
        found = cache_summary(session, clock.now())[NAME]
    database.close()
    counted = {name: found[name] for name in ("hits", "negative", "stale", "misses", "joined", "stored", "evicted")}
    assert counted == {"hits": 2, "negative": 1, "stale": 1, "misses": 1, "joined": 1, "stored": 5, "evicted": 3}


def test_keys_that_are_gone_are_forgotten_when_many_have_come(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinegraph_core.services.cache_shared._FEW_KEYS", 10)
    spec, clock = ServiceSpec(NAME, base_url="https://films.example", cache_ttl=50.0), PatientClock()
    with shared_state(database_url, clock) as shared:
        memory = Memory()
        kept = Kept(shared, memory)
        cache = ServiceCache(spec, memory, kept, clock)

        def keep(numbers: range) -> None:
            for number in numbers:
                cache.keep(f"{number}", "/film", Answer(200, {}, b"{}", "https://films.example/film"), absent=False)
            kept.pulse(shared, ending=False)
            assert kept.may_hold("0")
            assert all(kept.may_hold(f"{number}") for number in numbers)

        with busy(shared, has_begun=True):  # each look is made by hand
            kept.pulse(shared, ending=False)
            keep(range(8))
            clock.advance(100.0)
            keep(range(8, 12))
            kept.pulse(shared, ending=False)
            assert not any(kept.may_hold(f"{number}") for number in range(8))
            assert all(kept.may_hold(f"{number}") for number in range(8, 12))


def test_a_cache_that_breaks_fails_no_call(database_url: str, server: FaultServer) -> None:
    database = Database(database_url)
    with shared_bench(database_url, server.url) as bench:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE cached_answers RENAME TO elsewhere"))
        assert bench.each(bench.get, bench.get) == [{"id": 1}] * 2
        assert server.counts["/film"] == 1, "memory goes on"
        with database.transaction() as session:
            session.execute(text("ALTER TABLE elsewhere RENAME TO cached_answers"))
    database.close()
