"""Films on their way to an id: which still wait, what is asked of the matcher, and what was decided."""

from __future__ import annotations

from cinegraph_core.storage.films.decisions import decision_of, record_decision, truthful, write_decision
from cinegraph_core.storage.films.ids import attach_ids, forget_ids, twins_of
from cinegraph_core.storage.films.waiting import (
    AUTO,
    UNDECIDED,
    WaitingFilm,
    count_films,
    film_query,
    parked_films,
    pending_films,
    survivor,
    waiting_films,
)

__all__ = [
    "AUTO",
    "UNDECIDED",
    "WaitingFilm",
    "attach_ids",
    "count_films",
    "decision_of",
    "film_query",
    "forget_ids",
    "parked_films",
    "pending_films",
    "record_decision",
    "survivor",
    "truthful",
    "twins_of",
    "waiting_films",
    "write_decision",
]
