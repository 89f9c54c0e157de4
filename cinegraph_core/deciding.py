"""From an answer of the cascade to a decision about a stored film."""

from __future__ import annotations

from dataclasses import dataclass

from cinegraph_core.application import Application
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.storage.films import record_decision, truthful

REFUSALS = 3
"""Refusals of the key in a row after which nobody else is asked for: another film would be refused as well."""


@dataclass
class LockedDoor:
    """Watches a stream of answers for a service that refuses our key, to spare it the rest of the questions."""

    refusals: int = 0

    def note(self, match: Match) -> None:
        """Take note of an answer; any but a refusal of the key shows that it opens."""
        self.refusals = self.refusals + 1 if match.error_type == "auth_error" else 0

    @property
    def is_locked(self) -> bool:
        """Whether so many were refused in a row that the next would be too."""
        return self.refusals >= REFUSALS


async def decide(application: Application, film: int, found: Match, asked: FilmQuery | None = None) -> Match:
    """Record what was found of a film, in a transaction of its own; returns it as it was recorded.

    A fake that may not be stored as truth is recorded as an error. ``asked`` is the query that was answered.
    """
    mode, now = application.settings.mode, application.clock.now()
    match = truthful(found, mode)
    await application.database.run(record_decision, film, match, mode=mode, now=now, asked=asked)
    return match
