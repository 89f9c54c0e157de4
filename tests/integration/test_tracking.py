"""Recording never waits and never fails; what was recorded arrives."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from cinegraph_core.tracking import Tracker
from tests.support.sinks import Paper, call, context
from tests.support.waiting import within


def test_what_is_recorded_arrives_in_order_from_one_other_thread(tracking: Callable[..., Tracker]) -> None:
    paper = Paper()
    tracker = tracking(paper=paper)
    for number in range(2500):
        tracker.record(call(str(number)))
    assert tracker.flush(10)
    assert paper.targets == [str(number) for number in range(2500)]
    assert max(map(len, paper.batches)) <= 1000
    assert paper.threads == {"cinegraph-tracker"}
    assert sum(tracker.lost.values()) == 0


def test_a_single_measurement_does_not_wait_for_company(tracking: Callable[..., Tracker]) -> None:
    paper = Paper()
    tracker = tracking(paper=paper)
    tracker.record(call())
    assert within(5, lambda: paper.targets == ["tt1"])


def test_recording_never_waits_for_a_slow_sink_and_memory_stays_bounded(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()
    paper = Paper(lambda: go_on.wait(20))
    tracker = tracking(capacity=10, paper=paper)
    tracker.record(call("first"))
    assert within(5, lambda: bool(paper.threads))
    begun = time.monotonic()
    for number in range(1000):
        tracker.record(call(str(number)))
    assert time.monotonic() - begun < 1
    assert not tracker.flush(0.01)
    go_on.set()
    assert tracker.flush(10)
    assert len(paper.targets) + tracker.lost["paper"] == 1001
    assert len(paper.targets) == 11
    assert len(caplog.records) == 1, "one warning, not one per measurement"


def test_a_closed_tracker_leaves_nothing_behind_in_the_process() -> None:
    tracker = Tracker({}, context())
    left = weakref.ref(tracker)
    tracker.close()
    del tracker
    gc.collect()
    assert left() is None


def test_closing_writes_what_is_left_and_what_comes_after_is_counted(tracking: Callable[..., Tracker]) -> None:
    paper = Paper(lambda: time.sleep(0.05))
    tracker = tracking(paper=paper)
    for number in range(100):
        tracker.record(call(str(number)))
    tracker.close()
    assert len(paper.targets) == 100
    tracker.record(call("late"))
    tracker.close()
    assert (len(paper.targets), tracker.lost["paper"], paper.closed) == (100, 1, 1)
    assert tracker.flush(1)
