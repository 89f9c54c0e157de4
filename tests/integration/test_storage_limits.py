"""The shared count: what is leased and used never exceeds a limit, whoever counts and however a process ends."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session

from cinegraph_core.resilience.allowance import Granted, Limit, Mark, Refused
from cinegraph_core.storage import Database
from cinegraph_core.storage.controls import controls, extend_control, set_control
from cinegraph_core.storage.limits import current_counters, lease_calls, settle_calls

NOW = 1_700_000_000.0
HOUR = Limit("films", "hourly_quota", 10, 1, NOW - 60, NOW + 600)
DAY = Limit("films", "daily_quota", 25, 1, NOW - 60, NOW + 6000)


def lease(session: Session, *limits: Limit, needed: int = 1, ahead: int = 0, now: float = NOW, under_way: int = 0) -> Any:
    expires_at = now + 30
    return lease_calls(session, "films", limits, needed=needed, ahead=ahead, now=now, expires_at=expires_at, under_way=under_way)


def counted(session: Session, now: float = NOW) -> dict[str, tuple[int, int]]:
    return {row.counter: (row.used, row.reserved) for row in current_counters(session, now)}


def test_lesson_25_a_lease_reserves_in_every_window_before_the_call_or_in_none(database: Database) -> None:
    with database.transaction() as session:
        first = lease(session, HOUR, DAY, needed=8)
        assert isinstance(first, Granted)
        assert first.calls == 8
        assert lease(session, HOUR, DAY, needed=8).calls == 2
        assert isinstance(lease(session, HOUR, DAY), Refused)
        assert counted(session) == {"hourly_quota": (0, 10), "daily_quota": (0, 10)}
        settle_calls(session, first.key, used=5, back=3)
        assert counted(session) == {"hourly_quota": (5, 2), "daily_quota": (5, 2)}


def test_a_refusal_names_the_limit_that_lasts_longest(database: Database) -> None:
    with database.transaction() as session:
        small = Limit("films", "daily_quota", 10, 1, DAY.start, DAY.end)
        ten = lease(session, HOUR, small, needed=10)
        assert lease(session, HOUR, small) == Refused("daily_quota", NOW + 30)
        settle_calls(session, ten.key, used=10, back=0)
        assert lease(session, HOUR, small) == Refused("daily_quota", DAY.end)


def test_lesson_25_a_refusal_lasts_no_longer_than_the_reservations_that_alone_fill_a_limit(database: Database) -> None:
    with database.transaction() as session:
        assert lease(session, HOUR, needed=1).calls == 1
        rest = lease(session, HOUR, needed=9)
        assert lease(session, HOUR) == Refused("hourly_quota", NOW + 30), "none of the ten need have left"
        assert lease(session, HOUR, under_way=9) == Refused("hourly_quota", NOW + 30)
        assert lease(session, HOUR, under_way=10) == Refused("hourly_quota", HOUR.end), "they will all count"
        assert lease(session, replace(HOUR, at_most=True), under_way=10) == Refused("hourly_quota", NOW + 30)
        settle_calls(session, rest.key, used=8, back=0)
        assert lease(session, HOUR, now=NOW + 20) == Refused("hourly_quota", NOW + 50)
        assert lease(session, HOUR, now=HOUR.end - 5).until == HOUR.end


def test_little_is_leased_ahead_of_need_when_little_is_left(database: Database) -> None:
    with database.transaction() as session:
        big = Limit("films", "daily_quota", 1000, 1, DAY.start, DAY.end)
        assert lease(session, big, ahead=32).calls == 33
        assert lease(session, HOUR, ahead=32).calls == 1


def test_lesson_26_a_lease_of_a_killed_process_counts_as_used_when_it_expires(database: Database) -> None:
    money = Limit("films", "daily_budget", 1_000_000, 100_000, DAY.start, DAY.end)
    with database.transaction() as session:
        lease(session, money, needed=1)
        assert counted(session) == {"daily_budget": (0, 100_000)}
    with database.transaction() as session:
        rest = lease(session, money, needed=20, now=NOW + 30)
        assert rest.calls == 9
        assert counted(session) == {"daily_budget": (100_000, 900_000)}
        settle_calls(session, rest.key, used=9, back=0)
        assert counted(session) == {"daily_budget": (1_000_000, 0)}


def test_lesson_26_a_process_that_speaks_up_after_its_lease_expired_puts_right_what_it_was_counted_with(
    database: Database,
) -> None:
    money = Limit("films", "daily_budget", 1_000_000, 100_000, DAY.start, DAY.end)
    with database.transaction() as session:
        late = lease(session, money, needed=3)
        other = lease(session, money, now=NOW + 30)
        assert counted(session) == {"daily_budget": (300_000, 100_000)}
        settle_calls(session, late.key, used=1, back=1, more=250_000)
        assert counted(session) == {"daily_budget": (450_000, 100_000)}, "one of $0.35 and one that may have left"
        assert lease(session, money, needed=20, now=NOW + 31).calls == 4
        settle_calls(session, late.key, used=1, back=0, more=-40_000)
        assert counted(session) == {"daily_budget": (410_000, 500_000)}
        for _ in range(2):
            assert settle_calls(session, late.key, used=1, back=1, more=250_000) == [], "all three have been told of"
        settle_calls(session, other.key, used=1, back=0)
        assert counted(session) == {"daily_budget": (510_000, 400_000)}


def test_what_a_process_never_says_of_an_expired_lease_changes_nothing_and_is_forgotten_after_a_day(database: Database) -> None:
    month = Limit("films", "monthly_quota", 100, 1, DAY.start, DAY.start + 30 * 86_400)
    with database.transaction() as session:
        killed = lease(session, month, needed=5)
        for later in (30, 86_000, 90_000, 180_000):
            taken = lease(session, month, now=NOW + later)
            assert counted(session) == {"monthly_quota": (5, 1)}
            settle_calls(session, taken.key, used=0, back=1)
        settle_calls(session, killed.key, used=0, back=5)
        assert counted(session) == {"monthly_quota": (5, 0)}


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
    assert told == [[80, 100], [], [80], [100]]


def test_lesson_26_a_budget_of_a_fixed_price_is_used_up_when_the_next_call_finds_no_room(database: Database) -> None:
    def told(*limits: Limit) -> list[tuple[int, int]]:
        return [(mark.percent, mark.used) for mark in lease(session, *limits).marks]

    own = Limit("films", "daily_budget", 1_000_000, 300_000, DAY.start, DAY.end)
    tokens = replace(own, owner="chat", at_most=True)
    common = replace(own, owner="", counter="total_daily_budget")
    with database.transaction() as session:
        for limit in (own, tokens, common):
            for _ in range(3):
                settle_calls(session, lease(session, limit).key, used=1, back=0)
        assert told(own) == [(100, 900_000)]
        assert told(own) == []
        assert told(tokens) == told(common) == [], "a cheaper call has room yet"
        assert lease(session, replace(tokens, units=100_000)).calls == 1


def test_a_limit_that_never_had_room_was_not_used_up(database: Database) -> None:
    with database.transaction() as session:
        assert lease(session, replace(HOUR, ceiling=0)) == Refused("hourly_quota", HOUR.end)


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


def test_a_word_that_two_say_at_once_for_the_first_time_is_said_by_both(database: Database) -> None:
    together, told = threading.Barrier(4), list[int | None]()

    def say(value: int) -> None:
        with database.transaction() as session:
            together.wait(5.0)
            told.append(set_control(session, "films", "daily_quota", value, now=NOW))

    threads = [threading.Thread(target=say, args=(value,)) for value in range(4)]
    if database.shown_url.startswith("sqlite"):
        together = threading.Barrier(1)  # one transaction at a time
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(None) == 1
    with database.reading() as session:
        left = controls(session)["films", "daily_quota"]
    assert {*told, left} == {None, 0, 1, 2, 3}


@pytest.mark.parametrize(
    ("held", "ahead", "heard", "until", "expected"),
    [
        (None, 0.0, 0, 12, 12),
        (12, 0.0, 0, 600, 600),
        (600, 0.0, 0, 12, 600),
        (600, 60.0, 600, 12, 600),
        (600, 61.0, 600, 12, 12),
        (-9, 0.0, -9, 12, 12),
        (-9, 0.0, -8, 12, -9),
        (-9, 0.0, 600, 12, -9),
        (0, 0.0, 0, 12, 12),
        (0, 0.0, 600, 12, 0),
    ],
)
def test_a_moment_gives_way_to_a_later_one_unless_a_person_took_it_back_unheard(
    database: Database, held: int | None, ahead: float, heard: int, until: int, expected: int
) -> None:
    with database.transaction() as session:
        if held is not None:
            set_control(session, "films", "spent_until", held, now=NOW + ahead)
        extend_control(session, "films", "spent_until", until, heard=heard, now=NOW)
        assert controls(session) == {("films", "spent_until"): expected}


def test_of_two_moments_said_at_once_the_later_counts(database: Database) -> None:
    def say(until: int) -> None:
        with database.transaction() as session:
            extend_control(session, "films", "held_until", until, heard=0, now=NOW)

    threads = [threading.Thread(target=say, args=(until,)) for until in (5, 9, 2, 7, 1, 8, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert controls(session)["films", "held_until"] == 9
