"""The films that need a human eye: what the matcher saw, and a person's word, which nothing automatic overrules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from cinegraph_core.errors import UsageError
from cinegraph_core.records import Candidate, Match, ScoredCandidate
from cinegraph_core.storage.engine import lock_films
from cinegraph_core.storage.films import (
    AUTO,
    attach_ids,
    decision_of,
    film_query,
    forget_ids,
    survivor,
    twins_of,
    write_decision,
)
from cinegraph_core.storage.lines import DECIMALS, imdb_id_of
from cinegraph_core.storage.merging import merge_films
from cinegraph_core.storage.naming import fold, fold_name
from cinegraph_core.storage.stamp import stamped
from cinegraph_core.storage.tables import FilmRow, FilmTitleRow, MatchCandidateRow, MatchDecisionRow

_AUDITED = ("id", "title", "year", "directors", "imdb_id", "status", "tmdb_id", "reason", "decided_by", "merged", "was_candidate")


STATUSES = ("review", "not_found")
"""What films that a person may decide about are listed by."""


def list_reviews(session: Session, status: str = "review") -> list[dict[str, Any]]:
    """Return the films of a status (one of :data:`STATUSES`), oldest first, each as :func:`show_review` does.

    A film that a person decided about stands among the open reviews again once its sources have changed what they say of it.
    """
    chosen = col(MatchDecisionRow.status) == status
    if status == "review":
        chosen = or_(chosen, and_(col(MatchDecisionRow.decided_by) != AUTO, col(MatchDecisionRow.source_changed)))
    films = select(MatchDecisionRow.film_id).where(chosen).order_by(col(MatchDecisionRow.film_id))
    return [show_review(session, film_id) for film_id in session.exec(films).all()]


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
        "imdb_id": imdb_id_of(session, film_id=film.id),
        "festival": query.festival,
        "status": decision.status if decision else None,
        "reason": decision.reason if decision else None,
        "tmdb_id": decision.tmdb_id if decision else None,
        "decided_by": decision.decided_by if decision else None,
        "source_changed": decision.source_changed if decision else False,
        "provenance": decision.provenance if decision else None,
        "candidates": [_candidate(row) for row in _candidates(session, decision)],
    }


def accept_review(
    session: Session, film_id: int, tmdb_id: int, *, who: str, now: float, merge: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Say that a film is this one of TMDb's; returns the film before and after, each as :func:`show_review` does.

    A row that already has this id is the same film then, and the two become one. ``merged`` lists the rows it was merged with:
    before with what was known of them, after by their ids. Raises :class:`UsageError` if such a row looks like another film,
    because a wrong digit would fuse the two for ever; ``merge`` says that they are one all the same. ``was_candidate`` tells
    whether the matcher had thought of this id.
    """
    lock_films(session)
    film, before = _own_film(session, film_id), show_review(session, film_id)
    candidates = kept_candidates(session, decision_of(session, film.id))
    chosen = next((scored for scored in candidates if scored.candidate.tmdb_id == tmdb_id), None)
    imdb_id = chosen.candidate.imdb_id if chosen else None
    forget_ids(session, film.id)
    twins = twins_of(session, film.id, tmdb_id=tmdb_id, imdb_id=imdb_id)
    if not merge:
        _refuse_strangers(session, film, twins, tmdb_id)
    before["merged"] = [audited(show_review(session, twin.id)) for twin in twins]
    for twin in twins:
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
    told = {"merged": [twin.id for twin in twins], "was_candidate": chosen is not None}
    return before, show_review(session, film.id) | told


def reject_review(session: Session, film_id: int, *, who: str, now: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Say that none of the candidates is the film; returns the film before and after, each as :func:`show_review` does."""
    lock_films(session)
    film, before = _own_film(session, film_id), show_review(session, film_id)
    candidates = kept_candidates(session, decision_of(session, film.id))
    forget_ids(session, film.id)
    match = Match(id=str(film.id), status="not_found", candidates=candidates)
    write_decision(session, film, match, who=who, provenance=_provenance(session), now=now)
    return before, show_review(session, film.id)


def audited(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit keeps of a shown film: enough to see, and to undo by hand, what was done."""
    return {name: shown[name] for name in _AUDITED if name in shown}


def _refuse_strangers(session: Session, film: FilmRow, twins: Iterable[FilmRow], tmdb_id: int) -> None:
    for twin in twins:
        if differences := " and ".join(_differences(session, film, twin)):
            raise UsageError(
                f"TMDb {tmdb_id} belongs to film {twin.id} {twin.title!r} already, which has other {differences} than "
                f"film {film.id} {film.title!r}: check the number; if both are one film for sure, say so with --merge"
            )


def _differences(session: Session, one: FilmRow, other: FilmRow) -> list[str]:
    """Return what speaks against two rows being one film, in words."""
    mine, theirs = (film_query(session, film.id) for film in (one, other))
    my_names, their_names = ({fold_name(name) for name in query.directors} for query in (mine, theirs))
    found = {
        "titles": not _titles(session, one) & _titles(session, other),
        "IMDb ids": None not in (mine.imdb_id, theirs.imdb_id) and mine.imdb_id != theirs.imdb_id,
        "directors": bool(my_names and their_names) and not my_names & their_names,
    }
    return [what for what, differ in found.items() if differ]


def _titles(session: Session, film: FilmRow) -> set[str]:
    printed = session.exec(select(FilmTitleRow.normalised).where(FilmTitleRow.film_id == film.id))
    return {fold(film.title), *printed}


def _film(session: Session, film_id: int) -> FilmRow:
    if session.get(FilmRow, film_id) is None:
        raise UsageError(f"there is no film {film_id}; `cinegraph review list` shows those that wait")
    return survivor(session, film_id)


def _own_film(session: Session, film_id: int) -> FilmRow:
    """Return a film to decide about; one that was merged is refused, because the word would be about the other."""
    film = _film(session, film_id)
    if film.id != film_id:
        raise UsageError(
            f"film {film_id} is one with film {film.id} {film.title!r} since they were merged, and no command takes them apart: "
            f"to decide about both, name film {film.id}; the audit keeps what each was"
        )
    return film


def is_known_here(session: Session, film_id: int, tmdb_id: int) -> bool:
    """Return whether an id of TMDb's is among a film's candidates, or another film's already."""
    film = _film(session, film_id)
    candidates = _candidates(session, decision_of(session, film.id))
    return any(row.tmdb_id == tmdb_id for row in candidates) or bool(twins_of(session, film.id, tmdb_id=tmdb_id, imdb_id=None))


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
        "score": round(row.score, DECIMALS),
        "why": row.why,
    }


def kept_candidates(session: Session, decision: MatchDecisionRow | None) -> tuple[ScoredCandidate, ...]:
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
