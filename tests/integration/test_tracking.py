"""Recording never waits and never fails; sinks break alone; what was recorded arrives."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, func, select

from cinegraph_core import Measurement, MetricsSink, SinkContext
from cinegraph_core.plugins import load_plugins
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.tables import MetricRow
from cinegraph_core.testing import FakeClock
from cinegraph_core.tracking import Tracker
from cinegraph_core.tracking.outlet import Outlet


def call(target: str = "tt1", **fields: Any) -> Measurement:
    defaults = {"source": "tmdb", "operation": "find_by_imdb", "success": True, "inserted_at": datetime(2026, 1, 2, tzinfo=UTC)}
    return Measurement(target_identifier=target, **(defaults | fields))


class Paper:
    """A sink writer that keeps what it is given; ``trouble`` may raise or wait first."""

    def __init__(self, trouble: Callable[[], None] = lambda: None) -> None:
        self.batches: list[Sequence[Measurement]] = []
        self.threads: set[str] = set()
        self.closed = 0
        self._trouble = trouble

    def write(self, batch: Sequence[Measurement]) -> None:
        self.threads.add(threading.current_thread().name)
        self._trouble()
        self.batches.append(batch)

    def close(self) -> None:
        self.closed += 1

    @property
    def targets(self) -> list[str]:
        return [measurement.target_identifier for batch in self.batches for measurement in batch]


def context(store: Callable[[Sequence[Measurement]], None] = lambda batch: None) -> SinkContext:
    return SinkContext(database_url="sqlite:///nowhere.db", store=store, clock=FakeClock())


@pytest.fixture
def tracking() -> Iterator[Callable[..., Tracker]]:
    trackers: list[Tracker] = []

    def start(capacity: int = 100_000, **papers: Paper) -> Tracker:
        sinks = {name: MetricsSink(name=name, open=lambda _, paper=paper: paper) for name, paper in papers.items()}
        trackers.append(Tracker(sinks, context(), capacity=capacity, patience=0.3))
        return trackers[-1]

    yield start
    for tracker in trackers:
        tracker.close()


def fail() -> None:
    raise OSError("the disk is full")


def test_what_is_recorded_arrives_in_order_from_one_other_thread(tracking: Callable[..., Tracker]) -> None:
    paper = Paper()
    tracker = tracking(paper=paper)
    for number in range(2500):
        tracker.record(call(str(number)))
    assert tracker.flush(10)
    assert paper.targets == [str(number) for number in range(2500)]
    assert max(map(len, paper.batches)) <= 1000
    assert paper.threads == {"cinegraph-tracker"}
    assert tracker.dropped == 0


def test_a_single_measurement_does_not_wait_for_company(tracking: Callable[..., Tracker]) -> None:
    paper = Paper()
    tracker = tracking(paper=paper)
    tracker.record(call())
    until = time.monotonic() + 5
    while not paper.targets and time.monotonic() < until:
        time.sleep(0.01)
    assert paper.targets == ["tt1"]


def test_recording_never_waits_for_a_slow_sink_and_memory_stays_bounded(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()
    paper = Paper(lambda: go_on.wait(20) and None)
    tracker = tracking(capacity=10, paper=paper)
    tracker.record(call("first"))
    while not paper.threads:
        time.sleep(0.01)
    begun = time.monotonic()
    for number in range(1000):
        tracker.record(call(str(number)))
    assert time.monotonic() - begun < 1
    assert not tracker.flush(0.01)
    go_on.set()
    assert tracker.flush(10)
    assert len(paper.targets) + tracker.dropped == 1001
    assert len(paper.targets) == 11
    assert len(caplog.records) == 1, "one warning, not one per measurement"


def test_a_sink_that_breaks_harms_nobody_and_what_it_lost_is_counted(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    broken, paper = Paper(fail), Paper()
    tracker = tracking(broken=broken, paper=paper)
    for number in range(8):
        tracker.record(call(str(number)))
    assert not tracker.flush(0.2), "eight measurements are not written everywhere"
    assert paper.targets == [str(number) for number in range(8)]
    assert (tracker.sink_errors["paper"], tracker.dropped) == (0, 0)
    tracker.close()
    assert tracker.dropped == 8
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "8 measurements" in caplog.records[1].message


def test_lesson_30_a_sink_that_recovers_gets_everything_with_one_warning_per_outage(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    out = threading.Event()
    paper = Paper(lambda: fail() if out.is_set() else None)
    tracker = tracking(paper=paper)
    for outage in range(2):
        out.set()
        for number in range(60):
            tracker.record(call(f"{outage}/{number}"))
            assert number % 20 or not tracker.flush(0.05)
        out.clear()
        assert tracker.flush(10)
    assert sorted(paper.targets) == sorted(f"{outage}/{number}" for outage in range(2) for number in range(60))
    assert tracker.dropped == 0
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == [logging.ERROR] * 2


def test_lesson_30_an_outage_that_ends_by_itself_needs_nobody_to_ask(tracking: Callable[..., Tracker]) -> None:
    answers = iter([fail])
    paper = Paper(lambda: next(answers, lambda: None)())  # noqa: PLW0108 - each write takes the next answer
    tracker = tracking(paper=paper)
    tracker.record(call())
    until = time.monotonic() + 5
    while not paper.targets and time.monotonic() < until:
        time.sleep(0.01)
    assert paper.targets == ["tt1"]


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
    assert tracker.dropped == len(bad)


def test_what_waits_for_a_broken_sink_is_bounded(tracking: Callable[..., Tracker]) -> None:
    out = threading.Event()
    out.set()
    paper = Paper(lambda: fail() if out.is_set() else None)
    tracker = tracking(capacity=10, paper=paper)
    for number in range(30):
        tracker.record(call(str(number)))
        assert number % 5 or not tracker.flush(0.05)
    out.clear()
    assert tracker.flush(10)
    assert (len(paper.targets), tracker.dropped) == (10, 20)


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
    assert (len(paper.targets), tracker.dropped, paper.closed) == (100, 1, 1)
    assert tracker.flush(1)


def sql_sinks() -> Mapping[str, MetricsSink]:
    return {"sql": load_plugins(strict=True).metrics_sinks()["sql"]}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.prepare("mock")
    yield database
    database.close()


def store_in(database: Database) -> Callable[[Sequence[Measurement]], None]:
    def store(batch: Sequence[Measurement]) -> None:
        with database.transaction() as session:
            insert_measurements(session, batch)

    return store


def stored(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(MetricRow.target_identifier).order_by(col(MetricRow.id))))


def test_the_sql_sink_writes_everything_and_a_bad_row_takes_no_other_with_it(database: Database) -> None:
    tracker = Tracker(sql_sinks(), context(store_in(database)))
    for number in range(1200):
        tracker.record(call(str(number), metadata={"object": object()} if number % 100 == 0 else {}))
    tracker.record(call("broken", inserted_at="never"))
    tracker.record(call("last"))
    assert tracker.flush(30)
    tracker.close()
    assert stored(database) == [*map(str, range(1200)), "last"]
    assert tracker.sink_errors == {"sql": 0}


def test_lesson_30_a_database_that_is_busy_delays_the_record_and_loses_nothing(database: Database) -> None:
    tracker = Tracker(sql_sinks(), context(store_in(database)))
    with database.transaction() as session:
        session.exec(select(func.count()).select_from(MetricRow))
        for number in range(10):
            tracker.record(call(str(number)))
        time.sleep(0.3)
    assert tracker.flush(30)
    tracker.close()
    assert len(stored(database)) == 10


def test_lesson_30_a_database_that_is_gone_for_a_while_costs_no_row(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    tracker = Tracker(sql_sinks(), context(store_in(database)))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE api_lookup_metrics RENAME TO elsewhere"))
    for number in range(50):
        tracker.record(call(str(number)))
    assert not tracker.flush(0.3)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO api_lookup_metrics"))
    assert tracker.flush(10)
    tracker.close()
    assert sorted(map(int, stored(database))) == list(range(50))
    assert tracker.dropped == 0
    said = [(record.levelno, record.getMessage()) for record in caplog.records if record.name.startswith("cinegraph_core")]
    assert [level for level, _ in said] == [logging.ERROR], said


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
