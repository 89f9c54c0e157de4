"""What the sources of a nomination say together: the row of ``nominations`` follows from its statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, delete, select

from cinegraph_core.storage.facts import in_order
from cinegraph_core.storage.people import gather, link_people
from cinegraph_core.storage.tables import (
    AwardRow,
    CategoryRow,
    EditionRow,
    NominationFilmRow,
    NominationPersonRow,
    NominationRow,
    NominationSourceRow,
    SectionRow,
)


def statements_of(session: Session, nomination_id: int) -> list[NominationSourceRow]:
    """Return what is said of a nomination now, the most believed first; all that was ever said if nothing is any more."""
    said = session.exec(select(NominationSourceRow).where(NominationSourceRow.nomination_id == nomination_id)).all()
    return in_order([row for row in said if row.withdrawn_at is None] or said)


def refresh(session: Session, nomination_ids: Iterable[int]) -> None:
    """Bring nominations in line with their statements: the official site wins field by field, the others fill gaps."""
    for nomination_id in sorted(nomination_ids):
        nomination = session.get_one(NominationRow, nomination_id)
        festival_id = session.get_one(EditionRow, nomination.edition_id).festival_id
        statements = statements_of(session, nomination_id)
        prize = next((said for said in statements if said.award or said.category), None)
        section = next((said.section for said in statements if said.section), None)
        nomination.section_id = section_id(session, festival_id, section)
        nomination.award_id = award_id(session, festival_id, prize.award if prize else None)
        nomination.category_id = category_id(session, festival_id, nomination.award_id, prize.category if prize else None)
        nomination.is_winner = any(said.is_winner for said in statements)
        nomination.notes = next((said.notes for said in statements if said.notes), None)
        link_people(session, nomination_id, gather(statements))
    session.flush()


def set_films(session: Session, nomination_id: int, film_ids: Sequence[int]) -> None:
    """Set the films of a nomination, in printed order."""
    links = select(NominationFilmRow).where(NominationFilmRow.nomination_id == nomination_id)
    wanted = list(dict.fromkeys(film_ids))
    if [link.film_id for link in session.exec(links.order_by(col(NominationFilmRow.position)))] == wanted:
        return
    session.exec(delete(NominationFilmRow).where(col(NominationFilmRow.nomination_id) == nomination_id))
    session.add_all(
        NominationFilmRow(nomination_id=nomination_id, film_id=film_id, position=position)
        for position, film_id in enumerate(wanted)
    )
    session.flush()


def remove_empty(session: Session, nomination: NominationRow) -> None:
    """Remove a nomination whose statements have all moved to another one."""
    session.exec(delete(NominationFilmRow).where(col(NominationFilmRow.nomination_id) == nomination.id))
    session.exec(delete(NominationPersonRow).where(col(NominationPersonRow.nomination_id) == nomination.id))
    session.delete(nomination)
    session.flush()


def section_id(session: Session, festival_id: int, name: str | None) -> int | None:
    """Return a section's row, made if need be; ``None`` for none."""
    if name is None:
        return None
    query = select(SectionRow).where(SectionRow.festival_id == festival_id, SectionRow.name == name)
    row = session.exec(query).first() or SectionRow(festival_id=festival_id, name=name)
    session.add(row)
    session.flush()
    return row.id


def award_id(session: Session, festival_id: int, name: str | None) -> int | None:
    """Return an award's row, made if need be; ``None`` for none."""
    if name is None:
        return None
    query = select(AwardRow).where(AwardRow.festival_id == festival_id, AwardRow.name == name)
    row = session.exec(query).first() or AwardRow(festival_id=festival_id, name=name)
    session.add(row)
    session.flush()
    return row.id


def category_id(session: Session, festival_id: int, award: int | None, name: str | None) -> int | None:
    """Return the row of an award's category, made if need be; ``None`` for none."""
    if name is None:
        return None
    query = select(CategoryRow).where(
        CategoryRow.festival_id == festival_id, col(CategoryRow.award_id).is_not_distinct_from(award), CategoryRow.name == name
    )
    row = session.exec(query).first() or CategoryRow(festival_id=festival_id, award_id=award, name=name)
    session.add(row)
    session.flush()
    return row.id
