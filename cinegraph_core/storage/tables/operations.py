"""How the work goes: the record of calls, the breakers, the audit, and whether all this is real."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from cinegraph_core.storage.columns import UtcDateTime
from cinegraph_core.storage.tables.base import Table, at_column, json_column, key_column


class MetricRow(Table, table=True):
    """A call, a level tried or a lookup; ``inserted_at`` is when it ended."""

    __tablename__ = "api_lookup_metrics"
    __table_args__ = (
        CheckConstraint("target_identifier <> ''", name="target_not_empty"),
        Index(None, "source", "operation"),
    )

    id: int = key_column()
    source: str
    operation: str
    target_identifier: str
    success: bool = Field(index=True)
    confidence_score: float | None = None
    fallback_level: int | None = None
    response_time_ms: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    details: dict[str, Any] = json_column("metadata", dict)
    kind: str
    attempts: int = 0
    provenance: str
    inserted_at: datetime = Field(sa_type=UtcDateTime, index=True)
    updated_at: datetime = at_column()


class ServiceStateRow(Table, table=True):
    """The breaker of a service as the processes on this database see it."""

    __tablename__ = "service_state"

    service: str = Field(primary_key=True)
    breaker_state: str
    changed_at: datetime = at_column()
    retry_at: datetime | None = at_column(optional=True)


class HealthStatusRow(Table, table=True):
    """How a service did when somebody last looked: since when it is in that state, and what an answer took on average."""

    __tablename__ = "system_health_status"

    service: str = Field(primary_key=True)
    status: str
    reason: str
    basis: str
    avg_ms: float | None = None
    changed_at: datetime = at_column()
    checked_at: datetime = at_column()


class AuditRow(Table, table=True):
    """Who changed what, before and after."""

    __tablename__ = "audit_log"

    id: int = key_column()
    who: str
    what: str
    subject: str
    before: dict[str, Any] = json_column("before", dict)
    after: dict[str, Any] = json_column("after", dict)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class DatabaseStampRow(Table, table=True):
    """The one row that says whether this database holds ``mock`` or ``live`` data."""

    __tablename__ = "database_stamp"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True)
    mode: str
    stamped_at: datetime = at_column()
