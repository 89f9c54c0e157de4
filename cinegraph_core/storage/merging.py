"""When two film rows prove to be one film: the older stays, links move, the younger keeps ``merged_into``."""

from __future__ import annotations

from sqlmodel import Session, col, select, update

from cinegraph_core.storage.candidates import forget_candidates
from cinegraph_core.storage.facts import agree
from cinegraph_core.storage.sharing import unite
from cinegraph_core.storage.tables import (
    ExternalIdRow,
    FilmRow,
    FilmTitleRow,
    MatchDecisionRow,
    NominationFilmRow,
    NominationRow,
)


def merge_films(session: Session, one: FilmRow, other: FilmRow) -> FilmRow:
    """Make two rows one and return the one that stays; belongs in the transaction that found it out."""
    keep, drop = (one, other) if one.id < other.id else (other, one)
    session.flush()
    editions = _editions_of(session, drop.id)
    _move_nominations(session, keep.id, drop.id)
    _move_titles(session, keep.id, drop.id)
    session.exec(update(ExternalIdRow).where(col(ExternalIdRow.film_id) == drop.id).values(film_id=keep.id))
    _move_decision(session, keep, drop)
    keep.facts = {source: {**drop.facts.get(source, {}), **keep.facts.get(source, {})} for source in {*keep.facts, *drop.facts}}
    agree(keep)
    drop.facts, drop.match_status, drop.merged_into = {}, None, keep.id
    session.exec(update(FilmRow).where(col(FilmRow.merged_into) == drop.id).values(merged_into=keep.id))
    session.flush()
    for edition_id in editions:
        unite(session, edition_id)
    return keep


def _editions_of(session: Session, film_id: int) -> list[int]:
    here = (
        select(NominationRow.edition_id)
        .join(NominationFilmRow, col(NominationFilmRow.nomination_id) == col(NominationRow.id))
        .where(NominationFilmRow.film_id == film_id)
        .distinct()
        .order_by(col(NominationRow.edition_id))
    )
    return list(session.exec(here))


def _move_nominations(session: Session, keep: int, drop: int) -> None:
    already = set(session.exec(select(NominationFilmRow.nomination_id).where(NominationFilmRow.film_id == keep)))
    for link in session.exec(select(NominationFilmRow).where(NominationFilmRow.film_id == drop)).all():
        if link.nomination_id not in already:
            session.add(NominationFilmRow(nomination_id=link.nomination_id, film_id=keep, position=link.position))
        session.delete(link)
    session.flush()


def _move_titles(session: Session, keep: int, drop: int) -> None:
    already = {(row.source, row.title) for row in session.exec(select(FilmTitleRow).where(FilmTitleRow.film_id == keep))}
    for row in session.exec(select(FilmTitleRow).where(FilmTitleRow.film_id == drop)).all():
        if (row.source, row.title) in already:
            session.delete(row)
        else:
            row.film_id = keep
    session.flush()


def _move_decision(session: Session, keep: FilmRow, drop: FilmRow) -> None:
    """Keep the better of two decisions: a person's, else a match, else that of the row that stays."""
    rows = {
        row.film_id: row
        for row in session.exec(select(MatchDecisionRow).where(col(MatchDecisionRow.film_id).in_((keep.id, drop.id))))
    }
    if drop.id not in rows:
        return
    best = max(rows.values(), key=lambda row: (row.decided_by != "auto", row.status == "matched", row.film_id == keep.id))
    for row in rows.values():
        if row is not best:
            forget_candidates(session, row.id)
            session.delete(row)
    session.flush()
    best.film_id, keep.match_status = keep.id, best.status
    session.flush()
