"""The record of every call: rows in, and what they say about each source."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, literal, or_, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlmodel import Session, col

from cinegraph_core.records import Measurement
from cinegraph_core.resilience.health import by_rate
from cinegraph_core.storage.cleaning import clean_json, clean_text
from cinegraph_core.storage.tables import MetricRow, Table

log = logging.getLogger(__name__)
_UNNAMED = "(not named)"
_INSERT = Table.metadata.tables[MetricRow.__tablename__].insert()
"""Inserts into the table itself: the mapper would cost as much for each row as all the rest."""


def insert_measurements(session: Session, batch: Sequence[Measurement]) -> int:
    """Write measurements, return how many; one that cannot be written is logged and takes no other with it."""
    rows = [row for row in map(_row, batch) if row is not None]
    if not rows:
        return 0
    try:
        with session.begin_nested():
            session.execute(_INSERT, rows)
    except (StatementError, OverflowError) as error:
        if not _blames_a_row(error):
            raise
        return sum(_insert_one(session, row) for row in rows)
    return len(rows)


def summary(session: Session, since: datetime, *, sources: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return one row per source since a time, from calls only: how many, how many answered properly, how fast.

    A call that its caller gave up (``cancelled``) says nothing about the source and counts in ``attempts`` alone. One that
    ended well only by a stale answer or a replica counts, but not as ``ok``. ``success_rate`` is 0-1 and, like the times
    (milliseconds, nearest-rank percentiles), ``None`` where there is nothing to count. A source named in ``sources`` that
    nobody called stands there too, as ``unknown``.
    """
    found = {row["source"]: row for row in _called(session, since)}
    return [found.get(name) or _silent(name) for name in sorted({*found, *sources})]


def _called(session: Session, since: datetime) -> list[dict[str, Any]]:
    given_up = col(MetricRow.error_type).is_not_distinct_from("cancelled")
    # A stale answer served while a new one is fetched is no failure, and has no error message.
    stood_in = and_(col(MetricRow.provenance).in_(("stale", "fallback")), col(MetricRow.error_message).is_not(None))
    calls = (
        select(
            col(MetricRow.source),
            col(MetricRow.attempts),
            case((given_up, 0), else_=1).label("counts"),
            case((or_(given_up, stood_in), 0), else_=cast(col(MetricRow.success), Integer)).label("ok"),
            case((given_up, None), else_=col(MetricRow.response_time_ms)).label("ms"),
        )
        .where(col(MetricRow.kind) == "call", col(MetricRow.inserted_at) >= since)
        .subquery()
    )
    timed = select(
        *calls.c,
        func.row_number()
        .over(partition_by=calls.c.source, order_by=(case((calls.c.ms.is_(None), 1), else_=0), calls.c.ms))
        .label("rank"),
        func.count(calls.c.ms).over(partition_by=calls.c.source).label("timed"),
    ).subquery()

    def percentile(share: float) -> ColumnElement[Any]:
        return func.min(case((timed.c.rank >= timed.c.timed * literal(share), timed.c.ms)))

    query = select(
        timed.c.source,
        func.sum(timed.c.counts).label("calls"),
        func.sum(timed.c.ok).label("ok"),
        func.avg(timed.c.ms).label("avg_ms"),
        percentile(0.50).label("p50_ms"),
        percentile(0.95).label("p95_ms"),
        percentile(0.99).label("p99_ms"),
        func.sum(timed.c.attempts).label("attempts"),
    ).group_by(timed.c.source)
    return [_judged(dict(row._mapping)) for row in session.execute(query)]


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    rate = row["ok"] / row["calls"] if row["calls"] else None
    times = {name: None if row[name] is None else round(float(row[name]), 1) for name in row if name.endswith("_ms")}
    return {
        "source": row["source"],
        "calls": int(row["calls"]),
        "ok": int(row["ok"]),
        "success_rate": None if rate is None else round(rate, 4),
        **times,
        "attempts": int(row["attempts"]),
        "status": by_rate(rate),
    }


def _silent(source: str) -> dict[str, Any]:
    times = dict.fromkeys(("avg_ms", "p50_ms", "p95_ms", "p99_ms"))
    return {"source": source, "calls": 0, "ok": 0, "success_rate": None, **times, "attempts": 0, "status": by_rate(None)}


def _insert_one(session: Session, row: dict[str, Any]) -> int:
    try:
        with session.begin_nested():
            session.execute(_INSERT, [row])
    except (StatementError, OverflowError) as error:
        if not _blames_a_row(error):
            raise
        log.warning("a measurement of %s %s cannot be stored: %s", row["source"], row["operation"], error)
        return 0
    return 1


def _blames_a_row(error: Exception) -> bool:
    """Whether the values are at fault, and not the database, which will take them another time."""
    return not isinstance(error, DBAPIError) or isinstance(error, DataError | IntegrityError)


def _row(measurement: Measurement) -> dict[str, Any] | None:
    """Return a measurement as a row, ``None`` if it is so broken that nothing of it can be kept."""
    try:
        ended = measurement.inserted_at
        ended = ended.replace(tzinfo=UTC) if ended.tzinfo is None else ended
        return {
            "source": clean_text(measurement.source),
            "operation": clean_text(measurement.operation),
            "target_identifier": clean_text(measurement.target_identifier).strip() or _UNNAMED,
            "success": bool(measurement.success),
            "confidence_score": _finite(measurement.confidence_score),
            "fallback_level": None if measurement.fallback_level is None else int(measurement.fallback_level),
            "response_time_ms": _finite(measurement.response_time_ms),
            "error_type": measurement.error_type,
            "error_message": measurement.error_message and clean_text(measurement.error_message),
            "metadata": clean_json(measurement.metadata),
            "kind": measurement.kind,
            "attempts": int(measurement.attempts),
            "provenance": measurement.provenance,
            "inserted_at": ended,
            "updated_at": ended,
        }
    except Exception:  # a caller's mistake must cost its own row only
        log.warning("a measurement cannot be read: %s", type(measurement).__name__, exc_info=True)
        return None


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
