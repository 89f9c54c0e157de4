"""How long a breaker stays open: twice as long with every relapse, forgiven by good health."""

from __future__ import annotations

import random

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules
from tests.support.breakers import climb, fail, recover, relapses, tripped


class Lowest(random.Random):
    """Always draws the lowest number."""

    def uniform(self, a: float, b: float) -> float:
        return a


def test_every_relapse_waits_twice_as_long_up_to_ten_minutes() -> None:
    assert relapses(tripped(), 5) == [120.0, 240.0, 480.0, 600.0, 600.0]


def test_the_wait_after_a_relapse_is_jittered_downwards_and_the_first_is_not() -> None:
    breaker = Breaker(rng=Lowest())
    fail(breaker, 5, now=0.0)
    assert breaker.retry_at(0.0) == 60.0
    assert relapses(breaker, 4) == pytest.approx([108.0, 216.0, 432.0, 540.0])
    assert {round(relapses(Breaker(BreakerRules(failures=1), mode="auto"), 1, now=0.0)[0]) for _ in range(3)} == {60}


def test_a_wait_set_longer_than_ten_minutes_stays_as_it_is() -> None:
    breaker = tripped(wait=1000.0)
    assert relapses(breaker, 2, now=1000.0) == [1000.0, 1000.0]


@pytest.mark.parametrize(("healthy", "wait"), [(3599.0, 240.0), (3600.0, 120.0), (7200.0, 60.0), (1e9, 60.0)])
def test_a_healthy_hour_forgives_one_doubling(healthy: float, wait: float) -> None:
    breaker = tripped()
    relapses(breaker, 1)
    now = 180.0
    recover(breaker, now)
    now = climb(breaker, now) + healthy
    fail(breaker, 5, now=now)
    assert breaker.retry_at(now) == pytest.approx(now + wait)
