"""What a festival printed: nominations with their films and people, gathered in editions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cinegraph_core.records.words import FilmKind, PageOutcome, PersonKind, Provenance


@dataclass(frozen=True, slots=True)
class Person:
    """A person or company as a source names it; ``role`` is what it did (``director``, ``actor``, ``nominee`` …)."""

    name: str
    imdb_id: str | None = None
    role: str | None = None
    kind: PersonKind = "person"


@dataclass(frozen=True, slots=True)
class Film:
    """A film as one source prints it; ``year`` is the film's own year, not the edition's, and often unknown."""

    title: str
    original_title: str | None = None
    year: int | None = None
    imdb_id: str | None = None
    directors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    runtime_minutes: int | None = None
    kind: FilmKind = "unknown"


@dataclass(frozen=True, slots=True)
class Statement:
    """Who said it: the source (``venice_official``), the public page, the parser and when it was fetched."""

    name: str
    url: str
    parser: str
    fetched_at: datetime
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Nomination:
    """One printed nomination or selection.

    ``key`` identifies it at its source for ever: the site's own id or link (and award), else a hash of what was printed.
    A selection has a ``section`` and no ``award``. ``films`` or ``people`` may be empty, both too (IMDb prints such).
    ``category`` is ``None`` where the award itself is the category.
    """

    key: str
    source: Statement
    section: str | None = None
    award: str | None = None
    category: str | None = None
    is_winner: bool = False
    notes: str | None = None
    films: tuple[Film, ...] = ()
    people: tuple[Person, ...] = ()
    as_printed: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What became of one page of an edition; ``url`` is the public one, ``detail`` says why where it is not ``ok``."""

    source: str
    url: str
    outcome: PageOutcome
    detail: str = ""
    nominations: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """One festival, one year, with all that its pages said; the one item a spider yields.

    ``number`` is the festival's own count (Venice 2024 is the 81st), ``instance`` tells two editions of one year apart.
    """

    festival: str
    year: int
    number: int | None = None
    instance: int = 1
    name: str | None = None
    nominations: tuple[Nomination, ...] = ()
    pages: tuple[Page, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every page answered, be it with "there is nothing here"."""
        return all(page.outcome in ("ok", "absent", "no_data") for page in self.pages)
