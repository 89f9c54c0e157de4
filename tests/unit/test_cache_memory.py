"""What is kept of an answer, for how long it is good, and the bounds of the memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cinegraph_core.resilience.cache import CachePolicy, Entry, Memory, cache_key


def entry(key: str, *, service: str = "films", path: str = "/movie/1", body: bytes = b"", at: float = 0.0) -> Entry:
    return Entry(key, service, path, 200, {}, body, "https://films.example/movie/1", False, at, at + 10, at + 30)


def test_lesson_27_the_order_of_parameters_makes_no_difference_and_everything_else_does() -> None:
    def key(path: str, *query: str) -> str:
        return cache_key(("films", path), list(query))

    assert key("/search", "query=Alive", "year=2020") == key("/search", "year=2020", "query=Alive")
    others: list[Any] = [
        key("/search"),
        key("/search", "query=Alive"),
        key("/search/query=Alive"),
        key("/search", "query=Alive&year=2020"),
    ]
    assert len({*others, key("/search", "query=Alive", "year=2020")}) == 5
    assert len(key("/search")) == 64


def test_the_order_of_values_of_one_name_makes_a_difference() -> None:
    assert cache_key((), ["by=year", "page=1", "by=title"]) == cache_key((), ["page=1", "by=year", "by=title"])
    assert cache_key((), ["by=year", "by=title"]) != cache_key((), ["by=title", "by=year"])


def test_an_entry_goes_when_another_was_kept_later_elsewhere() -> None:
    memory = Memory()
    memory.put(entry("a", at=10.0))
    for kept_at in (9.0, 10.0, 10.0005):
        memory.outdate("a", kept_at)
    memory.outdate("b", 20.0)
    assert "a" in memory
    memory.outdate("a", 10.002)
    assert "a" not in memory


def test_an_entry_is_fresh_then_stale_then_gone_and_one_from_the_future_is_gone() -> None:
    one = entry("a", at=100.0)
    assert [one.freshness(now) for now in (100.0, 109.9, 110.0, 129.9, 130.0, 39.9)] == [
        "fresh",
        "fresh",
        "stale",
        "stale",
        "gone",
        "gone",
    ]
    assert one.freshness(40.0) == "fresh", "clocks of two processes may be a minute apart"
    assert one.tags == ()


def test_a_policy_keeps_nothing_by_default_and_what_is_stale_for_the_longer_of_its_two_reasons() -> None:
    assert CachePolicy() == CachePolicy(ttl=0.0, negative=0.0, revalidate=0.0, on_error=0.0)
    assert CachePolicy().grace == 0.0
    assert CachePolicy(revalidate=30.0, on_error=600.0).grace == CachePolicy(revalidate=600.0, on_error=30.0).grace == 600.0


def test_lesson_27_memory_is_bounded_by_number_and_lets_the_least_recently_used_go() -> None:
    memory = Memory(entries=2)
    for key in ("a", "b"):
        memory.put(entry(key))
    memory.get("a")
    memory.put(entry("c"))
    assert [memory.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]
    assert memory.evicted == 1


def test_memory_is_bounded_by_size_and_counts_each_entry_once() -> None:
    memory = Memory(size=4000)
    for key in ("a", "b", "a", "c"):
        memory.put(entry(key, body=b"x" * 1000))
    assert [memory.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]
    assert memory.evicted == 1


def test_the_memory_of_a_process_holds_2048_entries() -> None:
    memory = Memory()
    for number in range(2049):
        assert memory.evicted == 0
        memory.put(entry(str(number)))
    assert memory.evicted == 1


def test_the_memory_of_a_process_holds_64_mib_half_a_kib_of_them_for_what_stands_around_each_body() -> None:
    memory, eighth = Memory(), bytes((8 << 20) - 512)
    for key in "abcdefgh":
        memory.put(entry(key, body=eighth))
    assert memory.evicted == 0, "64 MiB and no byte more"
    memory.put(entry("i"))
    assert memory.evicted == 1


def test_an_answer_of_more_than_8_mib_is_not_held_nor_what_it_replaces_and_nothing_goes_for_it() -> None:
    memory = Memory()
    for key in ("a", "b"):
        memory.put(entry(key))
    memory.put(entry("a", body=bytes((8 << 20) - 511)))
    assert ["a" in memory, "b" in memory, memory.evicted] == [False, True, 0]
    memory.put(entry("a", body=bytes((8 << 20) - 512)))
    assert "a" in memory
    small = Memory(size=1000)
    small.put(entry("b", body=bytes(600)))
    assert ["b" in small, small.evicted] == [False, 0]


def test_an_entry_that_takes_another_s_place_gives_back_the_room_of_that_one_only() -> None:
    memory = Memory(size=4000)
    for key, length in (("a", 100), ("b", 2000), ("a", 100), ("c", 1000), ("d", 3000)):
        memory.put(entry(key, body=b"x" * length))
    assert [key in memory for key in "abcd"] == [False, False, False, True]
    assert memory.evicted == 3


def test_to_look_whether_an_entry_is_held_does_not_make_it_the_last_to_go() -> None:
    memory = Memory(entries=2)
    for key in ("a", "b"):
        memory.put(entry(key))
    assert "a" in memory
    memory.put(entry("c"))
    assert [key in memory for key in "abc"] == [False, True, True]


def test_a_purge_takes_one_service_s_entries_of_before_a_moment_and_gives_their_room_back() -> None:
    memory = Memory(size=3 * entry("x").size)
    for key, service, at in (("a", "films", 1.0), ("b", "films", 2.0), ("c", "news", 1.0)):
        memory.put(entry(key, service=service, at=at))
    memory.purge("films", before=2.0)
    assert [memory.get(key) is not None for key in ("a", "b", "c")] == [False, True, True]
    memory.put(entry("d"))
    assert memory.evicted == 0


def test_a_purge_takes_what_was_asked_for_before_it_though_it_came_after() -> None:
    memory = Memory()
    for key, asked_at in (("a", 1.9), ("b", 2.0)):
        memory.put(replace(entry(key, at=3.0), asked_at=asked_at))
    memory.purge("films", before=2.0)
    assert [key in memory for key in "ab"] == [False, True]
