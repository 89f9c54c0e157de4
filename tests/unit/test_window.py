"""The windows that the breaker's second rule looks through."""

from __future__ import annotations

from cinegraph_core.resilience.window import BUCKETS, CountWindow, TimeWindow


def test_a_window_of_time_counts_what_was_in_it() -> None:
    window = TimeWindow(60.0)
    window.add(0.0)
    window.add(59.0, failed=True)
    window.add(59.5, slow=True)
    assert window.totals(59.9) == (3, 1, 1)


def test_what_is_older_leaves_a_tenth_at_a_time() -> None:
    window = TimeWindow(60.0)
    for second in range(60):
        window.add(float(second), failed=True)
    assert [window.totals(now)[0] for now in (59.0, 60.0, 65.9, 66.0, 113.9, 114.0)] == [60, 54, 54, 48, 6, 0]


def test_a_pause_longer_than_the_window_empties_it() -> None:
    window = TimeWindow(60.0)
    window.add(1.0, failed=True)
    window.add(1000.0)
    assert window.totals(1000.0) == (1, 0, 0)


def test_a_call_that_reports_late_counts_into_the_latest_tenth() -> None:
    window = TimeWindow(60.0)
    window.add(12.0)
    window.add(11.9, failed=True)
    assert window.totals(12.0) == (2, 1, 0)
    assert window.totals(12.0 + 54.0) == (2, 1, 0)
    assert window.totals(12.0 + 60.0) == (0, 0, 0)


def test_it_keeps_no_more_than_its_buckets() -> None:
    window = TimeWindow(10.0)
    for second in range(1000):
        window.add(float(second))
    assert window.totals(999.0) == (BUCKETS, 0, 0)
    assert len(window._buckets) == BUCKETS


def test_a_window_of_numbers_keeps_the_last_calls_whenever_they_were() -> None:
    window = CountWindow(3)
    window.add(0.0, failed=True)
    window.add(0.0, slow=True)
    assert window.totals(1e9) == (2, 1, 1)
    window.add(1e9)
    window.add(1e9)
    assert window.totals(0.0) == (3, 0, 1)
