"""The bundled facts: films, people and festival editions, read from ``data/``.

``films.jsonl`` holds one film a line, ``people.jsonl`` the IMDb ids of people by name, ``editions/*.toml`` one festival edition
each: sections with their films, and awards. A film is referred to by its ``key``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

DATA = Path(__file__).parent / "data"

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Film:
    """One film. Without ``tmdb_id`` or ``imdb_id`` that service does not know it; ``printed`` is the festival's own spelling."""

    key: str
    title: str
    year: int | None = None
    original_title: str = ""
    alternative_titles: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    runtime_minutes: int | None = None
    kind: str = "movie"
    language: str = "en"
    tmdb_id: int | None = None
    imdb_id: str | None = None
    printed: str = ""

    @property
    def original(self) -> str:
        """The original title, which is the title where nothing else is known."""
        return self.original_title or self.title

    @property
    def as_printed(self) -> str:
        """The title as the festival prints it: ``Original (English)`` when there are two."""
        if self.printed:
            return self.printed
        return self.title if self.original.casefold() == self.title.casefold() else f"{self.original} ({self.title})"

    @property
    def titles(self) -> tuple[str, ...]:
        """Every title, without repetition."""
        return tuple(dict.fromkeys((self.title, self.original, *self.alternative_titles)))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an edition's line-up; films of ``shorts`` stand under a heading of their own on the same page."""

    slug: str
    name: str
    films: tuple[str, ...]
    shorts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Award:
    """A prize and who got it.

    ``name`` and ``category`` are IMDb's words, ``printed`` the festival's own, under its ``heading``. ``nominees`` is the slug
    of the section whose films competed for it. ``people`` won for ``film``, or without one; ``role`` says as what.
    """

    name: str
    category: str | None = None
    heading: str = ""
    printed: str = ""
    film: str | None = None
    people: tuple[str, ...] = ()
    role: str = ""
    companies: tuple[str, ...] = ()
    nominees: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """One festival in one year."""

    festival: str
    name: str
    event_id: str
    year: int
    number: int
    instance: int = 1
    sections: tuple[Section, ...] = ()
    awards: tuple[Award, ...] = ()

    def section(self, slug: str | None) -> Section | None:
        """Return the section of that slug."""
        return next((section for section in self.sections if section.slug == slug), None)


@dataclass(frozen=True)
class Catalogue:
    """Everything the replica knows."""

    films: Mapping[str, Film]
    people: Mapping[str, str] = field(default_factory=dict)
    editions: tuple[Edition, ...] = ()

    @cached_property
    def by_tmdb_id(self) -> dict[int, Film]:
        """The films that TMDb knows."""
        return {film.tmdb_id: film for film in self.films.values() if film.tmdb_id is not None}

    @cached_property
    def by_imdb_id(self) -> dict[str, Film]:
        """The films that IMDb knows."""
        return {film.imdb_id: film for film in self.films.values() if film.imdb_id is not None}

    def edition(self, event_or_festival: str, year: int, instance: int = 1) -> Edition | None:
        """Return an edition by its festival's key or IMDb event id."""
        wanted = (year, instance)
        for edition in self.editions:
            if event_or_festival in (edition.festival, edition.event_id) and (edition.year, edition.instance) == wanted:
                return edition
        return None


def load_catalogue(folder: Path = DATA) -> Catalogue:
    """Read the bundled catalogue."""
    films = {line["key"]: _build(Film, line) for line in _lines(folder / "films.jsonl")}
    people = {line["name"]: line["imdb_id"] for line in _lines(folder / "people.jsonl")}
    files = sorted((folder / "editions").glob("*.toml"))
    return Catalogue(films, people, tuple(_edition(tomllib.loads(file.read_text("utf-8"))) for file in files))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        yield json.loads(line)


def _edition(values: dict[str, Any]) -> Edition:
    values["sections"] = [_build(Section, section) for section in values.get("sections", ())]
    values["awards"] = [_build(Award, award) for award in values.get("awards", ())]
    return _build(Edition, values)


def _build(record: type[Record], values: Mapping[str, Any]) -> Record:
    """Return a frozen record; lists become tuples."""
    return record(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
