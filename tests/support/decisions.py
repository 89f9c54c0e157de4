"""Films in a database, and what was decided about them."""

from __future__ import annotations

from typing import Any

from cinegraph_core import Candidate, Film, Match, ScoredCandidate
from cinegraph_core.storage import Database
from cinegraph_core.storage.films import pending_films, record_decision
from cinegraph_core.storage.tables import ExternalIdRow
from tests.support.editions import NOW, edition, nomination, rows, store

DAY = 86_400.0
MATCHED = Match(
    id="x", status="matched", tmdb_id=5, imdb_id="tt5", confidence=0.9, score=0.98, level=2, strategy="exact_title_year"
)
CANDIDATES = (
    ScoredCandidate(Candidate(tmdb_id=5, title="Twin", year=2024, imdb_id="tt5"), 0.6, ("same title",)),
    ScoredCandidate(Candidate(tmdb_id=6, title="Twin", year=2023), 0.59, ("same title", "year off by 1")),
)
REVIEW = Match(id="x", status="review", reason="ambiguous", candidates=CANDIDATES)
NOT_FOUND = Match(id="x", status="not_found", error_type="not_found")
ERROR = Match(id="x", status="error", error_type="timeout", error_message="too slow", retry_after=30.0)


def films(database: Database, *printed: Film | str) -> None:
    """Store an edition with a prize for each of these."""
    prizes = (nomination(str(number), award=f"Prize {number}", films=[film]) for number, film in enumerate(printed))
    store(database, edition(*prizes))


def decide(database: Database, film_id: int, match: Match, *, mode: Any = "real", now: float = NOW) -> int:
    with database.transaction() as session:
        return record_decision(session, film_id, match, mode=mode, now=now)


def pending(database: Database, **fields: Any) -> list[int]:
    with database.reading() as session:
        return pending_films(session, **({"now": NOW} | fields))


def ids(database: Database) -> list[tuple[int | None, str, str]]:
    return sorted((row.film_id, row.source, row.value) for row in rows(database, ExternalIdRow) if row.film_id)
