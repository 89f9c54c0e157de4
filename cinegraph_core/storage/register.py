"""Which row a printed film is: by IMDb id, else within its edition by title and directors, else a new one.

Nothing is guessed: where two rows could be meant, a film gets a row of its own and waits for its id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from cinegraph_core.records import Film, Nomination
from cinegraph_core.storage.batches import in_batches
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.facts import Facts, add_facts, facts_of
from cinegraph_core.storage.merging import merge_films
from cinegraph_core.storage.naming import fold, fold_all, fold_name
from cinegraph_core.storage.tables import ExternalIdRow, FilmRow, FilmTitleRow, NominationFilmRow, NominationRow

_YEARS_APART = 2
"""Films of one title whose known years differ by more are two films (a restored classic and its remake)."""


@dataclass
class _Known:
    """A film row with what is compared."""

    row: FilmRow
    titles: set[str] = field(default_factory=set)
    imdb_ids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    years: set[int] = field(default_factory=set)

    def compatible(self, film: Film, names: set[str]) -> bool:
        """Whether nothing known speaks against this being the film."""
        if film.year and self.years and all(abs(film.year - year) > _YEARS_APART for year in self.years):
            return False
        return not names or not self.names or bool(names & self.names)


class FilmRegister:
    """The films of one edition during one import."""

    def __init__(self, session: Session, edition_id: int, nominations: Sequence[Nomination], *, now: float) -> None:
        self._session = session
        self._now = now
        self._by_imdb: dict[str, _Known] = {}
        self._known: dict[int, _Known] = {}
        self._edition: dict[int, _Known] = {}
        self._ids_by_title: dict[str, set[str]] = defaultdict(set)
        self._fresh: dict[tuple[int, str], Facts] = {}
        films = [film for nomination in nominations for film in nomination.films]
        self._load(edition_id, {film.imdb_id for film in films if film.imdb_id})
        for film in films:
            self._note_ids({film.imdb_id} if film.imdb_id else set(), fold_all((film.title, film.original_title)))

    def resolve(self, nominations: Sequence[Nomination]) -> list[list[FilmRow]]:
        """Return the rows of each nomination's films, in printed order; new films are created.

        Films that bring an id come first, so that one without an id meets all it could be.
        """
        printed = [(n, f, film) for n, nomination in enumerate(nominations) for f, film in enumerate(nomination.films)]
        found: dict[tuple[int, int], _Known] = {}
        for n, f, film in sorted(printed, key=lambda entry: entry[2].imdb_id is None):
            found[n, f] = self._find(film, nominations[n].source.name)
        for (film_id, source), fresh in self._fresh.items():
            add_facts(self._known[film_id].row, source, fresh)
        self._session.flush()
        return [
            [self._survivor(found[n, f].row) for f in range(len(nomination.films))] for n, nomination in enumerate(nominations)
        ]

    def _find(self, film: Film, source: str) -> _Known:
        titles = fold_all((film.title, film.original_title))
        names = {fold_name(name) for name in film.directors}
        candidates = [known for known in self._edition.values() if known.titles & titles and known.compatible(film, names)]
        if film.imdb_id is None:
            known = _choose(candidates, names) or self._create(film)
        else:
            known = self._find_by_id(film.imdb_id, film, self._twin(candidates, film.imdb_id, titles, names))
            self._attach(known, film.imdb_id, source)
        self._remember(known, film, source)
        return known

    def _find_by_id(self, imdb_id: str, film: Film, twin: _Known | None) -> _Known:
        known = self._by_imdb.get(imdb_id)
        if known is None:
            return twin or self._create(film)
        if twin is None or twin is known:
            return known
        survivor = merge_films(self._session, known.row, twin.row)
        kept, gone = (known, twin) if survivor is known.row else (twin, known)
        kept.titles |= gone.titles
        kept.names |= gone.names
        kept.years |= gone.years
        self._forget(gone, kept)
        return kept

    def _twin(self, candidates: Sequence[_Known], imdb_id: str, titles: Iterable[str], names: set[str]) -> _Known | None:
        """Return the row that waited for this id: alone, and no other id in sight goes by its title."""
        waiting = [known for known in candidates if not known.imdb_ids]
        sure = [known for known in waiting if known.names & names]
        if len(sure) == 1:
            return sure[0]
        if len(waiting) != 1 or any(self._ids_by_title[title] - {imdb_id} for title in waiting[0].titles & set(titles)):
            return None
        return waiting[0]

    def _create(self, film: Film) -> _Known:
        row = FilmRow(title=film.title, created_at=utc(self._now))
        self._session.add(row)
        self._session.flush()
        known = _Known(row)
        self._known[row.id] = known
        return known

    def _attach(self, known: _Known, imdb_id: str, source: str) -> None:
        if imdb_id in known.imdb_ids:
            return
        self._session.add(ExternalIdRow(film_id=known.row.id, source="imdb", value=imdb_id, given_by=source))
        self._session.flush()
        known.imdb_ids.add(imdb_id)
        self._by_imdb[imdb_id] = known

    def _remember(self, known: _Known, film: Film, source: str) -> None:
        self._edition[known.row.id] = known
        key = (known.row.id, source)
        self._fresh[key] = {**facts_of(film), **self._fresh.get(key, {})}
        for title in dict.fromkeys(filter(None, (film.title, film.original_title))):
            self._print(known, title, source)
        known.names |= {fold_name(name) for name in film.directors}
        known.years |= {film.year} if film.year else set()
        self._note_ids(known.imdb_ids, known.titles)

    def _print(self, known: _Known, title: str, source: str) -> None:
        exists = select(FilmTitleRow.id).where(
            FilmTitleRow.film_id == known.row.id, FilmTitleRow.source == source, FilmTitleRow.title == title
        )
        if self._session.exec(exists).first() is None:
            self._session.add(FilmTitleRow(film_id=known.row.id, source=source, title=title, normalised=fold(title)))
        known.titles.add(fold(title))

    def _note_ids(self, imdb_ids: Iterable[str], titles: Iterable[str]) -> None:
        for title in titles:
            self._ids_by_title[title].update(imdb_ids)

    def _forget(self, gone: _Known, kept: _Known) -> None:
        for key in [key for key in self._fresh if key[0] == gone.row.id]:
            self._fresh[kept.row.id, key[1]] = {**self._fresh.pop(key), **self._fresh.get((kept.row.id, key[1]), {})}
        self._edition.pop(gone.row.id, None)
        for imdb_id in gone.imdb_ids:
            self._by_imdb[imdb_id] = kept
        kept.imdb_ids |= gone.imdb_ids

    def _survivor(self, row: FilmRow) -> FilmRow:
        return row if row.merged_into is None else self._session.get_one(FilmRow, row.merged_into)

    # ------------------------------------------------------------------------------------------------ loading

    def _load(self, edition_id: int, imdb_ids: set[str]) -> None:
        here = (
            select(NominationFilmRow.film_id)
            .join(NominationRow, col(NominationRow.id) == col(NominationFilmRow.nomination_id))
            .where(NominationRow.edition_id == edition_id)
            .distinct()
        )
        in_edition = set(self._session.exec(here))
        named: set[int] = set()
        for values in in_batches(sorted(imdb_ids)):
            owners = select(ExternalIdRow.film_id).where(ExternalIdRow.source == "imdb", col(ExternalIdRow.value).in_(values))
            named.update(film_id for film_id in self._session.exec(owners) if film_id is not None)
        for ids in in_batches(sorted(in_edition | named)):
            self._load_films(ids)
        self._edition.update((film_id, self._known[film_id]) for film_id in sorted(in_edition))
        for known in self._edition.values():
            self._note_ids(known.imdb_ids, known.titles)

    def _load_films(self, ids: Sequence[int]) -> None:
        for row in self._session.exec(select(FilmRow).where(col(FilmRow.id).in_(ids))):
            names = {fold_name(name) for said in row.facts.values() for name in said.get("directors", ())}
            years = {said["year"] for said in row.facts.values() if said.get("year")}
            self._known[row.id] = _Known(row, names=names, years=years)
        for title in self._session.exec(select(FilmTitleRow).where(col(FilmTitleRow.film_id).in_(ids))):
            self._known[title.film_id].titles.add(title.normalised)
        given = select(ExternalIdRow).where(ExternalIdRow.source == "imdb", col(ExternalIdRow.film_id).in_(ids))
        for external in self._session.exec(given):
            known = self._known[external.film_id or 0]
            known.imdb_ids.add(external.value)
            self._by_imdb[external.value] = known


def _choose(candidates: Sequence[_Known], names: set[str]) -> _Known | None:
    """Return the row a film without id means; ``None`` where it could be several."""
    sure = [known for known in candidates if known.names & names]
    pool = sure or candidates
    if len(pool) == 1:
        return pool[0]
    waiting = [known for known in pool if not known.imdb_ids and (sure or not known.names)]
    return waiting[0] if waiting else None
