"""Recording never waits and never fails; sinks break alone; what was recorded arrives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, func, select

from cinegraph_core import Measurement, MetricsSink, SinkContext
from cinegraph_core.plugins import load_plugins
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.tables import MetricRow
from cinegraph_core.testing import FakeClock
from cinegraph_core.tracking import Tracker


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
        trackers.append(Tracker(sinks, context(), capacity=capacity))
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


def test_a_sink_that_breaks_harms_nobody_and_is_left_out_after_five_failures(
    tracking: Callable[..., Tracker], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def trouble() -> None:
        calls.append(1)
        fail()

    broken, paper = Paper(trouble), Paper()
    tracker = tracking(broken=broken, paper=paper)
    for number in range(8):
        tracker.record(call(str(number)))
        assert tracker.flush(10)
    assert paper.targets == [str(number) for number in range(8)]
    assert tracker.sink_errors == {"broken": 5, "paper": 0}
    assert len(calls) == 5
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "left out" in caplog.records[1].message


def test_a_sink_that_recovers_is_kept(tracking: Callable[..., Tracker]) -> None:
    answers = iter([fail, fail, fail, fail, lambda: None] * 3)
    paper = Paper(lambda: next(answers)())  # noqa: PLW0108 - each write takes the next answer
    tracker = tracking(paper=paper)
    for number in range(15):
        tracker.record(call(str(number)))
        assert tracker.flush(10)
    assert paper.targets == ["4", "9", "14"]


def test_a_sink_that_cannot_be_opened_is_tried_again_and_does_not_stop_the_others() -> None:
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
    assert paper.targets == ["2", "3"]
    assert opened == ["cinegraph-tracker"] * 3
    assert paper.closed == 1


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
