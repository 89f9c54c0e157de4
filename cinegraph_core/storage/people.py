"""The people and companies of a nomination: what its sources name, each once per role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from cinegraph_core.records import Person
from cinegraph_core.storage.naming import fold_name
from cinegraph_core.storage.tables import ExternalIdRow, NominationPersonRow, NominationSourceRow, PersonRow

Named = Mapping[str, Any]
"""A person as printed: ``name``, ``imdb_id``, ``role``, ``kind``."""
GENERIC = (None, "nominee", "honoree", "credited")
"""Roles that say no more than "is named here"."""


def as_named(person: Person) -> dict[str, Any]:
    """Return a person in the form in which a statement keeps it."""
    return {"name": person.name, "imdb_id": person.imdb_id, "role": person.role, "kind": person.kind}


def gather(statements: Iterable[NominationSourceRow]) -> list[dict[str, Any]]:
    """Return everybody whom the statements name, the most believed statement first.

    One named twice is one: an id and a role that only one of the sources knows are filled in.
    """
    everybody: list[dict[str, Any]] = []
    for person in ({**person, "given_by": said.source} for said in statements for person in said.people):
        known = next((other for other in everybody if _same(other, person)), None)
        if known is None:
            everybody.append(person)
            continue
        if known["role"] in GENERIC:
            known["role"] = person["role"] or known["role"]
        if known["imdb_id"] is None and person["imdb_id"] is not None:
            known.update({name: person[name] for name in ("imdb_id", "name", "given_by")})
    return everybody


def link_people(session: Session, nomination_id: int, everybody: Sequence[Named]) -> None:
    """Set the people of a nomination; rows without id that nobody needs any more go."""
    links = session.exec(
        select(NominationPersonRow)
        .where(NominationPersonRow.nomination_id == nomination_id)
        .order_by(col(NominationPersonRow.position), col(NominationPersonRow.id))
    ).all()
    here = _people(session, {link.person_id for link in links})
    wanted = list(dict.fromkeys((_person(session, named, here).id, named["role"]) for named in everybody))
    if [(link.person_id, link.role) for link in links] == wanted:
        return
    for link in links:
        session.delete(link)
    session.flush()
    session.add_all(
        NominationPersonRow(nomination_id=nomination_id, person_id=person_id, role=role, position=position)
        for position, (person_id, role) in enumerate(wanted)
    )
    session.flush()
    _drop_unneeded(session, set(here) - {person_id for person_id, _ in wanted})


def _same(one: Named, other: Named) -> bool:
    if one["kind"] != other["kind"]:
        return False
    if one["role"] != other["role"] and one["role"] not in GENERIC and other["role"] not in GENERIC:
        return False
    if one["imdb_id"] and other["imdb_id"]:
        return bool(one["imdb_id"] == other["imdb_id"])
    return fold_name(one["name"]) == fold_name(other["name"])


def _people(session: Session, ids: set[int]) -> dict[int, PersonRow]:
    rows = session.exec(select(PersonRow).where(col(PersonRow.id).in_(sorted(ids)))).all() if ids else []
    return {row.id: row for row in rows}


def _person(session: Session, named: Named, here: dict[int, PersonRow]) -> PersonRow:
    """Return the row of somebody: by id, else by name among the nomination's own people, else a new one."""
    imdb_id, folded = named["imdb_id"], fold_name(named["name"])
    if imdb_id is not None and (row := _by_id(session, imdb_id)) is not None:
        row.name, row.normalised = named["name"], folded
        return row
    namesakes = (row for row in here.values() if (row.normalised, row.kind) == (folded, named["kind"]))
    row = next((row for row in namesakes if imdb_id is None or not _has_id(session, row.id)), None)
    if row is None:
        row = PersonRow(name=named["name"], normalised=folded, kind=named["kind"])
        session.add(row)
        session.flush()
    if imdb_id is not None:
        session.add(ExternalIdRow(person_id=row.id, source="imdb", value=imdb_id, given_by=named["given_by"]))
        row.name = named["name"]
        session.flush()
    here[row.id] = row
    return row


def _by_id(session: Session, imdb_id: str) -> PersonRow | None:
    owner = select(ExternalIdRow.person_id).where(ExternalIdRow.source == "imdb", ExternalIdRow.value == imdb_id)
    person_id = session.exec(owner).first()
    return None if person_id is None else session.get(PersonRow, person_id)


def _has_id(session: Session, person_id: int) -> bool:
    return session.exec(select(ExternalIdRow.id).where(ExternalIdRow.person_id == person_id)).first() is not None


def _drop_unneeded(session: Session, ids: set[int]) -> None:
    for person_id in sorted(ids):
        still_linked = select(NominationPersonRow.id).where(NominationPersonRow.person_id == person_id)
        if session.exec(still_linked).first() is None and not _has_id(session, person_id):
            session.delete(session.get_one(PersonRow, person_id))
    session.flush()
