"""Kept answers where processes meet: written at once, renewed or cleared elsewhere, kept by other settings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cinegraph_core.actions import clear_cache
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.storage import Database
from cinegraph_core.storage.cache import add_tallies, cache_summary, find_answer, keep_answers, purge_answers
from tests.support.cached_door import bench_of, shared_bench
from tests.support.clocks import PatientClock
from tests.support.door import NAME, shared_state
from tests.support.fault_server import FaultServer, answer
from tests.support.waiting import busy, looked, within

pytestmark = pytest.mark.usefixtures("often", "patient_cache")
NOW = 1_700_000_000.0


def numbered(*numbers: int) -> list[Any]:
    return [answer(200, b'{"id": %d}' % number) for number in numbers]


def entry(key: str, *, at: float = NOW, body: bytes = b"{}") -> Entry:
    return Entry(key, NAME, "/film", 200, {}, body, "https://films.example/film", False, at, at + 100, at + 100)


def at_once(number: int, work: Callable[[int], object]) -> list[Exception]:
    """Do the same in so many threads at the same moment; return what went wrong."""
    gate, wrong = threading.Barrier(number), list[Exception]()

    def one(place: int) -> None:
        gate.wait()
        try:
            work(place)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_processes_that_keep_count_and_clear_the_same_at_once_do_not_stumble_over_each_other(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    for database in databases:
        database.prepare("live")

    def work(place: int) -> None:
        for turn in range(10):
            with databases[place].transaction() as session:
                keep_answers(session, [entry(f"{turn}-{number}") for number in range(10)], now=NOW)
            with databases[place].transaction() as session:
                add_tallies(session, NAME, {"stored": 10})
            if place == 0:
                with databases[place].transaction() as session:
                    purge_answers(session, NAME, tag="nothing")

    assert at_once(4, work) == []
    with databases[0].reading() as session:
        found = cache_summary(session, NOW)[NAME]
    assert (found["entries"], found["stored"]) == (100, 400)
    for database in databases:
        database.close()


def test_an_answer_that_is_written_late_does_not_take_the_place_of_a_newer_one(database: Database) -> None:
    with database.transaction() as session:
        keep_answers(session, [entry("a", at=NOW + 2, body=b"newer")], now=NOW + 2)
        keep_answers(session, [entry("a", at=NOW + 1, body=b"older")], now=NOW + 3)
        found = find_answer(session, "a")
        assert found is not None
        assert found.body == b"newer"
        keep_answers(session, [entry("a", at=NOW - 9, body=b"by a clock put right")], now=NOW - 9)
        found = find_answer(session, "a")
        assert found is not None
        assert found.body == b"by a clock put right"


def test_what_another_process_was_told_since_takes_the_place_of_what_this_one_has_in_memory(
    database_url: str, server: FaultServer
) -> None:
    server.plan("/film", *numbered(1, 2))
    with shared_state(database_url, PatientClock()) as ones, shared_state(database_url, PatientClock()) as others:
        one, other = (bench_of(server.url, shared=shared) for shared in (ones, others))
        assert one.each(one.get) == [{"id": 1}]
        assert looked(ones)
        assert looked(others)
        assert other.each(other.get) == [{"id": 1}]
        other.clock.advance(1.0)
        one.clock.advance(1.0)
        assert other.each(lambda: other.get(fresh=True)) == [{"id": 2}]
        assert within(2.0, lambda: one.each(one.get) == [{"id": 2}])
    assert server.counts["/film"] == 2


def test_what_was_read_just_before_a_clearing_is_not_served_after_it(database_url: str, server: FaultServer) -> None:
    server.plan("/film", *numbered(1, 2))
    with shared_bench(database_url, server.url) as earlier:
        earlier.each(earlier.get)
    database = Database(database_url)
    with shared_state(database_url, clock := PatientClock()) as shared:
        bench = bench_of(server.url, shared=shared, clock=clock)

        async def ask_while_it_is_cleared() -> Any:
            with busy(shared, has_begun=True):
                asked = asyncio.ensure_future(bench.get())
                for _ in range(10):
                    await asyncio.sleep(0)
            assert looked(shared)  # a busy loop: what was read lies ready, and nobody has looked at it
            clear_cache(database, NAME, prefix="/film", clock=clock, who="anna")
            assert looked(shared)
            return await asked

        assert bench.each(ask_while_it_is_cleared, bench.get) == [{"id": 2}] * 2
    database.close()


@pytest.mark.parametrize(("ttl", "told", "provenance"), [(1.0, 2, "live"), (100.0, 1, "cache")])
def test_what_other_settings_kept_is_used_no_longer_than_ours_say(
    database_url: str, server: FaultServer, ttl: float, told: int, provenance: str
) -> None:
    server.plan("/film", *numbered(1, 2))
    with shared_bench(database_url, server.url) as bench:
        bench.each(bench.get)
    with shared_state(database_url, clock := PatientClock()) as shared:
        clock.advance(2.0)
        later = bench_of(server.url, shared=shared, clock=clock, cache_ttl=ttl)
        assert later.each(later.get) == [{"id": told}]
        assert [row.provenance for row in later.rows.all] == [provenance]


def test_only_what_a_call_ended_with_is_counted(database_url: str, server: FaultServer) -> None:
    server.plan("/film", *numbered(1, 2), answer(503))
    with shared_bench(database_url, server.url, cache_on_error=1000.0) as bench:
        bench.each(bench.get)
        bench.clock.advance(150.0)
        assert bench.each(bench.get) == [{"id": 2}], "the old one lay ready and was not needed"
        bench.clock.advance(150.0)
        assert bench.each(bench.get) == [{"id": 2}]
        assert [row.provenance for row in bench.rows.all] == ["live", "live", "stale"]
    database = Database(database_url)
    with database.reading() as session:
        found = cache_summary(session, bench.clock.now())[NAME]
    database.close()
    assert (found["hits"], found["stale"], found["misses"], found["joined"]) == (0, 1, 3, 0)
