"""When two sources speak of one nomination: their statements come to share a row.

They must mean the same award (through the alias table) or section, name the same films, and not name different people.
Two statements of one source never share a row: what a source prints twice, it means twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlmodel import Session, col, select

from cinegraph_core.storage.facts import in_order
from cinegraph_core.storage.naming import fold_name
from cinegraph_core.storage.nominations import refresh, remove_empty
from cinegraph_core.storage.tables import NominationFilmRow, NominationRow, NominationSourceRow

_HONOURED = frozenset({None, "nominee", "honoree", "actor", "actress", "performer", "screenwriter"})
"""Roles under which the person honoured stands, depending on the source."""


@dataclass
class _View:
    """A nomination as far as sharing needs it."""

    id: int
    statements: list[NominationSourceRow] = field(default_factory=list)
    films: set[int] = field(default_factory=set)

    @property
    def topic(self) -> tuple[str, frozenset[int]] | None:
        """What it is about: the award or section, and the films; ``None`` if the source did not say."""
        canonical = in_order(self.statements)[0].canonical
        return None if canonical is None else (canonical, frozenset(self.films))

    @property
    def sources(self) -> set[str]:
        return {said.source for said in self.statements}

    @property
    def people(self) -> dict[str, set[str]]:
        """Folded names by role."""
        named: dict[str, set[str]] = defaultdict(set)
        for person in (person for said in self.statements for person in said.people):
            role = "" if person["role"] in _HONOURED else person["role"]
            named[role].add(fold_name(person["name"]))
        return named


def unite(session: Session, edition_id: int) -> set[int]:
    """Let the nominations of an edition that are one share their row; the older stays, the ids of those gone are returned."""
    by_topic: dict[tuple[str, frozenset[int]], list[_View]] = defaultdict(list)
    for view in _views(session, edition_id):
        if view.topic is not None:
            by_topic[view.topic].append(view)
    return {gone for group in by_topic.values() for gone in _unite_group(session, group)}


def _unite_group(session: Session, group: list[_View]) -> Iterator[int]:
    while (pair := _pair(group)) is not None:
        kept, gone = pair
        for said in session.exec(select(NominationSourceRow).where(NominationSourceRow.nomination_id == gone.id)).all():
            said.nomination_id = kept.id
        session.flush()
        remove_empty(session, session.get_one(NominationRow, gone.id))
        refresh(session, [kept.id])
        kept.statements += gone.statements
        group.remove(gone)
        yield gone.id


def _pair(group: Sequence[_View]) -> tuple[_View, _View] | None:
    """Return two that are one: those who name the same people first, then those who are the only possible pair."""
    possible = [(one, other) for one, other in combinations(group, 2) if not one.sources & other.sources]
    same_people = next((pair for pair in possible if _common(*pair)), None)
    if same_people is not None:
        return same_people
    open_pairs = [pair for pair in possible if pair[0].films and not _contradict(*pair)]
    return next((pair for pair in open_pairs if _only(pair, open_pairs)), None)


def _only(pair: tuple[_View, _View], pairs: Sequence[tuple[_View, _View]]) -> bool:
    """Whether neither of the two could as well belong to another nomination of the other's source."""

    def rivals(view: _View, partner: _View) -> Iterator[_View]:
        for one, other in pairs:
            mate = other if one is view else one if other is view else None
            if mate is not None and mate is not partner and mate.sources & partner.sources:
                yield mate

    return not any(rivals(*pair)) and not any(rivals(pair[1], pair[0]))


def _common(one: _View, other: _View) -> bool:
    mine, theirs = (set().union(*view.people.values()) for view in (one, other))
    return bool(mine & theirs) and not _contradict(one, other)


def _contradict(one: _View, other: _View) -> bool:
    """Whether the two name different people in one role."""
    mine, theirs = one.people, other.people
    return any(not mine[role] & theirs[role] for role in mine.keys() & theirs.keys())


def _views(session: Session, edition_id: int) -> list[_View]:
    """Return the edition's nominations of which something is said now, oldest first."""
    views: dict[int, _View] = {}
    current = select(NominationSourceRow).where(
        NominationSourceRow.edition_id == edition_id, col(NominationSourceRow.withdrawn_at).is_(None)
    )
    for said in session.exec(current.order_by(col(NominationSourceRow.nomination_id), col(NominationSourceRow.id))):
        views.setdefault(said.nomination_id, _View(said.nomination_id)).statements.append(said)
    links = (
        select(NominationFilmRow)
        .join(NominationRow, col(NominationRow.id) == col(NominationFilmRow.nomination_id))
        .where(NominationRow.edition_id == edition_id)
    )
    for link in session.exec(links):
        if link.nomination_id in views:
            views[link.nomination_id].films.add(link.film_id)
    return list(views.values())
