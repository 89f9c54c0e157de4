"""From an answer of the cascade to a decision about a stored film."""

from __future__ import annotations

from cinegraph_core.application import Application
from cinegraph_core.records import FilmQuery, Match
from cinegraph_core.storage.films import record_decision, truthful


async def decide(application: Application, film: int, found: Match, asked: FilmQuery | None = None) -> Match:
    """Record what was found of a film, in a transaction of its own; returns it as it was recorded.

    A fake that may not be stored as truth is recorded as an error. ``asked`` is the query that was answered.
    """
    mode, now = application.settings.mode, application.clock.now()
    match = truthful(found, mode)
    await application.database.run(record_decision, film, match, mode=mode, now=now, asked=asked)
    return match
