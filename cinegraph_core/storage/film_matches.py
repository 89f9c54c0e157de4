"""How the films of nominations fared, film by film."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from cinegraph_core.storage.tables import MatchDecisionRow, NominationFilmRow

_BATCH = 500
"""Ids in one query; databases bound the number of parameters."""


def film_matches(session: Session, nomination_ids: Sequence[int]) -> dict[int, MatchDecisionRow | None]:
    """Return the current decision on each film of these nominations by film id, ``None`` for one that is pending."""
    found: dict[int, MatchDecisionRow | None] = {}
    for start in range(0, len(nomination_ids), _BATCH):
        query = (
            select(NominationFilmRow.film_id, MatchDecisionRow)
            .outerjoin(MatchDecisionRow, col(MatchDecisionRow.film_id) == col(NominationFilmRow.film_id))
            .where(col(NominationFilmRow.nomination_id).in_(nomination_ids[start : start + _BATCH]))
        )
        found.update(dict(session.exec(query).all()))
    return found
