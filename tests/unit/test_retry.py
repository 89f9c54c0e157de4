"""Waits between attempts: jitter and Retry-After."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import pytest

from cinegraph_core.resilience.retry import LONGEST_HOLD, MAX_WAIT, RetryBudget, Slowdown, backoff, parse_retry_after

NOW = datetime(2024, 9, 7, 19, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Sat, 07 Sep 2024 19:00:30 GMT", 30.0),
        ("Sat, 07 Sep 2024 18:59:00 GMT", 0.0),
        ("3600", 3600.0),
        ("1.5", 1.5),
        ("-5", None),
        ("soon", None),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Saturday, 07-Sep-24 19:00:30 GMT", 30.0),
        ("Sat Sep  7 19:00:30 2024", 30.0),
        ("Sat, 07 Sep 2024 21:00:30 +0200", 30.0),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("٧", None),
        ("Sat, 99 Sep 2024 19:00:30 GMT", None),
        ("86401", LONGEST_HOLD),
        ("9" * 20, LONGEST_HOLD),
        ("9" * 400, LONGEST_HOLD),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_HOLD),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 +99999", None),
        ("5, 10", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_a_date_without_a_zone_is_greenwich_time_wherever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_retry_after("Sat Sep  7 19:00:30 2024", NOW) == 30.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_backoff_is_full_jitter_below_a_doubling_cap() -> None:
    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            assert a == 0.0
            return b

    assert [backoff(attempt, Highest()) for attempt in range(1, 8)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert backoff(10_000, Highest()) == MAX_WAIT


def test_backoff_spreads_over_the_whole_range() -> None:
    rng = random.Random(7)
    waits = [backoff(3, rng) for _ in range(1000)]
    assert 0.0 <= min(waits) < 0.1
    assert 3.9 < max(waits) <= 4.0
    assert 1.8 < sum(waits) / len(waits) < 2.2


def spent(budget: RetryBudget, now: float) -> int:
    """Return how many retries there are."""
    return sum(1 for _ in iter(lambda: budget.spend(now), False))


def test_a_service_seldom_called_has_a_reserve_that_fills_up_again() -> None:
    budget = RetryBudget()
    assert spent(budget, 0.0) == 20
    assert spent(budget, 3.96875) == 0
    assert spent(budget, 4.0) == 1
    assert spent(budget, 24.0) == 5
    assert spent(budget, 1e9) == 20


def test_ten_calls_earn_a_retry_and_a_thousand_is_all_that_is_saved() -> None:
    budget = RetryBudget()
    spent(budget, 0.0)
    for _ in range(9):
        budget.earn()
    assert spent(budget, 0.0) == 0
    budget.earn()
    assert spent(budget, 0.0) == 1
    for _ in range(5000):
        budget.earn()
    assert spent(budget, 0.0) == 100
    for _ in range(9):
        budget.earn()
    assert spent(budget, 0.0) == 0, "of the five thousand nothing is left"


def test_earned_retries_go_first() -> None:
    budget = RetryBudget()
    for _ in range(10):
        budget.earn()
    budget.spend(0.0)
    assert spent(budget, 0.0) == 20


def told(slowdown: Slowdown, *moments: float) -> list[float]:
    """Return for how long the service is held at each of these moments, at which a request sent just before is told."""
    return [slowdown.told(moment - 0.01, moment) - moment for moment in moments]


def test_lesson_22_each_word_to_slow_down_within_a_minute_of_the_last_pause_makes_the_next_longer() -> None:
    slowdown = Slowdown()
    assert told(slowdown, 100.0, 102.0, 105.0, 110.0, 120.0, 131.0) == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert told(slowdown, 141.0 + 60.0) == [10.0], "the last pause ended a minute ago"
    assert told(slowdown, 211.0 + 60.5) == [1.0]


def test_lesson_22_a_request_answered_well_since_ends_the_growth_of_the_pauses() -> None:
    slowdown = Slowdown()
    assert told(slowdown, 100.0, 102.0, 105.0) == [1.0, 2.0, 4.0]
    slowdown.answered(105.0)
    assert told(slowdown, 110.0) == [8.0], "that one had not left after the pause began"
    slowdown.answered(118.5)
    assert told(slowdown, 119.0) == [1.0]


def test_lesson_22_however_many_are_told_to_slow_down_at_once_it_is_one_pause() -> None:
    slowdown = Slowdown()
    assert [slowdown.told(10.0 + n / 100, 11.0 + n / 100) for n in range(20)] == [12.0] * 20
    assert slowdown.told(11.0, 15.0) == 12.0, "an answer that came late"
    assert slowdown.told(12.0, 12.5) == 14.5
