"""A breaker that half-opens: one probe at a time, two good ones, and results that come too late."""

from __future__ import annotations

import threading

import pytest

from cinegraph_core.resilience.breaker import Breaker, BreakerRules, Refused
from tests.support.breakers import climb, fail, probe, recover, tripped


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
    assert breaker.state(62.0) == "ramp"


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
    assert first.at == 60.0
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
    recover(breaker, 60.0)
    for _ in range(5):
        breaker.failure(early, 61.0)
    now = climb(breaker, 61.0)
    for _ in range(5):
        breaker.failure(early, now)
    assert breaker.state(now) == "closed"


def test_a_success_of_before_the_trip_does_not_start_the_count_again() -> None:
    breaker = Breaker()
    early = breaker.acquire(0.0)
    fail(breaker, 5, now=0.0)
    recover(breaker, 60.0)
    now = climb(breaker, 61.0)
    fail(breaker, 4, now=now)
    breaker.success(early, now)
    fail(breaker, 1, now=now)
    assert breaker.state(now) == "open"


def test_a_success_whose_lease_went_to_another_does_not_count() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    second = probe(breaker, 75.0)
    breaker.success(lost, 76.0)
    breaker.success(second, 76.0)
    assert breaker.state(76.0) == "half_open"


def test_a_failed_probe_opens_it_and_the_success_before_is_forgotten() -> None:
    breaker = tripped()
    breaker.success(probe(breaker, 60.0), 60.0)
    breaker.failure(probe(breaker, 61.0), 62.0)
    assert breaker.retry_at(62.0) == 182.0
    breaker.success(probe(breaker, 182.0), 182.0)
    assert breaker.state(182.0) == "half_open"


def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    breaker = tripped()
    breaker.release(probe(breaker, 60.0))
    assert breaker.state(60.0) == "half_open"
    probe(breaker, 60.0)


def test_a_probe_that_lost_its_lease_cannot_give_back_anothers() -> None:
    breaker = tripped(lease=15.0)
    lost = probe(breaker, 60.0)
    probe(breaker, 75.0)
    breaker.release(lost)
    with pytest.raises(Refused):
        breaker.acquire(76.0)


def test_a_probe_that_a_scheduler_kept_longer_than_its_lease_counts_when_it_goes() -> None:
    breaker = tripped(lease=15.0)
    first = breaker.acquire(60.0)
    second = breaker.acquire(75.0)
    for kept, at in ((first, 80.0), (second, 95.0)):
        assert breaker.departs(kept, at)
        with pytest.raises(Refused) as caught:
            breaker.acquire(at + 14.0)
        assert caught.value.retry_at == at + 15.0
        breaker.success(kept, at + 14.5)
    assert breaker.state(110.0) == "ramp"


def test_one_that_a_scheduler_kept_does_not_go_when_the_breaker_has_opened_meanwhile() -> None:
    breaker = Breaker(BreakerRules(failures=1))
    kept = breaker.acquire(0.0)
    breaker.failure(breaker.acquire(0.0), 1.0)
    assert not breaker.departs(kept, 2.0)
