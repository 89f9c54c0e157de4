"""An edition as feed lines: one JSON object per nomination or selection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from cinegraph_core.storage.nominations import statements_of
from cinegraph_core.storage.tables import (
    PARKED,
    AwardRow,
    CategoryRow,
    EditionRow,
    ExternalIdRow,
    FestivalRow,
    FilmRow,
    MatchDecisionRow,
    NominationFilmRow,
    NominationPersonRow,
    NominationRow,
    NominationSourceRow,
    PersonRow,
    SectionRow,
)

_Named = TypeVar("_Named", SectionRow, AwardRow, CategoryRow)
_MATCH = ("status", "tmdb_id", "confidence", "score", "level", "strategy")
DECIMALS = 4
"""Digits to which scores are printed; the database keeps them whole."""


def feed_lines(session: Session, edition_id: int) -> list[dict[str, Any]]:
    """Return the feed lines of all that is known of an edition, whichever import brought it."""
    known = select(NominationRow.id).where(NominationRow.edition_id == edition_id).order_by(col(NominationRow.id))
    return edition_lines(session, session.exec(known).all())


def edition_lines(session: Session, nomination_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the feed lines of nominations, in the given order; a film not matched yet has ``match: null``."""
    films: dict[int, dict[str, Any]] = {}
    return [_line(session, nomination_id, films) for nomination_id in nomination_ids]


def _line(session: Session, nomination_id: int, films: dict[int, dict[str, Any]]) -> dict[str, Any]:
    nomination = session.get_one(NominationRow, nomination_id)
    edition = session.get_one(EditionRow, nomination.edition_id)
    linked = select(NominationFilmRow.film_id).where(NominationFilmRow.nomination_id == nomination_id)
    return {
        "festival": session.get_one(FestivalRow, edition.festival_id).key,
        "edition": {"year": edition.year, "number": edition.number, "instance": edition.instance},
        "section": _name(session, SectionRow, nomination.section_id),
        "award": _name(session, AwardRow, nomination.award_id),
        "category": _name(session, CategoryRow, nomination.category_id),
        "is_winner": nomination.is_winner,
        "notes": nomination.notes,
        "films": [
            _film(session, film_id, films) for film_id in session.exec(linked.order_by(col(NominationFilmRow.position))).all()
        ],
        "people": _people(session, nomination_id),
        "source": _source(statements_of(session, nomination_id)[0]),
    }


def _name(session: Session, table: type[_Named], row_id: int | None) -> str | None:
    return None if row_id is None else session.get_one(table, row_id).name


def _film(session: Session, film_id: int, films: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if film_id not in films:
        row = session.get_one(FilmRow, film_id)
        decision = session.exec(select(MatchDecisionRow).where(MatchDecisionRow.film_id == film_id)).first()
        films[film_id] = {
            "title": row.title,
            "original_title": row.original_title,
            "year": row.year,
            "imdb_id": imdb_id_of(session, film_id=film_id),
            "directors": row.directors,
            "countries": row.countries,
            "runtime_minutes": row.runtime_minutes,
            "kind": row.kind,
            "match": None if decision is None or decision.status == PARKED else _match(decision),
        }
    return films[film_id]


def _match(decision: MatchDecisionRow) -> dict[str, Any]:
    return {name: _rounded(getattr(decision, name)) for name in _MATCH}


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value


def _people(session: Session, nomination_id: int) -> list[dict[str, Any]]:
    links = (
        select(NominationPersonRow, PersonRow)
        .join(PersonRow)
        .where(NominationPersonRow.nomination_id == nomination_id)
        .order_by(col(NominationPersonRow.position))
    )
    return [
        {"name": person.name, "imdb_id": imdb_id_of(session, person_id=person.id), "role": link.role}
        for link, person in session.exec(links).all()
    ]


def imdb_id_of(session: Session, *, film_id: int | None = None, person_id: int | None = None) -> str | None:
    """Return the IMDb id of a film or a person, ``None`` where it is not known."""
    query = select(ExternalIdRow.value).where(ExternalIdRow.source == "imdb")
    owner = ExternalIdRow.film_id == film_id if film_id is not None else ExternalIdRow.person_id == person_id
    return session.exec(query.where(owner).order_by(col(ExternalIdRow.id))).first()


def _source(said: NominationSourceRow) -> dict[str, Any]:
    return {
        "name": said.source,
        "url": said.url,
        "fetched_at": _stamp(said.last_seen),
        "parser": said.parser,
        "provenance": said.provenance,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
