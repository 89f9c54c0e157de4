"""Sinks break alone, and one that recovers gets everything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import pytest

from cinegraph_core import Measurement, MetricsSink, SinkContext
from cinegraph_core.testing import FakeClock
from cinegraph_core.tracking import Tracker
from cinegraph_core.tracking.outlet import Outlet
from tests.support.sinks import Paper, call, context, fail
from tests.support.waiting import within


def test_a_sink_that_breaks_harms_nobody_and_what_it_lost_is_counted(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    broken, paper = Paper(fail), Paper()
    tracker = tracking(broken=broken, paper=paper)
    for number in range(8):
        tracker.record(call(str(number)))
    assert not tracker.flush(0.2), "eight measurements are not written everywhere"
    assert within(2.0, lambda: paper.targets == [str(number) for number in range(8)])
    assert (tracker.sink_errors["paper"], tracker.lost["paper"]) == (0, 0)
    tracker.close()
    assert tracker.lost == {"broken": 8, "paper": 0}
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "8 measurements" in caplog.records[1].message


def test_lesson_30_a_sink_that_recovers_gets_everything_with_one_warning_per_outage(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[int]:
        return [record.levelno for record in caplog.records if record.levelno >= logging.WARNING]

    out = threading.Event()
    paper = Paper(lambda: fail() if out.is_set() else None)
    tracker = tracking(paper=paper)
    for outage in range(2):
        out.set()
        for number in range(60):
            tracker.record(call(f"{outage}/{number}"))
            assert number % 20 or not tracker.flush(0.05)
        assert within(2.0, lambda outage=outage: len(told()) > outage)  # type: ignore[misc]
        out.clear()
        assert tracker.flush(10)
    assert sorted(paper.targets) == sorted(f"{outage}/{number}" for outage in range(2) for number in range(60))
    assert sum(tracker.lost.values()) == 0
    assert told() == [logging.ERROR] * 2


def test_lesson_30_an_outage_that_ends_by_itself_needs_nobody_to_ask(tracking: Callable[..., Tracker]) -> None:
    answers = iter([fail])
    paper = Paper(lambda: next(answers, lambda: None)())  # noqa: PLW0108 - each write takes the next answer
    tracker = tracking(paper=paper)
    tracker.record(call())
    assert within(5, lambda: paper.targets == ["tt1"])


def test_a_measurement_that_a_sink_never_takes_takes_no_other_with_it(tracking: Callable[..., Tracker]) -> None:
    class Picky(Paper):
        def write(self, batch: Sequence[Measurement]) -> None:
            if any(measurement.target_identifier.startswith("bad") for measurement in batch):
                fail()
            super().write(batch)

    paper = Picky()
    tracker = tracking(picky=paper)
    bad = {0, 7, 8, 134, 299}
    for number in range(300):
        tracker.record(call(f"bad {number}" if number in bad else str(number)))
    assert tracker.flush(10)
    assert sorted(map(int, paper.targets)) == sorted({*range(300)} - bad)
    assert tracker.lost["picky"] == len(bad)


def test_what_waits_for_a_broken_sink_is_bounded(tracking: Callable[..., Tracker]) -> None:
    out = threading.Event()
    out.set()
    paper = Paper(lambda: fail() if out.is_set() else None)
    tracker = tracking(capacity=10, paper=paper)
    for number in range(30):
        tracker.record(call(str(number)))
        assert number % 5 or not tracker.flush(0.05)
    assert within(2.0, lambda: tracker.lost["paper"] == 20)
    out.clear()
    assert tracker.flush(10)
    assert (len(paper.targets), tracker.lost["paper"]) == (10, 20)


def test_a_sink_that_cannot_be_opened_is_tried_again_and_loses_nothing() -> None:
    paper, opened = Paper(), []

    def slow_to_start(_: SinkContext) -> Paper:
        opened.append(threading.current_thread().name)
        if len(opened) < 3:
            fail()
        return paper

    tracker = Tracker({"paper": MetricsSink(name="paper", open=slow_to_start)}, context())
    for number in range(4):
        tracker.record(call(str(number)))
    assert tracker.flush(10)
    tracker.close()
    assert paper.targets == ["0", "1", "2", "3"]
    assert opened == ["cinegraph-tracker"] * 3
    assert paper.closed == 1


class TestTheOutlet:
    """When a sink is tried again, on a clock that is set by hand."""

    def test_pauses_grow_to_half_a_minute_and_a_success_ends_them(self) -> None:
        clock, tried = FakeClock(), []
        well = threading.Event()

        def trouble() -> None:
            tried.append(clock.monotonic())
            if not well.is_set():
                fail()

        paper = Paper(trouble)
        outlet = Outlet(MetricsSink(name="paper", open=lambda _: paper), context(), capacity=10, clock=clock.monotonic)
        begun = clock.monotonic()
        outlet.take([call()])
        for _ in range(150):
            outlet.deliver()
            clock.advance(1.0)
        assert [moment - begun for moment in tried] == [0, 1, 3, 7, 15, 31, 61, 91, 121]
        well.set()
        clock.advance(30.0)
        outlet.deliver()
        assert (outlet.waiting, outlet.retry_at, paper.targets) == (0, None, ["tt1"])
