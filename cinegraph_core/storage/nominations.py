"""What the sources of a nomination say together: the row of ``nominations`` follows from its statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

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

Named = TypeVar("Named", SectionRow, AwardRow, CategoryRow)


def statements_of(session: Session, nomination_id: int) -> list[NominationSourceRow]:
    """Return what is said of a nomination now, the most believed first; if nothing is, all that ever was said."""
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
        nomination.section_id = _row_id(session, SectionRow, section, festival_id=festival_id)
        nomination.award_id = _row_id(session, AwardRow, prize.award if prize else None, festival_id=festival_id)
        nomination.category_id = _row_id(
            session, CategoryRow, prize.category if prize else None, festival_id=festival_id, award_id=nomination.award_id
        )
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


def _row_id(session: Session, table: type[Named], name: str | None, **key: Any) -> int | None:
    """Return the row of that name and key, made if need be; ``None`` without a name."""
    if name is None:
        return None
    row = session.exec(select(table).filter_by(name=name, **key)).first() or table(name=name, **key)
    session.add(row)
    session.flush()
    return row.id
