"""What outside catalogues call a film: printed by a source, or given by a match, and which rows share an id."""

from __future__ import annotations

from sqlmodel import Session, and_, col, delete, or_, select

from cinegraph_core.storage.lines import imdb_id_of
from cinegraph_core.storage.tables import ExternalIdRow, FilmRow

_GIVEN_BY_MATCH = "match"
"""Who told us an id, when it was not a source."""


def attach_ids(session: Session, film_id: int, *, tmdb_id: int, imdb_id: str | None) -> None:
    """Give a film the ids of its match; an IMDb id that a source printed stays."""
    wanted = {"tmdb": str(tmdb_id)}
    if imdb_id is not None and imdb_id_of(session, film_id=film_id) is None:
        wanted["imdb"] = imdb_id
    known = set(session.exec(select(ExternalIdRow.source, ExternalIdRow.value).where(ExternalIdRow.film_id == film_id)).all())
    for source, value in wanted.items():
        if (source, value) not in known:
            session.add(ExternalIdRow(film_id=film_id, source=source, value=value, given_by=_GIVEN_BY_MATCH))
    session.flush()


def forget_ids(session: Session, film_id: int) -> None:
    """Take back the ids that an earlier match gave."""
    given = and_(col(ExternalIdRow.film_id) == film_id, col(ExternalIdRow.given_by) == _GIVEN_BY_MATCH)
    session.exec(delete(ExternalIdRow).where(given))


def twins_of(session: Session, film_id: int, *, tmdb_id: int, imdb_id: str | None) -> list[FilmRow]:
    """Return the other rows that already have one of these ids."""
    ids = [and_(col(ExternalIdRow.source) == "tmdb", col(ExternalIdRow.value) == str(tmdb_id))]
    if imdb_id is not None and imdb_id_of(session, film_id=film_id) in (None, imdb_id):
        ids.append(and_(col(ExternalIdRow.source) == "imdb", col(ExternalIdRow.value) == imdb_id))
    owners = select(ExternalIdRow.film_id).where(or_(*ids), col(ExternalIdRow.film_id) != film_id).distinct()
    return [session.get_one(FilmRow, owner) for owner in sorted(filter(None, session.exec(owners)))]


def ids_contradict(session: Session, film_id: int, twin_id: int) -> bool:
    """Whether two rows have different IMDb ids."""
    mine, theirs = (imdb_id_of(session, film_id=owner) for owner in (film_id, twin_id))
    return mine is not None and theirs is not None and mine != theirs


def printed_imdb_id(session: Session, film_id: int) -> str | None:
    """Return the IMDb id that a source printed of a film, the first of several."""
    printed = select(ExternalIdRow.value).where(ExternalIdRow.source == "imdb", ExternalIdRow.given_by != _GIVEN_BY_MATCH)
    return session.exec(printed.where(ExternalIdRow.film_id == film_id).order_by(col(ExternalIdRow.id))).first()
