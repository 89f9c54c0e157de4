"""A breaker on a person's word: reset, open, or in shadow."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.breaker import Breaker, Refused
from tests.support.breakers import HIGHEST, climb, fail, recover, relapses, tripped


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
    recover(breaker, 60.0)
    assert changes == ["open", "half_open", "ramp"]


def test_in_shadow_nobody_waits_for_a_place_on_the_ramp_and_those_who_would_have_one_count() -> None:
    breaker = Breaker(mode="shadow", rng=HIGHEST)
    fail(breaker, 5, now=0.0)
    recover(breaker, 60.0)
    places = [breaker.acquire(60.0) for _ in range(8)]
    assert all(place.at <= 60.0 for place in places)
    assert [place.era is None for place in places] == [False] * 5 + [True] * 3
    for place in places[:5]:
        breaker.success(place, 60.0)
    assert climb(breaker, 60.0) == 60.0
    sick = Breaker(mode="shadow", rng=HIGHEST)
    fail(sick, 5, now=0.0)
    recover(sick, 60.0)
    for place in [sick.acquire(60.0) for _ in range(3)][1:]:
        sick.failure(place, 60.0)
    assert sick.retry_at(60.0) == 180.0


def test_in_shadow_too_it_refuses_everybody_once_a_person_opened_it() -> None:
    breaker = Breaker(mode="shadow")
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    shadowed = breaker.acquire(0.0)
    breaker.force_open()
    assert not breaker.stands(early)
    assert not breaker.stands(shadowed)
    with pytest.raises(Refused) as caught:
        breaker.acquire(1e9)
    assert caught.value.retry_at == float("inf")
    assert not breaker.recover(1e9, 1e9)
    breaker.reset(1e9)
    assert breaker.stands(breaker.acquire(1e9))


def test_who_is_told_of_a_change_may_reset_it_at_once() -> None:
    def on_change(old: str, new: str, retry_at: float | None) -> None:
        if new == "half_open":
            breaker.reset(60.0)

    breaker = Breaker(on_change=on_change)
    fail(breaker, 5, now=0.0)
    assert breaker.stands(breaker.acquire(60.0))
    assert breaker.state(60.0) == "closed"
