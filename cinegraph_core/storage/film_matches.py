"""How the films of nominations fared, film by film."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from cinegraph_core.storage.batches import in_batches
from cinegraph_core.storage.tables import MatchDecisionRow, NominationFilmRow


def film_matches(session: Session, nomination_ids: Sequence[int]) -> dict[int, MatchDecisionRow | None]:
    """Return the current decision on each film of these nominations by film id, ``None`` for one that is pending."""
    found: dict[int, MatchDecisionRow | None] = {}
    for batch in in_batches(nomination_ids):
        query = (
            select(NominationFilmRow.film_id, MatchDecisionRow)
            .outerjoin(MatchDecisionRow, col(MatchDecisionRow.film_id) == col(NominationFilmRow.film_id))
            .where(col(NominationFilmRow.nomination_id).in_(batch))
        )
        found.update(dict(session.exec(query).all()))
    return found
