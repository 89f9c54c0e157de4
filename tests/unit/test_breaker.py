"""The breaker as a state machine; the time is a number."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import Any

import pytest

from cinegraph_core.resilience.breaker import HEALTHY, LONGEST_WAIT, Breaker, BreakerRules, Permit, Refused
from cinegraph_core.resilience.ramp import GATE, SHARES
from cinegraph_core.resilience.window import CountWindow, TimeWindow


class Lowest(random.Random):
    """Draws the end of a range that a test names."""

    def __init__(self, *, highest: bool = False) -> None:
        super().__init__()
        self.highest = highest

    def uniform(self, a: float, b: float) -> float:
        return b if self.highest else a


HIGHEST = Lowest(highest=True)


def tripped(**options: Any) -> Breaker:
    """Return a breaker that opened at 0 and lets a probe go at 60; waits are not jittered."""
    breaker = Breaker(BreakerRules(**options), rng=HIGHEST)
    fail(breaker, 5, now=0.0)
    return breaker


def recovering(now: float = 60.0, **options: Any) -> Breaker:
    """Return a breaker that has just had its two good probes."""
    breaker = tripped(**options)
    for _ in range(2):
        breaker.success(probe(breaker, now), now)
    assert breaker.state(now) == "ramp"
    return breaker


def climb(breaker: Breaker, now: float) -> float:
    """Ask one thing after the other, all answered, until the breaker is closed; return when that is."""
    while breaker.state(now) != "closed":
        permit = breaker.acquire(now)
        now = max(now, permit.at)
        breaker.success(permit, now)
    return now


def fail(breaker: Breaker, times: int, *, now: float) -> None:
    for _ in range(times):
        breaker.failure(breaker.acquire(now), now)


def probe(breaker: Breaker, now: float) -> Permit:
    return breaker.acquire(now)


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    breaker = Breaker()
    fail(breaker, 4, now=0.0)
    assert breaker.state(0.0) == "closed"
    fail(breaker, 1, now=0.0)
    assert breaker.state(0.0) == "open"


def test_a_success_starts_the_count_again() -> None:
    breaker = Breaker(BreakerRules(minimum=100))
    for _ in range(3):
        fail(breaker, 4, now=0.0)
        breaker.success(breaker.acquire(0.0), 0.0)
    assert breaker.state(0.0) == "closed"


def test_open_refuses_and_says_until_when() -> None:
    breaker = tripped()
    with pytest.raises(Refused) as refusal:
        breaker.acquire(59.9)
    assert refusal.value.retry_at == 60.0
    assert refusal.value.args == (60.0,)
    assert breaker.retry_at(59.9) == 60.0


def test_lesson_21_it_half_opens_by_itself() -> None:
    breaker = tripped()
    assert breaker.state(59.999) == "open"
    assert breaker.state(60.0) == "half_open"
    assert breaker.retry_at(60.0) is None


def test_lesson_21_two_successes_mean_two() -> None:
    breaker = tripped()
    breaker.success(probe(breaker, 60.0), 61.0)
    assert breaker.state(61.0) == "half_open"
    breaker.success(probe(breaker, 61.0), 62.0)
    assert breaker.state(62.0) == "ramp"


def test_lesson_21_one_probe_at_a_time() -> None:
    breaker = tripped()
    first = probe(breaker, 60.0)
    refused = 0
    for _ in range(99):
        try:
            breaker.acquire(60.0)
        except Refused:
            refused += 1
    assert refused == 99
    breaker.success(first, 60.5)
    probe(breaker, 60.5)


def test_lesson_21_one_probe_among_a_hundred_threads() -> None:
    breaker = tripped()
    start, let_through = threading.Barrier(100), []

    def ask() -> None:
        start.wait()
        try:
            let_through.append(breaker.acquire(60.0))
        except Refused:
            return

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == 1


def test_lesson_21_a_probe_that_never_reports_loses_its_lease() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    with pytest.raises(Refused) as refusal:
        breaker.acquire(74.9)
    assert refusal.value.retry_at == 75.0
    second = probe(breaker, 75.0)
    breaker.failure(lost, 76.0)
    assert breaker.state(76.0) == "half_open", "the lost probe has no say any more"
    breaker.failure(second, 76.0)
    assert breaker.state(76.0) == "open"


def test_lesson_21_a_success_of_before_the_trip_changes_nothing() -> None:
    breaker = Breaker()
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    breaker.success(early, 1.0)
    assert breaker.state(1.0) == "open"
    assert breaker.state(60.0) == "half_open"
    breaker.success(early, 60.0)
    breaker.success(early, 60.0)
    assert breaker.state(60.0) == "half_open"


def test_a_failure_of_before_the_trip_does_not_open_it_anew() -> None:
    breaker = Breaker()
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    for _ in range(2):
        breaker.success(probe(breaker, 60.0), 60.0)
    for _ in range(5):
        breaker.failure(early, 61.0)
    now = climb(breaker, 61.0)
    for _ in range(5):
        breaker.failure(early, now)
    assert breaker.state(now) == "closed"


def test_a_success_of_before_the_trip_does_not_start_the_count_again() -> None:
    breaker = Breaker()
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    for _ in range(2):
        breaker.success(probe(breaker, 60.0), 60.0)
    now = climb(breaker, 61.0)
    fail(breaker, 4, now=now)
    breaker.success(early, now)
    fail(breaker, 1, now=now)
    assert breaker.state(now) == "open"


def test_a_success_whose_lease_went_to_another_does_not_count() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    second = probe(breaker, 75.0)
    breaker.success(lost, 76.0)
    breaker.success(second, 76.0)
    assert breaker.state(76.0) == "half_open"


def test_a_failed_probe_opens_it_and_the_success_before_is_forgotten() -> None:
    breaker = tripped()
    breaker.success(probe(breaker, 60.0), 60.0)
    breaker.failure(probe(breaker, 61.0), 62.0)
    assert breaker.retry_at(62.0) == 182.0
    breaker.success(probe(breaker, 182.0), 182.0)
    assert breaker.state(182.0) == "half_open"


def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    breaker = tripped()
    breaker.release(probe(breaker, 60.0))
    assert breaker.state(60.0) == "half_open"
    probe(breaker, 60.0)


def test_releases_neither_count_nor_forgive() -> None:
    breaker = Breaker()
    fail(breaker, 4, now=0.0)
    for _ in range(8):
        breaker.release(breaker.acquire(0.0))
    assert breaker.state(0.0) == "closed"
    fail(breaker, 1, now=0.0)
    assert breaker.state(0.0) == "open"


def test_every_change_is_told_once_and_outside_the_lock() -> None:
    told: list[tuple[str, str, float | None]] = []

    def on_change(old: str, new: str, retry_at: float | None) -> None:
        told.append((old, new, retry_at))
        assert breaker.state(0.0) == new, "asking the breaker from within the callback does not lock up"

    breaker = Breaker(BreakerRules(wait=10.0), on_change=on_change, rng=HIGHEST)
    fail(breaker, 5, now=0.0)
    breaker.failure(probe(breaker, 10.0), 11.0)
    for _ in range(2):
        breaker.success(probe(breaker, 31.0), 31.0)
    now = climb(breaker, 31.0)
    breaker.reset(now)
    breaker.force_open()
    breaker.reset(now)
    assert told == [
        ("closed", "open", 10.0),
        ("open", "half_open", None),
        ("half_open", "open", 31.0),
        ("open", "half_open", None),
        ("half_open", "ramp", None),
        ("ramp", "closed", None),
        ("closed", "open", None),
        ("open", "closed", None),
    ]


def test_a_permit_stands_until_the_state_changes() -> None:
    breaker = Breaker()
    permit = breaker.acquire(0.0)
    fail(breaker, 4, now=0.0)
    assert breaker.stands(permit)
    fail(breaker, 1, now=0.0)
    assert not breaker.stands(permit)
    assert not breaker.stands(permit) and breaker.state(60.0) == "half_open"  # noqa: PT018
    assert not breaker.stands(permit)


# -------------------------------------------------------------------------------------------------- the window rule


def mixed(breaker: Breaker, pattern: str, *, now: float = 0.0, took: float = 0.0) -> int:
    """Let calls fail (F) and succeed (s) in this order; return how many were refused."""
    refused = 0
    for outcome in pattern:
        try:
            permit = breaker.acquire(now)
        except Refused:
            refused += 1
            continue
        if outcome == "F":
            breaker.failure(permit, now)
        else:
            breaker.success(permit, now, took)
    return refused


def test_four_failures_of_five_open_it_although_never_five_in_a_row() -> None:
    breaker = Breaker()
    assert mixed(breaker, "FFFFs" * 40) == 179
    assert breaker.state(0.0) == "open"


def test_below_the_minimum_a_rate_says_nothing() -> None:
    breaker = Breaker(BreakerRules(minimum=20))
    assert mixed(breaker, "Fs" * 9 + "F") == 0
    assert breaker.state(0.0) == "closed"
    mixed(breaker, "F")
    assert breaker.state(0.0) == "open", "the twentieth call, eleven of them failed"


@pytest.mark.parametrize(("pattern", "state"), [("sssFF" * 8, "closed"), ("sF" * 10, "open")])
def test_half_of_the_calls_is_the_limit(pattern: str, state: str) -> None:
    breaker = Breaker()
    mixed(breaker, pattern)
    assert breaker.state(0.0) == state


def test_old_failures_leave_the_window_of_time() -> None:
    breaker = Breaker(BreakerRules(window=lambda: TimeWindow(10.0), minimum=20))
    mixed(breaker, "FFFs" * 4, now=0.5)
    mixed(breaker, "ssss" + "F", now=10.5)
    assert breaker.state(10.5) == "closed"
    mixed(breaker, "FFFs" * 4, now=10.5)
    assert breaker.state(10.5) == "open"


def test_the_window_of_numbers_forgets_by_number() -> None:
    breaker = Breaker(BreakerRules(window=lambda: CountWindow(20), minimum=20))
    mixed(breaker, "FFFs" * 4 + "ssss" * 4, now=0.0)
    mixed(breaker, "F", now=1000.0)
    assert breaker.state(1000.0) == "closed"
    mixed(breaker, "FFFsFFFsFFF", now=1000.0)
    assert breaker.state(1000.0) == "open"


def test_thirty_slow_successes_open_it() -> None:
    breaker = Breaker(BreakerRules(slow_after=5.0))
    assert mixed(breaker, "s" * 30, took=5.1) == 10
    assert breaker.state(0.0) == "open"


def test_an_answer_whose_time_is_not_known_is_not_slow() -> None:
    breaker = Breaker(BreakerRules(slow_after=0.5, minimum=1))
    breaker.success(breaker.acquire(0.0), 0.0)
    assert breaker.state(0.0) == "closed"


def test_slow_is_longer_than_the_limit_and_half_of_the_calls() -> None:
    breaker = Breaker(BreakerRules(slow_after=5.0))
    assert mixed(breaker, "s" * 30, took=5.0) == 0
    mixed(breaker, "s" * 29, took=5.1)
    assert breaker.state(0.0) == "closed"
    mixed(breaker, "s", took=5.1)
    assert breaker.state(0.0) == "open"


def test_after_recovery_the_window_begins_anew() -> None:
    breaker = Breaker(BreakerRules(failures=100, minimum=20), rng=HIGHEST)
    mixed(breaker, "F" * 20)
    for _ in range(2):
        breaker.success(probe(breaker, 60.0), 60.0)
    now = climb(breaker, 60.0)
    mixed(breaker, "F" * 19, now=now)
    assert breaker.state(now) == "closed"


@pytest.mark.parametrize("state", ["half_open", "ramp"])
def test_slow_answers_do_not_bring_a_service_back(state: str) -> None:
    breaker = recovering(slow_after=5.0) if state == "ramp" else tripped(slow_after=5.0)
    for _ in range(2 if state == "ramp" else 1):
        assert breaker.state(61.0) == state
        breaker.success(breaker.acquire(61.0), 61.0, 6.0)
    assert breaker.state(61.0) == "open"


# ---------------------------------------------------------------------------------------------------------- the ramp


@pytest.mark.parametrize("per_second", [50, 1000])
def test_the_ramp_lets_each_share_through_and_no_more(per_second: int) -> None:
    breaker = recovering()
    asked, left, allowed, results, steps = 0, 0, 0.0, 0, list(SHARES)
    under_way: list[Permit] = []
    now = 60.0
    while breaker.state(now) == "ramp":
        asked += 1
        now = 60.0 + asked / per_second
        allowed += steps[results // GATE] / 100
        try:
            under_way.append(breaker.acquire(now))
        except Refused as refusal:
            assert refusal.retry_at > now  # noqa: PT017 - being let through is right too
        for permit in [one for one in under_way if one.at <= now]:
            under_way.remove(permit)
            breaker.success(permit, now)
            left, results = left + 1, results + 1
            assert left <= allowed + 1
    assert left == 15
    assert asked >= 100, "five at one in twenty, five at one in four, five at one in two, less what was given in advance"


def test_who_asks_for_one_thing_after_the_other_waits_a_little_and_loses_nothing() -> None:
    breaker = recovering()
    waits, now = [], 60.0
    while breaker.state(now) == "ramp":
        permit = breaker.acquire(now)
        waits.append(max(0.0, permit.at - now))
        now = max(now, permit.at)
        breaker.success(permit, now)
    assert waits == [0.0] + [0.5] * 14


def test_a_place_further_off_than_two_seconds_is_a_refusal() -> None:
    breaker = recovering()
    places = [breaker.acquire(60.0).at for _ in range(5)]
    assert places == [60.0, 60.5, 61.0, 61.5, 62.0]
    with pytest.raises(Refused) as refusal:
        breaker.acquire(60.0)
    assert refusal.value.retry_at == 62.5
    assert breaker.acquire(60.5).at == 62.5


def test_of_a_crowd_at_one_moment_exactly_the_share_goes_at_once() -> None:
    breaker = recovering()
    at = [breaker.acquire(60.0).at for _ in range(5)]
    went = []
    for asker in range(6, 241):
        with suppress(Refused):
            went.append((asker, breaker.acquire(60.0).at))
    assert at[-1] == 62.0
    assert went == [(120, 60.0), (140, 60.0), (160, 60.0), (180, 60.0), (200, 60.0), (220, 60.0), (240, 60.0)]


def test_one_failure_in_a_step_is_tolerated_and_two_are_a_relapse() -> None:
    breaker = recovering()
    now = 60.0
    for _ in range(3):
        for outcome in ("failure", *["success"] * 4):
            permit = breaker.acquire(now)
            now = max(now, permit.at)
            getattr(breaker, outcome)(permit, now)
    assert breaker.state(now) == "closed"
    sick = recovering()
    for _ in range(2):
        assert sick.state(60.0) == "ramp"
        sick.failure(sick.acquire(60.0), 60.0)
    assert sick.retry_at(60.0) == 180.0


def test_a_place_in_the_ramp_given_back_counts_for_nothing() -> None:
    breaker = recovering()
    for _ in range(5):
        breaker.release(breaker.acquire(60.0))
    assert breaker.state(60.0) == "ramp"


def test_who_waits_for_a_place_may_go_when_it_closes_and_not_when_it_opens() -> None:
    breaker = recovering()
    waiting = [breaker.acquire(60.0) for _ in range(5)]
    assert breaker.stands(waiting[-1])
    climb(breaker, 61.0)
    assert breaker.stands(waiting[-1])
    sick = recovering()
    places = [sick.acquire(60.0) for _ in range(3)]
    for place in places[:2]:
        sick.failure(place, 60.0)
    assert not sick.stands(places[2])


def test_a_result_of_the_ramp_says_nothing_once_it_is_closed() -> None:
    breaker = Breaker(BreakerRules(failures=1), rng=HIGHEST)
    fail(breaker, 1, now=0.0)
    for _ in range(2):
        breaker.success(probe(breaker, 60.0), 60.0)
    late = breaker.acquire(60.0)
    now = climb(breaker, 60.0)
    breaker.failure(late, now)
    assert breaker.state(now) == "closed"


# ----------------------------------------------------------------------------------------------------- growing waits


def relapses(breaker: Breaker, count: int, now: float = 60.0) -> list[float]:
    """Let this many probes fail; return how long each left it open."""
    waits = []
    for _ in range(count):
        breaker.failure(probe(breaker, now), now)
        until = breaker.retry_at(now)
        assert until is not None
        waits.append(until - now)
        now = until
    return waits


def test_every_relapse_waits_twice_as_long_up_to_ten_minutes() -> None:
    assert relapses(tripped(), 5) == [120.0, 240.0, 480.0, LONGEST_WAIT, LONGEST_WAIT]


def test_the_wait_after_a_relapse_is_jittered_downwards_and_the_first_is_not() -> None:
    breaker = Breaker(rng=Lowest())
    fail(breaker, 5, now=0.0)
    assert breaker.retry_at(0.0) == 60.0
    assert relapses(breaker, 4) == pytest.approx([108.0, 216.0, 432.0, 540.0])
    assert {round(relapses(Breaker(BreakerRules(failures=1), mode="auto"), 1, now=0.0)[0]) for _ in range(3)} == {60}


def test_a_wait_set_longer_than_ten_minutes_stays_as_it_is() -> None:
    breaker = tripped(wait=1000.0)
    assert relapses(breaker, 2, now=1000.0) == [1000.0, 1000.0]


@pytest.mark.parametrize(("healthy", "wait"), [(HEALTHY - 1.0, 240.0), (HEALTHY, 120.0), (2 * HEALTHY, 60.0), (1e9, 60.0)])
def test_a_healthy_hour_forgives_one_doubling(healthy: float, wait: float) -> None:
    breaker = tripped()
    relapses(breaker, 1)
    now = 180.0
    for _ in range(2):
        breaker.success(probe(breaker, now), now)
    now = climb(breaker, now) + healthy
    fail(breaker, 5, now=now)
    assert breaker.retry_at(now) == pytest.approx(now + wait)


# ------------------------------------------------------------------------------------------------------------ by hand


def test_reset_closes_it_and_forgets_everything() -> None:
    breaker = tripped()
    relapses(breaker, 2)
    breaker.reset(61.0)
    fail(breaker, 4, now=61.0)
    breaker.reset(61.0)
    fail(breaker, 4, now=61.0)
    assert breaker.state(61.0) == "closed"
    fail(breaker, 1, now=61.0)
    assert breaker.retry_at(61.0) == 121.0


def test_forced_open_it_stays_so_until_it_is_reset() -> None:
    for breaker in (Breaker(), Breaker(mode="open")):
        early = breaker.acquire(0.0) if breaker.state(0.0) == "closed" else None
        breaker.force_open()
        if early is not None:
            breaker.success(early, 0.0)
            assert not breaker.stands(early)
        assert breaker.retry_at(1e9) == float("inf")
        with pytest.raises(Refused):
            breaker.acquire(1e9)
        breaker.reset(1e9)
        assert breaker.state(1e9) == "closed"


def test_born_open_it_refuses_at_once() -> None:
    with pytest.raises(Refused):
        Breaker(mode="open").acquire(0.0)


def test_in_shadow_it_counts_and_changes_and_refuses_nobody() -> None:
    changes: list[str] = []
    breaker = Breaker(mode="shadow", on_change=lambda old, new, at: changes.append(new))
    permits = []
    for _ in range(8):
        permits.append(breaker.acquire(0.0))
        breaker.failure(permits[-1], 0.0)
    assert [permit.era is None for permit in permits] == [False] * 5 + [True] * 3
    assert breaker.state(0.0) == "open"
    assert all(breaker.stands(permit) for permit in permits)
    for _ in range(2):
        breaker.success(breaker.acquire(60.0), 60.0)
    assert changes == ["open", "half_open", "ramp"]


def test_who_is_told_of_a_change_may_reset_it_at_once() -> None:
    def on_change(old: str, new: str, retry_at: float | None) -> None:
        if new == "half_open":
            breaker.reset(60.0)

    breaker = Breaker(on_change=on_change)
    fail(breaker, 5, now=0.0)
    assert breaker.stands(breaker.acquire(60.0))
    assert breaker.state(60.0) == "closed"


def test_a_probe_that_lost_its_lease_cannot_give_back_anothers() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    probe(breaker, 75.0)
    breaker.release(lost)
    with pytest.raises(Refused):
        breaker.acquire(76.0)
