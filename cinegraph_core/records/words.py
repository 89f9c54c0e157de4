"""The words that records use: of each kind, all there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Provenance = Literal["live", "cache", "stale", "mock", "fallback"]
Control = Literal[
    "daily_quota",
    "hourly_quota",
    "cache_cleared",
    "cache_purged",
    "breaker_reset",
    "breaker_opened",
    "spent_until",
    "mode",
    "held_until",
    "probe",
]
"""A word that every process obeys. A quota's value is its number, that of ``spent_until`` when the provider's own quota begins
anew (below 0: when a person took that word back), that of ``held_until`` when a service may be asked again, that of ``probe``
until when one process alone may probe it, that of ``mode`` a :class:`~cinegraph_core.services.modes.Switch`, that of the others
the moment they were said. Moments are milliseconds since the epoch."""
CLEARINGS: tuple[Control, ...] = ("cache_cleared", "cache_purged")
"""The words that say when a person cleared kept answers of a service: all of them, or some."""
Mode = Literal["mock", "real", "hybrid"]
FilmKind = Literal["movie", "short", "series", "episode", "video", "game", "immersive", "unknown"]
PersonKind = Literal["person", "company"]
MatchStatus = Literal["matched", "review", "not_found", "error"]
ReviewReason = Literal["ambiguous", "low_score", "contradiction"]
PageOutcome = Literal["ok", "absent", "no_data", "parked", "blocked", "layout_changed", "error"]
MeasurementKind = Literal["call", "level", "lookup"]


def cleared_at(words: Mapping[tuple[str, str], int], service: str, names: Sequence[Control] = CLEARINGS) -> float:
    """Return when a person last cleared any kept answer of a service (seconds since the epoch), 0 for never."""
    return max(words.get((service, name), 0) for name in names) / 1000
