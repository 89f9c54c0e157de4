"""The films that need a human eye: what the matcher saw, and a person's word, which nothing automatic overrules."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from cinegraph_core.errors import UsageError
from cinegraph_core.records import Candidate, Match, ScoredCandidate
from cinegraph_core.storage.audit import record_action
from cinegraph_core.storage.engine import lock_catalogue
from cinegraph_core.storage.films import (
    attach_ids,
    decision_of,
    film_query,
    forget_ids,
    survivor,
    twins_of,
    write_decision,
)
from cinegraph_core.storage.merging import merge_films
from cinegraph_core.storage.stamp import stamped
from cinegraph_core.storage.tables import FilmRow, MatchCandidateRow, MatchDecisionRow


def list_reviews(session: Session) -> list[dict[str, Any]]:
    """Return the open reviews, oldest film first, each with its film and candidates."""
    waiting = select(MatchDecisionRow.film_id).where(MatchDecisionRow.status == "review")
    return [show_review(session, film_id) for film_id in session.exec(waiting.order_by(col(MatchDecisionRow.film_id))).all()]


def show_review(session: Session, film_id: int) -> dict[str, Any]:
    """Return a film with its current decision and candidates; raises :class:`UsageError` if there is no such film."""
    film = _film(session, film_id)
    decision = decision_of(session, film.id)
    query = film_query(session, film.id)
    return {
        "id": film.id,
        "title": film.title,
        "original_title": film.original_title,
        "year": query.year,
        "directors": list(query.directors),
        "imdb_id": query.imdb_id,
        "festival": query.festival,
        "status": decision.status if decision else None,
        "reason": decision.reason if decision else None,
        "tmdb_id": decision.tmdb_id if decision else None,
        "decided_by": decision.decided_by if decision else None,
        "provenance": decision.provenance if decision else None,
        "candidates": [_candidate(row) for row in _candidates(session, decision)],
    }


def accept_review(session: Session, film_id: int, tmdb_id: int, *, who: str, now: float) -> dict[str, Any]:
    """Say that a film is this one of TMDb's; returns the film as :func:`show_review` does.

    A row that already has this id proves to be the same film: the two become one, whatever their other ids.
    """
    film, before = _opened(session, film_id)
    candidates = _kept(session, decision_of(session, film.id))
    chosen = next((scored for scored in candidates if scored.candidate.tmdb_id == tmdb_id), None)
    imdb_id = chosen.candidate.imdb_id if chosen else None
    forget_ids(session, film.id)
    for twin in twins_of(session, film.id, tmdb_id=tmdb_id, imdb_id=imdb_id):
        film = merge_films(session, film, twin)
    match = Match(
        id=str(film.id),
        status="matched",
        tmdb_id=tmdb_id,
        imdb_id=imdb_id,
        score=chosen.score if chosen else None,
        candidates=candidates,
    )
    write_decision(session, film, match, who=who, provenance=_provenance(session), now=now)
    attach_ids(session, film.id, tmdb_id=tmdb_id, imdb_id=imdb_id)
    return _closed(session, film.id, "review.accept", before, who=who, now=now)


def reject_review(session: Session, film_id: int, *, who: str, now: float) -> dict[str, Any]:
    """Say that none of the candidates is the film; returns the film as :func:`show_review` does."""
    film, before = _opened(session, film_id)
    candidates = _kept(session, decision_of(session, film.id))
    forget_ids(session, film.id)
    match = Match(id=str(film.id), status="not_found", candidates=candidates)
    write_decision(session, film, match, who=who, provenance=_provenance(session), now=now)
    return _closed(session, film.id, "review.reject", before, who=who, now=now)


def _opened(session: Session, film_id: int) -> tuple[FilmRow, dict[str, Any]]:
    lock_catalogue(session)
    return _film(session, film_id), _said(show_review(session, film_id))


def _closed(session: Session, film_id: int, what: str, before: dict[str, Any], *, who: str, now: float) -> dict[str, Any]:
    after = show_review(session, film_id)
    record_action(session, who=who, what=what, subject=f"film {film_id}", before=before, after=_said(after), now=now)
    return after


def _said(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in ("id", "title", "status", "tmdb_id", "reason", "decided_by")}


def _film(session: Session, film_id: int) -> FilmRow:
    if session.get(FilmRow, film_id) is None:
        raise UsageError(f"there is no film {film_id}; `cinegraph review list` shows those that wait")
    return survivor(session, film_id)


def _provenance(session: Session) -> str:
    return "mock" if stamped(session) == "mock" else "live"


def _candidates(session: Session, decision: MatchDecisionRow | None) -> list[MatchCandidateRow]:
    if decision is None:
        return []
    query = select(MatchCandidateRow).where(MatchCandidateRow.decision_id == decision.id)
    return list(session.exec(query.order_by(col(MatchCandidateRow.rank))))


def _candidate(row: MatchCandidateRow) -> dict[str, Any]:
    return {
        "tmdb_id": row.tmdb_id,
        "title": row.title,
        "original_title": row.original_title,
        "year": row.year,
        "score": row.score,
        "why": row.why,
    }


def _kept(session: Session, decision: MatchDecisionRow | None) -> tuple[ScoredCandidate, ...]:
    """Return the candidates as they were, so that a decision keeps what it was made from."""
    return tuple(
        ScoredCandidate(
            Candidate(
                tmdb_id=row.tmdb_id, title=row.title, original_title=row.original_title, year=row.year, imdb_id=row.imdb_id
            ),
            row.score,
            tuple(row.why),
        )
        for row in _candidates(session, decision)
    )
