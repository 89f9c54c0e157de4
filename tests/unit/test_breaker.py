"""The breaker as a state machine: when it opens, what it refuses, whom it tells; the time is a number."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Refused
from tests.support.breakers import HIGHEST, climb, fail, probe, recover, tripped


def test_the_rules_are_by_default_the_classic_ones() -> None:
    rules = BreakerRules()
    assert (rules.failures, rules.wait, rules.successes, rules.lease) == (5, 60.0, 2, 60.0)
    assert (rules.minimum, rules.failure_rate, rules.slow_rate, rules.slow_after) == (20, 0.5, 0.5, float("inf"))
    window = rules.window()
    window.add(0.0)
    assert [window.totals(now)[0] for now in (119.9, 120.0)] == [1, 0]
    assert Breaker().lease == 60.0


def test_while_it_is_closed_everybody_may_go_at_once() -> None:
    assert Breaker().acquire(0.0).at == float("-inf")


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
    recover(breaker, 31.0)
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
