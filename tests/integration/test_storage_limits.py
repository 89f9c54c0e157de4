"""The shared count: what is leased and used never exceeds a limit, whoever counts and however a process ends."""

from __future__ import annotations

import threading
from typing import Any

from sqlmodel import Session

from cinegraph_core.resilience.allowance import Granted, Limit, Mark, Refused
from cinegraph_core.storage import Database
from cinegraph_core.storage.controls import controls, set_control
from cinegraph_core.storage.limits import current_counters, lease_calls, settle_calls

NOW = 1_700_000_000.0
HOUR = Limit("films", "hourly_quota", 10, 1, NOW - 60, NOW + 600)
DAY = Limit("films", "daily_quota", 25, 1, NOW - 60, NOW + 6000)


def lease(session: Session, *limits: Limit, needed: int = 1, ahead: int = 0, now: float = NOW) -> Any:
    return lease_calls(session, "films", limits, needed=needed, ahead=ahead, now=now, expires_at=now + 30)


def counted(session: Session, now: float = NOW) -> dict[str, tuple[int, int]]:
    return {row.counter: (row.used, row.reserved) for row in current_counters(session, now)}


def test_lesson_25_a_lease_reserves_in_every_window_before_the_call_or_in_none(database: Database) -> None:
    with database.transaction() as session:
        first = lease(session, HOUR, DAY, needed=8)
        assert isinstance(first, Granted)
        assert first.calls == 8
        assert lease(session, HOUR, DAY, needed=8).calls == 2
        assert lease(session, HOUR, DAY) == Refused("hourly_quota", HOUR.end)
        assert counted(session) == {"hourly_quota": (0, 10), "daily_quota": (0, 10)}
        settle_calls(session, first.key, used=5, back=3)
        assert counted(session) == {"hourly_quota": (5, 2), "daily_quota": (5, 2)}


def test_a_refusal_names_the_limit_that_lasts_longest(database: Database) -> None:
    with database.transaction() as session:
        small = Limit("films", "daily_quota", 10, 1, DAY.start, DAY.end)
        lease(session, HOUR, small, needed=10)
        assert lease(session, HOUR, small) == Refused("daily_quota", DAY.end)


def test_little_is_leased_ahead_of_need_when_little_is_left(database: Database) -> None:
    with database.transaction() as session:
        big = Limit("films", "daily_quota", 1000, 1, DAY.start, DAY.end)
        assert lease(session, big, ahead=32).calls == 33
        assert lease(session, HOUR, ahead=32).calls == 1


def test_lesson_26_a_lease_of_a_killed_process_counts_as_used_when_it_expires(database: Database) -> None:
    money = Limit("films", "daily_budget", 1_000_000, 100_000, DAY.start, DAY.end)
    with database.transaction() as session:
        killed = lease(session, money, needed=1)
        assert counted(session) == {"daily_budget": (0, 100_000)}
    with database.transaction() as session:
        rest = lease(session, money, needed=20, now=NOW + 30)
        assert rest.calls == 9
        assert counted(session) == {"daily_budget": (100_000, 900_000)}
        assert settle_calls(session, killed.key, used=1, back=0) == []
        settle_calls(session, rest.key, used=9, back=0)
        assert counted(session) == {"daily_budget": (1_000_000, 0)}


def test_lesson_26_80_and_100_percent_are_told_once_each(database: Database) -> None:
    money = Limit("films", "daily_budget", 1_000_000, 100_000, DAY.start, DAY.end)
    with database.transaction() as session:
        key = lease(session, money, needed=10).key
        told = [settle_calls(session, key, used=1, back=0) for _ in range(10)]
    assert [[(mark.percent, mark.used) for mark in marks] for marks in told] == [
        *[[]] * 7,
        [(80, 800_000)],
        [],
        [(100, 1_000_000)],
    ]
    assert told[7] == [Mark("films", "daily_budget", 80, 800_000, 1_000_000)]


def test_lesson_26_workers_with_an_old_and_a_new_ceiling_do_not_tell_a_mark_at_every_turn(database: Database) -> None:
    old, new = (Limit("films", "daily_quota", ceiling, 1, DAY.start, DAY.end) for ceiling in (100, 105))
    with database.transaction() as session:
        settle_calls(session, lease(session, old, needed=84).key, used=84, back=0)
        told = [settle_calls(session, lease(session, limit).key, used=1, back=0) for limit in (new, old) * 5]
    assert told == [[]] * 10, "80 % of both ceilings is reached, and was told"


def test_lesson_26_a_raised_ceiling_lets_a_mark_be_told_again_when_it_is_reached_again(database: Database) -> None:
    old, new = (Limit("films", "daily_quota", ceiling, 1, DAY.start, DAY.end) for ceiling in (100, 200))
    with database.transaction() as session:
        told = [
            [mark.percent for mark in settle_calls(session, lease(session, limit, needed=calls).key, used=calls, back=0)]
            for limit, calls in ((old, 100), (new, 1), (new, 59), (new, 40))
        ]
    assert told == [[100], [], [80], [100]]


def test_the_next_window_begins_empty_and_a_late_report_belongs_to_its_own(database: Database) -> None:
    with database.transaction() as session:
        late = lease(session, HOUR, needed=4)
        later = HOUR.end + 1
        following = Limit("films", "hourly_quota", 10, 1, HOUR.end, HOUR.end + 3600)
        granted = lease_calls(session, "films", [following], needed=10, ahead=0, now=NOW + 1, expires_at=later + 60)
        assert isinstance(granted, Granted)
        assert granted.calls == 10
        settle_calls(session, late.key, used=4, back=0)
        assert counted(session) == {"hourly_quota": (4, 0)}
        assert counted(session, later) == {"hourly_quota": (0, 10)}


def test_lesson_26_threads_with_a_session_each_lease_exactly_what_there_is(database: Database) -> None:
    got: list[int] = []

    def work() -> None:
        for _ in range(6):
            with database.transaction() as session:
                answer = lease(session, HOUR, DAY, needed=2)
                if isinstance(answer, Granted):
                    got.append(answer.calls)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == HOUR.ceiling


def test_a_word_replaces_the_one_before(database: Database) -> None:
    with database.transaction() as session:
        assert set_control(session, "films", "daily_quota", 100, now=NOW) is None
        assert set_control(session, "films", "daily_quota", 50, now=NOW) == 100
        assert controls(session) == {("films", "daily_quota"): 50}
