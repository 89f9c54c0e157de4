"""What the record of all processes says of the latest traffic: figures by service, by slot of time, and by how calls ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, case, cast, extract, func, literal, or_, select
from sqlmodel import Session, col

from cinegraph_core.resilience.traffic import SLOT, SLOTS, SPARED, Tally
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.tables import MetricRow

PROBE = "probe"
"""Operation of the calls that only look how a service does: they are no traffic."""


def recent_traffic(session: Session, now: float, *, slots: int = SLOTS) -> list[Tally]:
    """Return the traffic of the current slot and of ``slots`` before it (``now``: epoch seconds).

    What the cache answered, or a replica for a service that was not asked, says nothing of the service and is left out.
    """
    ms, error, ended_at = col(MetricRow.response_time_ms), col(MetricRow.error_type), col(MetricRow.inserted_at)
    provenance, details = col(MetricRow.provenance), col(MetricRow.details)
    calls = (
        select(
            col(MetricRow.source).label("service"),
            ((literal(int(now), BigInteger) - cast(extract("epoch", ended_at), BigInteger)) // SLOT).label("slot"),
            case((provenance.in_(("stale", "fallback")), SPARED), else_=error).label("outcome"),
            col(MetricRow.attempts).label("requests"),
            func.coalesce(details["rate_limited"].as_integer(), 0).label("limited"),
            ms.label("ms"),
            ended_at.label("ended_at"),
        )
        .where(
            col(MetricRow.kind) == "call",
            ended_at > utc(now - (slots + 1) * SLOT),
            ended_at <= utc(now),
            or_(ms.is_not(None), error.is_not(None)),
            or_(provenance != "fallback", details["unanswered"].as_integer().is_not(None)),
            col(MetricRow.operation) != PROBE,
        )
        .subquery()
    )

    def over(seconds: int) -> Any:
        return func.sum(case((calls.c.ms >= seconds * 1000, 1), else_=0))

    keys = (calls.c.service, calls.c.slot, calls.c.outcome)
    query: Any = select(
        *keys,
        func.count(),
        func.count(calls.c.ms),
        func.sum(calls.c.requests),
        func.sum(calls.c.limited),
        func.coalesce(func.sum(calls.c.ms), 0.0),
        over(1),
        over(3),
        over(5),
        func.min(calls.c.ended_at),
    ).group_by(*keys)
    return [_tally(row) for row in session.execute(query)]


def _tally(row: Any) -> Tally:
    """Return a row as a tally: PostgreSQL sums whole numbers as decimals."""
    service, slot, outcome, ended, asked, requests, limited, total_ms, over_1s, over_3s, over_5s, first = row
    return Tally(
        service=service,
        slot=int(slot),
        outcome=outcome,
        ended=ended,
        asked=asked,
        requests=int(requests),
        limited=int(limited),
        total_ms=float(total_ms),
        over_1s=int(over_1s),
        over_3s=int(over_3s),
        over_5s=int(over_5s),
        first=first.timestamp(),
    )
