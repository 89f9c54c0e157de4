"""Who said what: each printed statement is a row of its own, found again by its key, and never deleted."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from cinegraph_core.records import Nomination, Page
from cinegraph_core.storage.aliases import Meanings
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.facts import rank
from cinegraph_core.storage.naming import fold_name
from cinegraph_core.storage.nominations import set_films
from cinegraph_core.storage.people import as_named
from cinegraph_core.storage.tables import FilmRow, NominationFilmRow, NominationRow, NominationSourceRow

log = logging.getLogger(__name__)
_Content = tuple[str, str, str | None, frozenset[int], frozenset[str]]
"""What a statement says, whatever its key: source, page, meaning, films, folded names."""
_FEW = 3
"""So many statements of a page may vanish without a question."""
_SHARE = 1 / 3
"""A page that lost more than this share of its statements is not believed."""


def arranged(nominations: Sequence[Nomination]) -> list[Nomination]:
    """Return nominations in the order in which they are stored, whatever page came first: by source, page, and as printed.

    A key that a source gave twice is told apart by its place (``~2``), so that nothing printed is lost.
    """
    ordered = sorted(nominations, key=lambda said: (*rank(said.source.name), said.source.url))
    seen: dict[tuple[str, str], int] = {}
    unique = []
    for nomination in ordered:
        key = (nomination.source.name, nomination.key)
        seen[key] = seen.get(key, 0) + 1
        unique.append(nomination if seen[key] == 1 else replace(nomination, key=f"{nomination.key}~{seen[key]}"))
    return unique


@dataclass(frozen=True)
class Missing:
    """What a page does not say any more: the statements withdrawn, or the remark why none was."""

    withdrawn: tuple[NominationSourceRow, ...] = ()
    remark: str = ""


class StatementBook:
    """The statements of one edition during one import; ``touched`` are the nominations that may have changed."""

    def __init__(self, session: Session, edition_id: int, aliases: Mapping[str, str]) -> None:
        self.touched: set[int] = set()
        self._session = session
        self._edition_id = edition_id
        self._meanings = Meanings(aliases)
        self._new: set[int] = set()
        stored = session.exec(select(NominationSourceRow).where(NominationSourceRow.edition_id == edition_id)).all()
        self._rows = {(row.source, row.source_key): row for row in stored}

    def write(self, nomination: Nomination, films: Sequence[FilmRow]) -> NominationSourceRow:
        """Store a statement: a new one with a nomination of its own, a known one corrected."""
        film_ids = [film.id for film in films]
        canonical = self._meaning(nomination)
        row = self._rows.get((nomination.source.name, nomination.key))
        is_new = row is None
        if row is None:
            row = self._create(nomination)
            set_films(self._session, row.nomination_id, film_ids)
        elif canonical != row.canonical or set(film_ids) != self._films_of(row.nomination_id):
            self._correct_topic(row, film_ids)
        row.canonical = canonical
        _copy(nomination, row)
        self._session.flush()
        if is_new:
            self._new.add(row.id)
        self.touched.add(row.nomination_id)
        return row

    def rename(self, printed: Sequence[tuple[Nomination, Sequence[FilmRow]]], answered: Iterable[Page]) -> None:
        """Give statements their new keys where a page prints the same under another key (its key was a hash of its text).

        Without it a change of typography would say everything a second time. ``printed`` are the nominations of the import
        with their films, ``answered`` the pages that were read.
        """
        pages = {(page.source, page.url) for page in answered}
        keys = {(said.source.name, said.key) for said, _ in printed}
        unprinted: dict[_Content, list[NominationSourceRow]] = defaultdict(list)
        for key, row in sorted(self._rows.items(), key=lambda known: known[1].id):
            if key not in keys and row.withdrawn_at is None and (row.source, row.url) in pages:
                names = (person["name"] for person in row.people)
                content = _content(row.source, row.url, row.canonical, self._films_of(row.nomination_id), names)
                unprinted[content].append(row)
        for said, films in printed:
            if (said.source.name, said.key) in self._rows:
                continue
            names = (person.name for person in said.people)
            meaning = self._meaning(said)
            same = unprinted[_content(said.source.name, said.source.url, meaning, (film.id for film in films), names)]
            if same:
                row = same.pop(0)
                self._rows[said.source.name, said.key] = self._rows.pop((row.source, row.source_key))
                row.source_key = said.key
        self._session.flush()

    def withdraw(self, page: Page, seen: Collection[int], *, now: float, believe: bool = False) -> Missing:
        """Withdraw what an answered page no longer says, unless it is too much to believe; ``believe`` it all the same."""
        before = [row for row in self._rows.values() if (row.source, row.url) == (page.source, page.url)]
        before = [row for row in before if row.withdrawn_at is None and row.id not in self._new]
        gone = [row for row in before if row.id not in seen]
        if not gone:
            return Missing()
        share = f"{len(gone)} of {len(before)} statements"
        if not believe and (len(gone) == len(before) or (len(gone) >= _FEW and len(gone) > len(before) * _SHARE)):
            remark = (
                f"{share} are missing now; none was withdrawn, a person must look: if they are gone, crawl with withdraw=true"
            )
            log.warning("%s: %s", page.url, remark)
            return Missing(remark=remark)
        for row in gone:
            row.withdrawn_at = utc(now)
            self.touched.add(row.nomination_id)
        self._session.flush()
        log.warning("%s: %s are not printed any more and were withdrawn", page.url, share)
        return Missing(tuple(gone))

    @property
    def current(self) -> int:
        """How many statements stand now."""
        return sum(row.withdrawn_at is None for row in self._rows.values())

    def _create(self, nomination: Nomination) -> NominationSourceRow:
        source = nomination.source
        row = NominationSourceRow(
            edition_id=self._edition_id,
            nomination_id=self._new_nomination(),
            source=source.name,
            source_key=nomination.key,
            url=source.url,
            as_printed="",
            parser=source.parser,
            provenance=source.provenance,
            first_seen=source.fetched_at,
            last_seen=source.fetched_at,
        )
        self._session.add(row)
        self._rows[source.name, nomination.key] = row
        return row

    def _correct_topic(self, row: NominationSourceRow, film_ids: Sequence[int]) -> None:
        """Give a statement that now speaks of something else its own nomination, if others share the one it had."""
        company = [other for other in self._rows.values() if other.nomination_id == row.nomination_id and other is not row]
        if any(other.withdrawn_at is None for other in company):
            self.touched.add(row.nomination_id)
            row.nomination_id = self._new_nomination()
        set_films(self._session, row.nomination_id, film_ids)

    def _meaning(self, nomination: Nomination) -> str | None:
        return self._meanings.topic(nomination.award, nomination.category, nomination.section)

    def _new_nomination(self) -> int:
        nomination = NominationRow(edition_id=self._edition_id)
        self._session.add(nomination)
        self._session.flush()
        return nomination.id

    def _films_of(self, nomination_id: int) -> set[int]:
        return set(
            self._session.exec(select(NominationFilmRow.film_id).where(col(NominationFilmRow.nomination_id) == nomination_id))
        )


def _content(source: str, url: str, canonical: str | None, film_ids: Iterable[int], names: Iterable[str]) -> _Content:
    return source, url, canonical, frozenset(film_ids), frozenset(map(fold_name, names))


def _copy(nomination: Nomination, row: NominationSourceRow) -> None:
    source = nomination.source
    row.url, row.parser, row.provenance = source.url, source.parser, source.provenance
    for name in ("as_printed", "section", "award", "category", "is_winner", "notes"):
        setattr(row, name, getattr(nomination, name))
    row.people = [as_named(person) for person in nomination.people]
    row.last_seen, row.withdrawn_at = source.fetched_at, None
