"""The ramp of a breaker: after its probes a service gets a growing share of the calls."""

from __future__ import annotations

from contextlib import suppress

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Permit, Refused
from cinegraph_core.resilience.ramp import GATE, SHARES
from tests.support.breakers import HIGHEST, climb, fail, recover, recovering


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


@pytest.mark.parametrize(("good", "of_a_thousand"), [(0, 50), (5, 250), (10, 500)])
def test_of_a_crowd_a_twentieth_goes_then_a_quarter_then_half(good: int, of_a_thousand: int) -> None:
    breaker, now = recovering(), 60.0
    for _ in range(good):
        permit = breaker.acquire(now)
        now = max(now, permit.at)
        breaker.success(permit, now)
    went = [0, 0]
    for asker in range(2000):
        with suppress(Refused):
            went[asker // 1000] += breaker.acquire(now).at == now
    assert went[1] == of_a_thousand, "the first thousand pay what was given in advance"


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
    recover(breaker, 60.0)
    late = breaker.acquire(60.0)
    now = climb(breaker, 60.0)
    breaker.failure(late, now)
    assert breaker.state(now) == "closed"
