"""The record in the database: everything arrives, whatever happens to a row or to the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import pytest
from sqlalchemy import text
from sqlmodel import col, func, select

from cinegraph_core import Measurement, MetricsSink
from cinegraph_core.plugins import load_plugins
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements
from cinegraph_core.storage.tables import MetricRow
from cinegraph_core.tracking import Tracker
from tests.support.sinks import call, context
from tests.support.waiting import within


def sql_sinks() -> Mapping[str, MetricsSink]:
    return {"sql": load_plugins(strict=True).metrics_sinks()["sql"]}


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
    def said() -> list[tuple[int, str]]:
        ours = (record for record in caplog.records if record.name.startswith("cinegraph_core"))
        return [(record.levelno, record.getMessage()) for record in ours]

    tracker = Tracker(sql_sinks(), context(store_in(database)))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE api_lookup_metrics RENAME TO elsewhere"))
    for number in range(50):
        tracker.record(call(str(number)))
    assert not tracker.flush(0.3)
    assert within(2.0, lambda: bool(said()))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO api_lookup_metrics"))
    assert tracker.flush(10)
    tracker.close()
    assert sorted(map(int, stored(database))) == list(range(50))
    assert sum(tracker.lost.values()) == 0
    assert [level for level, _ in said()] == [logging.ERROR], said()
