"""The record of every call: what goes in, what is told about it, on both databases."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from cinegraph_core import Measurement
from cinegraph_core.storage import Database
from cinegraph_core.storage.metrics import insert_measurements, summary
from cinegraph_core.storage.tables import MetricRow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def call(**fields: Any) -> Measurement:
    defaults: dict[str, Any] = {
        "source": "tmdb",
        "operation": "search_movie",
        "target_identifier": "Twin (2024)",
        "success": True,
        "inserted_at": NOW,
    }
    return Measurement(**(defaults | {"attempts": 1, "response_time_ms": 10.0} | fields))


def insert(database: Database, *batch: Measurement) -> int:
    with database.transaction() as session:
        return insert_measurements(session, batch)


def told(database: Database, **fields: Any) -> list[dict[str, Any]]:
    with database.reading() as session:
        return summary(session, NOW - timedelta(hours=1), **fields)


def test_a_row_says_what_was_measured(database: Database) -> None:
    insert(
        database, call(metadata={"unsent": 2, "strategy": "exact"}, error_type="not_found", provenance="mock", fallback_level=2)
    )
    with database.reading() as session:
        columns = dict(session.execute(text("SELECT * FROM api_lookup_metrics")).mappings().one())
        row = session.exec(select(MetricRow)).one()
    assert set(columns) == {
        "id", "source", "operation", "target_identifier", "success", "confidence_score", "fallback_level", "response_time_ms",
        "error_type", "error_message", "metadata", "inserted_at", "updated_at", "kind", "attempts", "provenance",
    }  # fmt: skip
    assert (row.inserted_at, row.kind, row.provenance, row.fallback_level) == (NOW, "call", "mock", 2)
    assert row.details == {"unsent": 2, "strategy": "exact"}


def test_a_bad_measurement_costs_its_own_row_only(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    odd = [
        call(metadata={"object": object(), "nan": float("nan"), "set": {1}, "text": "a\x00b\ud800", "bytes": b"x"}),
        call(metadata=loop),
        call(error_message="\x00 broken \ud800"),
        call(response_time_ms=float("inf")),
        call(inserted_at=datetime(2026, 1, 2)),  # noqa: DTZ001
    ]
    assert insert(database, *odd) == 5
    broken = [call(attempts="many"), call(inserted_at="yesterday"), call(fallback_level=2**80)]
    with caplog.at_level(logging.WARNING):
        assert insert(database, call(), *broken, call()) == 2
    # Now and then psycopg adds a warning of its own about the pipeline in which a row failed.
    assert len([record for record in caplog.records if record.name.startswith("cinegraph")]) == 3


def test_lesson_30_a_target_is_never_empty(database: Database) -> None:
    insert(database, call(target_identifier=" "))
    with database.reading() as session:
        assert session.exec(select(MetricRow.target_identifier)).one() == "(not named)"
    with pytest.raises(Exception, match="target_not_empty"), database.transaction() as session:
        session.execute(text("UPDATE api_lookup_metrics SET target_identifier = ''"))


def test_lesson_30_a_new_source_needs_no_permission_and_levels_do_not_skew_the_calls(database: Database) -> None:
    levels = [call(kind="level", operation="fallback_exact_title_year", success=False) for _ in range(9)]
    insert(database, *levels, call(source="locarno"), call(source="omdb", kind="lookup", operation="lookup"), call())
    assert [(row["source"], row["calls"], row["success_rate"], row["status"]) for row in told(database)] == [
        ("locarno", 1, 1.0, "healthy"),
        ("tmdb", 1, 1.0, "healthy"),
    ], "omdb was never called: a level or a lookup makes no source"


def test_what_the_caller_gave_up_says_nothing_about_the_service(database: Database) -> None:
    cancelled = [call(success=False, error_type="cancelled", response_time_ms=9000.0) for _ in range(9)]
    insert(database, call(), *cancelled, call(source="omdb", success=False, error_type="cancelled"))
    assert [(row["source"], row["calls"], row["success_rate"], row["avg_ms"], row["status"]) for row in told(database)] == [
        ("omdb", 0, None, None, "unknown"),
        ("tmdb", 1, 1.0, 10.0, "healthy"),
    ]


def test_lesson_28_what_stood_in_for_the_service_is_no_answer_of_it(database: Database) -> None:
    refused = "tmdb keeps failing; the next request may go in 60 s"
    stood_in = [call(provenance=kind, error_message=refused) for kind in ("stale", "fallback")]
    insert(database, call(), call(provenance="cache", attempts=0), call(provenance="stale", attempts=0), *stood_in)
    assert [(row["calls"], row["ok"], row["success_rate"]) for row in told(database)] == [(5, 3, 0.6)]


def test_lesson_30_a_database_that_fails_takes_no_measurement_for_written(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("ALTER TABLE api_lookup_metrics RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        insert(database, call(), call())


def test_lesson_32_an_empty_table_divides_nothing_by_zero(database: Database) -> None:
    assert told(database) == []
    (silent,) = told(database, sources=["tmdb"])
    assert silent == {
        "source": "tmdb", "calls": 0, "ok": 0, "success_rate": None, "avg_ms": None, "p50_ms": None, "p95_ms": None,
        "p99_ms": None, "attempts": 0, "status": "unknown",
    }  # fmt: skip


def test_percentiles_are_nearest_rank_and_calls_without_a_time_do_not_count_in_them(database: Database) -> None:
    times = [call(response_time_ms=float(number), attempts=2) for number in range(100, 0, -1)]
    insert(database, *times, call(response_time_ms=None, success=False, attempts=0, error_type="circuit_open"))
    (row,) = told(database)
    assert row == {
        "source": "tmdb", "calls": 101, "ok": 100, "success_rate": 0.9901, "avg_ms": 50.5, "p50_ms": 50.0, "p95_ms": 95.0,
        "p99_ms": 99.0, "attempts": 200, "status": "healthy",
    }  # fmt: skip


def test_calls_of_which_none_has_a_time_still_count(database: Database) -> None:
    insert(database, call(response_time_ms=None, success=False))
    (row,) = told(database)
    assert (row["calls"], row["avg_ms"], row["p99_ms"], row["status"]) == (1, None, None, "down")


@pytest.mark.parametrize(
    ("ok", "status"), [(10, "healthy"), (9, "healthy"), (8, "degraded"), (7, "degraded"), (6, "down"), (0, "down")]
)
def test_the_status_follows_the_success_rate(database: Database, ok: int, status: str) -> None:
    insert(database, *(call(success=number < ok) for number in range(10)))
    assert told(database)[0]["status"] == status


def test_only_what_ended_since_then_counts(database: Database) -> None:
    insert(
        database, call(inserted_at=NOW - timedelta(hours=1, seconds=1), success=False), call(inserted_at=NOW - timedelta(hours=1))
    )
    assert told(database)[0]["calls"] == 1
