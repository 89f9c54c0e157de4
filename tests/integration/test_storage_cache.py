"""Kept answers in the database: whole, bounded, and gone when they should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cinegraph_core.records import Control
from cinegraph_core.resilience.cache import Entry
from cinegraph_core.storage import Database
from cinegraph_core.storage.cache import add_tallies, cache_summary, find_answer, keep_answers, kept_keys, purge_answers
from cinegraph_core.storage.controls import set_control

NOW = 1_700_000_000.0


def entry(
    key: str, *, service: str = "films", path: str = "/movie/1", body: bytes = b"{}", at: float = NOW, tags: tuple[str, ...] = ()
) -> Entry:
    url = f"https://{service}.example{path}"
    return Entry(key, service, path, 200, {"content-type": "application/json"}, body, url, False, at, at + 10, at + 30, tags)


def test_an_answer_comes_back_as_it_was_kept(database: Database) -> None:
    one = entry("a", body=bytes(range(256)))
    with database.transaction() as session:
        keep_answers(session, [one], now=NOW)
        assert find_answer(session, "a") == one
        assert find_answer(session, "b") is None


def test_the_newest_answer_stays_and_what_is_past_its_time_goes_with_the_next_store(database: Database) -> None:
    with database.transaction() as session:
        keep_answers(session, [entry("a"), entry("a", body=b"newer", at=NOW + 1)], now=NOW)
        found = find_answer(session, "a")
        assert found is not None
        assert found.body == b"newer"
        keep_answers(session, [entry("b", at=NOW + 40)], now=NOW + 40)
        assert find_answer(session, "a") is None


def test_lesson_27_the_oldest_go_where_there_is_no_room_and_are_counted_by_service(database: Database) -> None:
    entries = [
        entry(f"{number}", service="films" if number < 3 else "news", body=b"x" * 488, at=NOW + number) for number in range(5)
    ]
    with database.transaction() as session:
        assert keep_answers(session, entries[:4], now=NOW, most=4000) == {}
        assert keep_answers(session, entries[4:], now=NOW, most=4000) == {"films": 2}
        assert [find_answer(session, str(number)) is not None for number in range(5)] == [False, False, True, True, True]


def test_a_purge_takes_a_service_or_what_lies_below_a_path(database: Database) -> None:
    with database.transaction() as session:
        kept = [entry("a"), entry("b", path="/person/1"), entry("c", path="/movie_%"), entry("d", service="news")]
        keep_answers(session, kept, now=NOW)
        assert purge_answers(session, "films", "/movie_%") == 1
        assert purge_answers(session, "films", "/movie") == 1
        assert purge_answers(session, "films") == 1
        assert find_answer(session, "d") is not None


def test_a_purge_takes_what_has_a_tag_and_below_a_path_at_once(database: Database) -> None:
    with database.transaction() as session:
        kept = [
            entry("a", tags=("film:603",)),
            entry("b", tags=("film:6031", "venice-2024")),
            entry("c", tags=("film:604", "film:603"), path="/person/1"),
            entry("d", tags=("film:603",), service="news"),
            entry("e", tags=("film%",)),
            entry("f"),
        ]
        keep_answers(session, kept, now=NOW)
        assert find_answer(session, "c") == kept[2]
        assert purge_answers(session, "films", "/person", "film:603") == 1
        assert purge_answers(session, "films", tag="film:603") == 1
        assert purge_answers(session, "films", tag="film%") == 1
        assert [find_answer(session, key) is not None for key in "abcdef"] == [False, True, False, True, False, True]


@pytest.mark.parametrize("word", ["cache_cleared", "cache_purged"])
def test_what_was_asked_before_a_purge_is_not_stored_after_it(database: Database, word: Control) -> None:
    with database.transaction() as session:
        set_control(session, "films", word, int((NOW + 1) * 1000), now=NOW + 1)
        keep_answers(session, [entry("a"), entry("b", at=NOW + 1), entry("c", service="news")], now=NOW + 1)
        assert [find_answer(session, key) is not None for key in "abc"] == [False, True, True]


def test_what_was_asked_before_a_purge_is_not_stored_though_it_came_after(database: Database) -> None:
    with database.transaction() as session:
        set_control(session, "films", "cache_cleared", int(NOW * 1000), now=NOW)
        late = [replace(entry(key, at=NOW + 1), asked_at=asked_at) for key, asked_at in (("a", NOW - 0.1), ("b", NOW))]
        keep_answers(session, late, now=NOW + 1)
        assert [find_answer(session, key) is not None for key in "ab"] == [False, True]


@pytest.mark.parametrize(("ahead", "stored"), [(60.0, False), (61.0, True)])
def test_a_purge_that_is_dated_far_ahead_keeps_nothing_from_being_stored(database: Database, ahead: float, stored: bool) -> None:
    with database.transaction() as session:
        set_control(session, "films", "cache_cleared", int((NOW + ahead) * 1000), now=NOW + ahead)
        keep_answers(session, [entry("a")], now=NOW)
        assert (find_answer(session, "a") is not None) is stored


def test_an_answer_that_takes_more_than_a_quarter_of_the_room_is_not_stored_and_nothing_goes_for_it(database: Database) -> None:
    with database.transaction() as session:
        entries = [entry("a", body=b"x" * 488), entry("b", body=b"x" * 489)]
        assert keep_answers(session, entries, now=NOW, most=4000) == {}
        assert [find_answer(session, key) is not None for key in "ab"] == [True, False]


def test_the_keys_that_are_new_can_be_asked_for(database: Database) -> None:
    with database.transaction() as session:
        keep_answers(session, [entry("a"), entry("b", at=NOW + 5)], now=NOW)
        assert kept_keys(session, since=0.0, now=NOW) == {"a": NOW, "b": NOW + 5}
        assert kept_keys(session, since=NOW + 1, now=NOW) == {"b": NOW + 5}
        assert kept_keys(session, since=0.0, now=NOW + 31) == {"b": NOW + 5}


def test_what_a_cache_did_adds_up(database: Database) -> None:
    with database.transaction() as session:
        keep_answers(session, [entry("a")], now=NOW)
        add_tallies(session, "films", {"hits": 2, "misses": 1})
        add_tallies(session, "films", {"hits": 3})
        add_tallies(session, "news", {"stale": 1})
        found = cache_summary(session, NOW)
    assert (found["films"]["entries"], found["films"]["hits"], found["films"]["misses"]) == (1, 5, 1)
    assert (found["news"]["entries"], found["news"]["stale"]) == (0, 1)
