"""A breaker that opens or recovers because another process has found out how the service is."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Permit, Refused
from tests.support.door import Longest


def opened_by_another(told: list[object]) -> Breaker:
    breaker = Breaker(BreakerRules(failures=2, wait=60.0), on_change=lambda *change: told.append(change))
    assert breaker.follow(30.0, 10.0, 9.0)
    return breaker


def on_the_ramp(told: list[object]) -> Breaker:
    """One whose own two probes were good, at 30 and 31."""
    breaker = opened_by_another(told)
    for now in (30.0, 31.0):
        breaker.success(breaker.acquire(now), now)
    assert breaker.state(31.0) == "ramp"
    told.clear()
    return breaker


def test_it_refuses_until_the_other_s_probe_is_due_and_tells_nobody() -> None:
    told: list[object] = []
    breaker = opened_by_another(told)
    assert (breaker.state(10.0), breaker.retry_at(10.0), told) == ("open", 30.0, [])
    with pytest.raises(Refused) as caught:
        breaker.acquire(29.9)
    assert caught.value.retry_at == 30.0
    assert breaker.state(30.0) == "half_open"


def test_one_made_while_the_service_was_sick_begins_open_as_long_as_the_others_are_and_tells_nobody() -> None:
    told: list[object] = []
    breaker = Breaker(BreakerRules(failures=1, wait=60.0), on_change=lambda *change: told.append(change))
    breaker.resume(90.0, 30.0)
    assert (breaker.retry_at(40.0), breaker.state(89.9), told) == (90.0, "open", [])
    assert not breaker.recover(30.0, 41.0), "found before it was sick"
    breaker.failure(breaker.acquire(90.0), 91.0)
    assert breaker.retry_at(91.0) == pytest.approx(91.0 + 2 * 60.0, abs=12.0), "a relapse"


def test_one_made_when_the_others_wait_was_over_begins_with_a_probe() -> None:
    breaker = Breaker(BreakerRules())
    breaker.resume(30.0, 1.0)
    assert breaker.state(40.0) == "half_open"


def test_one_that_has_found_out_itself_does_not_begin_anew() -> None:
    breaker = opened_by_another([])
    breaker.resume(90.0, 5.0)
    assert breaker.retry_at(11.0) == 30.0


def test_what_began_before_changes_nothing() -> None:
    breaker = Breaker(BreakerRules(failures=1))
    permit = breaker.acquire(0.0)
    assert breaker.follow(30.0, 10.0, 9.0)
    breaker.success(permit, 11.0)
    breaker.failure(permit, 12.0)
    assert breaker.retry_at(12.0) == 30.0


@pytest.mark.parametrize("until", [10.0, 9.0])
def test_an_opening_that_is_over_is_not_followed(until: float) -> None:
    breaker = Breaker(BreakerRules())
    assert not breaker.follow(until, 10.0, 1.0)
    assert breaker.state(10.0) == "closed"


def test_one_that_is_open_itself_keeps_its_own_time() -> None:
    breaker = opened_by_another([])
    assert not breaker.follow(90.0, 11.0, 10.5)
    assert breaker.retry_at(11.0) == 30.0
    assert breaker.state(30.0) == "half_open"


@pytest.mark.parametrize(("found_at", "followed"), [(29.0, False), (30.0, True), (30.5, True)])
def test_at_half_open_only_what_was_found_since_is_news(found_at: float, followed: bool) -> None:
    breaker = opened_by_another([])
    assert breaker.state(30.0) == "half_open"
    assert breaker.follow(90.0, 31.0, found_at) is followed
    assert breaker.retry_at(31.0) == (90.0 if followed else None)


@pytest.mark.parametrize(("found_at", "followed"), [(30.5, False), (31.5, True)])
def test_on_the_ramp_another_s_relapse_is_followed(found_at: float, followed: bool) -> None:
    told: list[object] = []
    breaker = on_the_ramp(told)
    assert breaker.follow(150.0, 32.0, found_at) is followed
    assert breaker.state(32.0) == ("open" if followed else "ramp")
    assert told == []


@pytest.mark.parametrize("now", [20.0, 30.0])
def test_another_s_good_probes_begin_the_ramp_and_nobody_is_told_again(now: float) -> None:
    told: list[object] = []
    breaker = opened_by_another(told)
    before = breaker.state(now)
    told.clear()
    assert breaker.recover(now - 0.5, now)
    assert (before, breaker.state(now), told) == ("open" if now == 20.0 else "half_open", "ramp", [])


def test_good_probes_of_before_it_opened_say_nothing() -> None:
    breaker = Breaker(BreakerRules(failures=1, wait=60.0))
    breaker.failure(breaker.acquire(10.0), 10.0)
    assert not breaker.recover(9.0, 11.0)
    assert not breaker.recover(10.0, 11.0)
    assert breaker.state(11.0) == "open"
    assert breaker.recover(10.5, 11.0)


def test_one_that_is_closed_or_held_open_by_hand_recovers_from_nothing() -> None:
    closed, held = Breaker(BreakerRules()), Breaker(BreakerRules())
    held.force_open()
    assert not closed.recover(5.0, 6.0)
    assert not held.recover(5.0, 6.0)
    assert (closed.state(6.0), held.state(6.0)) == ("closed", "open")


def test_a_relapse_on_a_ramp_begun_by_another_waits_longer_than_the_other_did_and_is_told() -> None:
    told: list[object] = []
    rules = BreakerRules(failures=2, wait=60.0)
    breaker = Breaker(rules, on_change=lambda *change: told.append(change), rng=Longest())
    assert breaker.follow(130.0, 10.0, 10.0)
    assert breaker.recover(130.5, 131.0)
    for now in (131.0, 132.0):
        breaker.failure(breaker.acquire(now), now)
    assert breaker.retry_at(132.0) == 132.0 + 2 * 120.0
    assert told == [("ramp", "open", 372.0)]


def test_a_relapse_after_another_s_short_opening_waits_no_less_than_twice_the_plain_wait() -> None:
    breaker = Breaker(BreakerRules(wait=60.0), rng=Longest())
    assert breaker.follow(30.0, 10.0, 9.0)
    breaker.failure(breaker.acquire(30.0), 30.0)
    assert breaker.retry_at(30.0) == 150.0


@pytest.mark.parametrize(("found_at", "followed"), [(24.9, False), (25.0, True)])
def test_on_a_ramp_begun_by_another_only_what_was_found_since_is_news(found_at: float, followed: bool) -> None:
    breaker = opened_by_another([])
    assert breaker.recover(20.0, 25.0)
    assert breaker.follow(90.0, 26.0, found_at) is followed


def test_good_probes_of_after_it_was_found_sick_count_though_they_were_before_it_heard() -> None:
    breaker = opened_by_another([])
    assert not breaker.recover(9.0, 11.0)
    assert breaker.recover(9.5, 11.0)


def test_closed_again_it_follows_whatever_still_holds() -> None:
    breaker = opened_by_another([])
    breaker.reset(12.0)
    assert breaker.follow(30.0, 13.0, 9.0)
    assert breaker.retry_at(13.0) == 30.0


def test_a_probe_that_another_process_makes_is_waited_for_and_the_next_may_go() -> None:
    breaker = opened_by_another([])
    permit = breaker.acquire(30.0)
    breaker.postpone(permit, 30.5)
    with pytest.raises(Refused) as caught:
        breaker.acquire(30.4)
    assert caught.value.retry_at == 30.5
    breaker.success(permit, 30.4)
    breaker.success(breaker.acquire(30.5), 30.6)
    assert breaker.state(30.6) == "half_open", "what was taken back counts for nothing"
    breaker.success(breaker.acquire(30.7), 30.8)
    assert breaker.state(30.8) == "ramp"


def test_only_the_probe_that_is_out_can_be_postponed() -> None:
    breaker = opened_by_another([])
    probe = breaker.acquire(30.0)
    breaker.postpone(Permit(probe.era, 30.0), 40.0)
    with pytest.raises(Refused) as caught:
        breaker.acquire(30.1)
    assert caught.value.retry_at == 30.0 + breaker.lease
    breaker.success(probe, 30.2)
    breaker.success(breaker.acquire(30.3), 30.4)
    assert breaker.state(30.4) == "ramp"
    breaker.postpone(probe, 99.0)
    assert breaker.acquire(35.0).at == 35.0, "there is nothing to postpone on the ramp"
