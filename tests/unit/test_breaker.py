"""The breaker as a state machine; the time is a number."""

from __future__ import annotations

import threading

import pytest

from cinegraph_core.resilience.breaker import Breaker, Permit, Refused


def tripped(**options: float) -> Breaker:
    """Return a breaker that opened at 0 and lets a probe go at 60."""
    breaker = Breaker(**options)  # type: ignore[arg-type]
    fail(breaker, 5, now=0.0)
    return breaker


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
    breaker = Breaker()
    for _ in range(3):
        fail(breaker, 4, now=0.0)
        breaker.success(breaker.acquire(0.0), 0.0)
    assert breaker.state(0.0) == "closed"


def test_open_refuses_and_says_until_when() -> None:
    breaker = tripped()
    with pytest.raises(Refused) as refusal:
        breaker.acquire(59.9)
    assert refusal.value.retry_at == 60.0
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
    assert breaker.state(62.0) == "closed"


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
    assert breaker.state(61.0) == "closed"


def test_a_success_of_before_the_trip_does_not_start_the_count_again() -> None:
    breaker = Breaker()
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    for _ in range(2):
        breaker.success(probe(breaker, 60.0), 60.0)
    fail(breaker, 4, now=61.0)
    breaker.success(early, 61.0)
    fail(breaker, 1, now=61.0)
    assert breaker.state(61.0) == "open"


def test_a_success_whose_lease_went_to_another_does_not_count() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    second = probe(breaker, 75.0)
    breaker.success(lost, 76.0)
    breaker.success(second, 76.0)
    assert breaker.state(76.0) == "half_open"


def test_a_failed_probe_opens_it_for_the_whole_wait() -> None:
    breaker = tripped()
    breaker.success(probe(breaker, 60.0), 60.0)
    breaker.failure(probe(breaker, 61.0), 62.0)
    assert breaker.retry_at(62.0) == 122.0
    breaker.success(probe(breaker, 122.0), 122.0)
    assert breaker.state(122.0) == "half_open", "the success of before the failed probe is forgotten"


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

    breaker = Breaker(wait=10.0, on_change=on_change)
    fail(breaker, 5, now=0.0)
    breaker.failure(probe(breaker, 10.0), 11.0)
    for _ in range(2):
        breaker.success(probe(breaker, 21.0), 21.0)
    assert told == [
        ("closed", "open", 10.0),
        ("open", "half_open", None),
        ("half_open", "open", 21.0),
        ("open", "half_open", None),
        ("half_open", "closed", None),
    ]


def test_a_permit_stands_until_the_state_changes() -> None:
    breaker = Breaker()
    permit = breaker.acquire(0.0)
    fail(breaker, 4, now=0.0)
    assert breaker.stands(permit)
    fail(breaker, 1, now=0.0)
    assert not breaker.stands(permit)
