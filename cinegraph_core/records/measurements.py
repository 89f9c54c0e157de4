"""What every call, level and lookup leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cinegraph_core.errors import ErrorType
from cinegraph_core.records.words import MeasurementKind, Provenance


class Measurement(msgspec.Struct, frozen=True):
    """One row of ``api_lookup_metrics``: a call, a level tried, or a whole lookup.

    ``target_identifier`` is the IMDb id, or ``title (year)``, or the path, and never empty. ``attempts`` counts the HTTP
    requests that left (0 for a refused call); attempts that no server can have seen, such as a refused connection, stand
    apart in ``metadata["unsent"]``. ``inserted_at`` is when the call ended. ``metadata`` holds JSON values only, no keys
    and no personal data. A struct, because every call makes one: ``msgspec.json.encode`` writes it, ``msgspec.structs``
    has ``asdict`` and ``replace``.
    """

    source: str
    operation: str
    target_identifier: str
    success: bool
    inserted_at: datetime
    kind: MeasurementKind = "call"
    attempts: int = 0
    provenance: Provenance = "live"
    response_time_ms: float | None = None
    confidence_score: float | None = None
    fallback_level: int | None = None
    error_type: ErrorType | None = None
    error_message: str | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
