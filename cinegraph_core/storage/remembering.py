"""What was decided is kept: a person's word for good, an automatic answer until the source corrects itself."""

from __future__ import annotations

from sqlmodel import Session, col, select

from cinegraph_core.records import Match
from cinegraph_core.storage.films import AUTO, film_query
from cinegraph_core.storage.query_keys import query_key, same_film
from cinegraph_core.storage.review import kept_candidates
from cinegraph_core.storage.tables import MatchDecisionRow, NominationFilmRow, NominationRow


def decided_by_people(session: Session) -> dict[str, Match]:
    """Return what people decided, by the key of the query; where two decided differently about one query, neither counts."""
    rows = select(MatchDecisionRow).where(col(MatchDecisionRow.decided_by) != AUTO, col(MatchDecisionRow.query_key).is_not(None))
    decided: dict[str, Match] = {}
    disputed: set[str] = set()
    for row in session.exec(rows.order_by(col(MatchDecisionRow.film_id))):
        key, match = row.query_key or "", _remembered(session, row)
        if key in decided and decided[key].tmdb_id != match.tmdb_id:
            disputed.add(key)
        decided[key] = match
    return {key: match for key, match in decided.items() if key not in disputed}


def mark_changed(session: Session, edition_id: int) -> None:
    """Mark the decisions about an edition's films that the sources now describe otherwise.

    An automatic decision so marked is open again; a person's stands, and review shows that the source has changed.
    """
    here = select(NominationFilmRow.film_id).join(NominationRow).where(NominationRow.edition_id == edition_id)
    rows = select(MatchDecisionRow).where(col(MatchDecisionRow.film_id).in_(here), col(MatchDecisionRow.query_key).is_not(None))
    for row in session.exec(rows.order_by(col(MatchDecisionRow.film_id))).all():
        row.source_changed = not same_film(row.query_key or "", query_key(film_query(session, row.film_id)))
    session.flush()


def _remembered(session: Session, row: MatchDecisionRow) -> Match:
    return Match(
        id="",
        status="matched" if row.tmdb_id is not None else "not_found",
        tmdb_id=row.tmdb_id,
        imdb_id=row.imdb_id,
        score=row.score,
        candidates=kept_candidates(session, row),
        provenance="mock" if row.provenance == "mock" else "live",
    )
