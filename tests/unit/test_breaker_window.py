"""The window of a breaker: a rate of failures or of slow answers opens it too."""

from __future__ import annotations

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules
from cinegraph_core.resilience.window import CountWindow, TimeWindow
from tests.support.breakers import HIGHEST, climb, mixed, recover, recovering, tripped


def test_four_failures_of_five_open_it_although_never_five_in_a_row() -> None:
    breaker = Breaker()
    assert mixed(breaker, "FFFFs" * 40) == 180
    assert breaker.state(0.0) == "open"


def test_below_the_minimum_a_rate_says_nothing() -> None:
    breaker = Breaker(BreakerRules(minimum=20))
    assert mixed(breaker, "Fs" * 9 + "F") == 0
    assert breaker.state(0.0) == "closed"
    mixed(breaker, "F")
    assert breaker.state(0.0) == "open", "the twentieth call, eleven of them failed"


@pytest.mark.parametrize("window", [TimeWindow(120.0), CountWindow(30)])
def test_a_good_answer_that_completes_the_minimum_opens_it_too(window: TimeWindow | CountWindow) -> None:
    breaker = Breaker(BreakerRules(window=lambda: window))
    mixed(breaker, "FFFFs" * 3 + "FFFF")
    assert breaker.state(0.0) == "closed"
    mixed(breaker, "s")
    assert breaker.state(0.0) == "open", "sixteen of twenty failed"


def test_a_good_answer_completes_the_minimum_of_slow_ones_too() -> None:
    breaker = Breaker(BreakerRules(slow_after=5.0))
    mixed(breaker, "s" * 10, took=5.1)
    assert mixed(breaker, "s" * 10, took=5.0) == 0
    assert breaker.state(0.0) == "open"


@pytest.mark.parametrize(("failure_rate", "slow_rate"), [(0.9, 0.25), (0.25, 0.9)])
def test_a_good_answer_completes_the_minimum_whichever_rate_is_the_lower(failure_rate: float, slow_rate: float) -> None:
    breaker = Breaker(BreakerRules(minimum=4, failure_rate=failure_rate, slow_rate=slow_rate, slow_after=5.0))
    mixed(breaker, "F" if failure_rate < slow_rate else "s", took=5.1)
    assert mixed(breaker, "sss") == 0
    assert breaker.state(0.0) == "open", "one of four"


def test_good_answers_that_grow_old_leave_the_share_of_failures_to_be_seen() -> None:
    breaker = Breaker(BreakerRules(window=lambda: TimeWindow(100.0)))
    mixed(breaker, "s" * 20, now=0.0)
    mixed(breaker, "FFFFs" * 4, now=50.0)
    assert breaker.state(50.0) == "closed", "sixteen of forty"
    mixed(breaker, "s", now=100.0)
    assert breaker.state(100.0) == "open", "sixteen of twenty-one"


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
    mixed(breaker, "FFFs" * 3 + "ssss" * 4, now=0.0)
    mixed(breaker, "F", now=1000.0)
    assert breaker.state(1000.0) == "closed"
    mixed(breaker, "FFsFFFsFFFsF", now=1000.0)
    assert breaker.state(1000.0) == "open", "ten of the last twenty, of all of them nineteen of forty-one"


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


def test_a_slow_answer_to_what_began_before_the_trip_changes_nothing() -> None:
    breaker = Breaker(BreakerRules(slow_after=5.0))
    early = breaker.acquire(0.0)
    assert mixed(breaker, "s" * 20, took=5.1) == 0
    assert breaker.state(60.0) == "half_open"
    breaker.success(early, 60.0, 61.0)
    assert breaker.state(60.0) == "half_open"


def test_after_recovery_the_window_begins_anew() -> None:
    breaker = Breaker(BreakerRules(failures=100, minimum=20), rng=HIGHEST)
    mixed(breaker, "F" * 20)
    recover(breaker, 60.0)
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
