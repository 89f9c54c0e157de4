"""The rate limit: even spacing."""

from __future__ import annotations

from cinegraph_core.resilience.rate import RateLimit


def places(limit: RateLimit, *moments: float) -> list[float]:
    """Take a place at each of these moments and return how long each has to wait for it."""
    return [limit.reserve(now) for now in moments]


def test_requests_are_spaced_evenly() -> None:
    assert places(RateLimit(4.0), *[10.0] * 4) == [0.0, 0.25, 0.5, 0.75]


def test_no_second_holds_more_than_its_share() -> None:
    moments = (0.0, 0.0, 0.1, 0.9, 0.9, 0.9, 0.9, 3.0, 3.0, 3.05, 3.1, 3.1, 3.1)
    starts = [now + wait for now, wait in zip(moments, places(RateLimit(5.0), *moments), strict=True)]
    assert all(sum(start <= other < start + 0.999 for other in starts) <= 5 for start in starts)


def test_unused_time_is_not_saved_up() -> None:
    assert places(RateLimit(2.0), 0.0, 100.0, 100.0) == [0.0, 0.0, 0.5]


def test_less_than_one_a_second_is_a_limit_too() -> None:
    limit = RateLimit(0.5)
    limit.reserve(7.0)
    assert [limit.waiting(now) for now in (7.0, 8.5, 9.0, 11.0)] == [2.0, 0.5, 0.0, 0.0]


def test_without_a_number_there_is_no_limit() -> None:
    assert places(RateLimit(), *[0.0] * 3) == [0.0] * 3


def test_asking_takes_no_place() -> None:
    limit = RateLimit(2.0)
    limit.reserve(0.0)
    assert [limit.waiting(0.0), limit.waiting(0.0), limit.waiting(0.0)] == [0.5, 0.5, 0.5]


def test_those_ahead_without_a_turn_are_reckoned_with() -> None:
    limit = RateLimit(2.0)
    limit.reserve(0.0)
    assert [limit.waiting(0.25, ahead=3), limit.waiting(9.0, ahead=3), RateLimit().waiting(0.0, ahead=3)] == [1.75, 1.5, 0.0]


def test_zero_is_no_limit() -> None:
    assert places(RateLimit(0.0), *[0.0] * 100) == [0.0] * 100
