"""The time a call may take: its attempts, its waits, its turn in the rate."""

from __future__ import annotations

import sys
import threading

import pytest

from cinegraph_core.errors import RateLimitError, ServiceTimeoutError
from cinegraph_core.services.verdicts import Again
from tests.support.guard import Bench, reply


def test_lesson_23_the_deadline_is_passed_down_to_the_attempt() -> None:
    bench = Bench(timeout=5.0, deadline=8.0)
    guard = bench.begin()
    first = guard.attempt()
    assert first.timeout == 5.0
    bench.clock.advance(5.0)
    assert guard.failed(first, TimeoutError()) == Again(1.0)
    bench.clock.advance(1.0)
    attempt = guard.attempt()
    assert attempt.timeout == pytest.approx(2.0)
    bench.clock.advance(2.0)
    with pytest.raises(ServiceTimeoutError):
        guard.failed(attempt, TimeoutError())
    assert bench.rows.only.response_time_ms == pytest.approx(8000.0)


def test_time_in_a_queue_counts_for_neither_deadline_nor_response_time() -> None:
    bench = Bench(timeout=5.0, deadline=8.0)
    guard = bench.begin()
    guard.failed(guard.attempt(), ConnectionResetError())
    bench.clock.advance(1001.0)
    guard.queued(1000.0)
    attempt = guard.attempt()
    assert attempt.timeout == 5.0
    bench.clock.advance(0.5)
    guard.answered(attempt, reply())
    assert bench.rows.only.response_time_ms == 1500.0


def test_the_rate_is_kept_by_all_calls_together() -> None:
    bench = Bench(rate_per_second=2.0)
    assert [bench.begin().attempt().wait for _ in range(3)] == [0.0, 0.5, 1.0]


def test_threads_that_ask_at_the_same_moment_get_places_of_their_own() -> None:
    bench, waits = Bench(rate_per_second=1000.0, max_concurrent=0), list[float]()
    begin = threading.Barrier(8)

    def ask() -> None:
        begin.wait()
        waits.extend(bench.begin().attempt().wait for _ in range(2000))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(waits) == pytest.approx([number / 1000 for number in range(16000)])


def test_a_place_beyond_the_deadline_is_refused_and_not_taken() -> None:
    bench = Bench(rate_per_second=0.1, deadline=15.0)
    assert [bench.begin().attempt().wait for _ in range(2)] == [0.0, 10.0]
    for _ in range(3):
        assert bench.fails(ServiceTimeoutError).retry_after == 20.0
    bench.clock.advance(10.0)
    assert bench.begin().attempt().wait == 10.0


def test_a_hold_within_the_deadline_is_still_too_long_to_sleep() -> None:
    bench = Bench(deadline=60.0)
    bench.fails(RateLimitError, reply(429, headers={"retry-after": "30"}))
    bench.clock.advance(15.0)
    assert bench.fails(RateLimitError).retry_after == pytest.approx(15.0)


def test_a_wait_that_would_pass_the_deadline_fails_now() -> None:
    bench = Bench(deadline=5.0)
    assert bench.fails(RateLimitError, reply(429, headers={"retry-after": "6"})).retry_after == 6.0
    assert bench.waits == []


def test_where_a_redirect_leads_there_is_what_is_left_of_the_deadline_and_each_has_its_own_response_time() -> None:
    bench = Bench(timeout=5.0, deadline=8.0, rate_per_second=0.2)
    first, second, third = (bench.begin() for _ in range(3))
    assert first.spent() == 0.0
    first.attempt()
    bench.clock.advance(3.0)
    second.follows(first.spent())
    attempt = second.attempt()
    assert (attempt.wait, attempt.timeout) == (2.0, 3.0)
    bench.clock.advance(2.0)
    attempt = second.leaving(attempt)
    bench.clock.advance(1.0)
    second.answered(attempt, reply())
    assert bench.rows.only.response_time_ms == 1000.0
    third.follows(second.spent())
    with pytest.raises(ServiceTimeoutError, match="no place within 2 s"):
        third.attempt()
