"""A breaker that opens because another process found the service sick."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Refused


def opened_by_another(told: list[object]) -> Breaker:
    breaker = Breaker(BreakerRules(failures=2, wait=60.0), on_change=lambda *change: told.append(change))
    assert breaker.follow(30.0, 10.0)
    return breaker


def test_it_refuses_until_the_other_s_probe_is_due_and_tells_nobody() -> None:
    told: list[object] = []
    breaker = opened_by_another(told)
    assert (breaker.state(10.0), breaker.retry_at(10.0), told) == ("open", 30.0, [])
    with pytest.raises(Refused) as caught:
        breaker.acquire(29.9)
    assert caught.value.retry_at == 30.0
    assert breaker.state(30.0) == "half_open"


def test_what_began_before_changes_nothing() -> None:
    breaker = Breaker(BreakerRules(failures=1))
    permit = breaker.acquire(0.0)
    assert breaker.follow(30.0, 10.0)
    breaker.success(permit, 11.0)
    breaker.failure(permit, 12.0)
    assert breaker.retry_at(12.0) == 30.0


@pytest.mark.parametrize("until", [10.0, 9.0])
def test_an_opening_that_is_over_is_not_followed(until: float) -> None:
    breaker = Breaker(BreakerRules())
    assert not breaker.follow(until, 10.0)
    assert breaker.state(10.0) == "closed"


def test_one_that_is_open_itself_keeps_its_own_time() -> None:
    breaker = opened_by_another([])
    assert not breaker.follow(90.0, 11.0)
    assert breaker.retry_at(11.0) == 30.0
    assert breaker.state(30.0) == "half_open"
    assert not breaker.follow(90.0, 31.0)
    assert breaker.state(31.0) == "half_open"
