"""Which films still wait for the matcher, and what is asked about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, not_, or_, select

from cinegraph_core.records import FilmKind, FilmQuery
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.films.ids import printed_imdb_id
from cinegraph_core.storage.naming import fold_name
from cinegraph_core.storage.tables import (
    PARKED,
    EditionRow,
    FestivalRow,
    FilmRow,
    MatchDecisionRow,
    NominationFilmRow,
    NominationPersonRow,
    NominationRow,
    PersonRow,
)

COOLDOWN = timedelta(days=30)
"""How long a film that no catalogue knows is left alone before it is asked for again."""
UNDECIDED = "pending"
"""The status of a film about which nothing was recorded yet."""
AUTO = "auto"
"""Who decided, when it was not a person."""


@dataclass(frozen=True, slots=True)
class WaitingFilm:
    """A film that waits for an answer: ``status`` is that of its decision, or :data:`UNDECIDED` where it has none."""

    film: int
    title: str
    status: str = UNDECIDED
    error_type: str | None = None
    error_message: str | None = None
    retry_at: datetime | None = None


def pending_films(session: Session, *, edition_id: int | None = None, now: float) -> list[int]:
    """Return the ids of films that wait for the matcher, oldest first.

    These are films without an answer, or with an error, or not found (once :data:`COOLDOWN` has passed), or described otherwise
    by a source since, or parked until a moment that has come; never one that a person decided about, nor one that is still
    parked (:func:`parked_films`).
    """
    query = select(FilmRow.id).join(MatchDecisionRow, isouter=True).where(_waits(now))
    query = query.where(or_(col(MatchDecisionRow.id).is_(None), not_(_is_parked(now))))
    if edition_id is not None:
        here = select(NominationFilmRow.film_id).join(NominationRow).where(NominationRow.edition_id == edition_id)
        query = query.where(col(FilmRow.id).in_(here))
    return list(session.exec(query.order_by(col(FilmRow.id))))


def waiting_films(session: Session, *, now: float) -> list[WaitingFilm]:
    """Return every film that waits for an answer, parked or not, with what its last try came to; oldest first."""
    query = select(FilmRow.id, FilmRow.title, MatchDecisionRow).join(MatchDecisionRow, isouter=True)
    return [_waiting(*row) for row in session.exec(query.where(_waits(now)).order_by(col(FilmRow.id)))]


def _waiting(film: int, title: str, decision: MatchDecisionRow | None) -> WaitingFilm:
    if decision is None:
        return WaitingFilm(film, title)
    return WaitingFilm(film, title, decision.status, decision.error_type, decision.error_message, decision.retry_at)


def parked_films(session: Session, *, now: float) -> dict[int, float]:
    """Return the films that are parked until a quota or budget begins anew, and when that is (epoch seconds), oldest first."""
    query = select(FilmRow.id, MatchDecisionRow.retry_at).join(MatchDecisionRow).where(_waits(now), _is_parked(now))
    parked = session.exec(query.order_by(col(FilmRow.id))).all()
    return {film: until.timestamp() for film, until in parked if until is not None}


def _waits(now: float) -> ColumnElement[bool]:
    """Whether nobody has decided about a film yet, or not for good; parked or not."""
    again = or_(
        col(MatchDecisionRow.status).in_(("error", PARKED)),
        col(MatchDecisionRow.source_changed),
        and_(col(MatchDecisionRow.status) == "not_found", col(MatchDecisionRow.decided_at) <= utc(now) - COOLDOWN),
    )
    undecided = or_(col(MatchDecisionRow.id).is_(None), and_(col(MatchDecisionRow.decided_by) == AUTO, again))
    return and_(col(FilmRow.merged_into).is_(None), undecided)


def _is_parked(now: float) -> ColumnElement[bool]:
    """Whether a decision is parked; an error's ``retry_at`` is only a hint."""
    retry_at = col(MatchDecisionRow.retry_at)
    return and_(col(MatchDecisionRow.status) != "error", retry_at.is_not(None), retry_at > utc(now))


def film_query(session: Session, film_id: int) -> FilmQuery:
    """Return what to ask about a film: its own year with the edition's, or the edition's year alone.

    An IMDb id that an earlier match gave is left out: it would only confirm that match.
    """
    film = survivor(session, film_id)
    found = session.exec(
        select(EditionRow.year, FestivalRow.key)
        .join(FestivalRow)
        .join(NominationRow)
        .join(NominationFilmRow)
        .where(NominationFilmRow.film_id == film.id)
        .order_by(col(EditionRow.year), col(EditionRow.id))
    ).first()
    edition_year, festival = found if found else (None, None)
    kind: FilmKind = film.kind  # type: ignore[assignment]  # the column holds nothing else
    return FilmQuery(
        id=str(film_id),
        title=film.title,
        original_title=film.original_title,
        year=film.year if film.year is not None else edition_year,
        directors=_directors(session, film),
        imdb_id=printed_imdb_id(session, film.id),
        runtime_minutes=film.runtime_minutes,
        kind=kind,
        festival=festival,
        edition=edition_year if film.year is not None else None,
    )


def count_films(session: Session) -> int:
    """Return how many films are stored."""
    return session.exec(select(func.count()).select_from(FilmRow).where(col(FilmRow.merged_into).is_(None))).one()


def survivor(session: Session, film_id: int) -> FilmRow:
    """Return the row that a film lives in now."""
    film = session.get_one(FilmRow, film_id)
    return film if film.merged_into is None else session.get_one(FilmRow, film.merged_into)


def _directors(session: Session, film: FilmRow) -> tuple[str, ...]:
    """Return a film's directors: its own, and those named as such in nominations of this film alone."""
    alone = (
        select(NominationFilmRow.nomination_id)
        .group_by(col(NominationFilmRow.nomination_id))
        .having(and_(func.count() == 1, func.max(NominationFilmRow.film_id) == film.id))
    )
    named = session.exec(
        select(PersonRow.name)
        .join(NominationPersonRow)
        .where(NominationPersonRow.role == "director", col(NominationPersonRow.nomination_id).in_(alone))
        .order_by(col(NominationPersonRow.nomination_id), col(NominationPersonRow.position))
    )
    directors: dict[str, str] = {}
    for name in (*film.directors, *named):
        directors.setdefault(fold_name(name), name)
    return tuple(directors.values())
