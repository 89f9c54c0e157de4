"""What TMDb sends, as far as matching reads it, and how it becomes :class:`~cinegraph_core.records.Candidate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import InvalidResponseError
from cinegraph_core.records import Candidate, FilmKind

_LONGEST_SHORT = 40
"""Minutes; the Academy's definition of a short film."""

T = TypeVar("T")


class Hit(msgspec.Struct):
    """A film as a search, ``find`` or a filmography lists it."""

    id: int
    title: str = ""
    original_title: str | None = None
    release_date: str | None = None
    popularity: float = 0.0
    job: str | None = None

    def candidate(self) -> Candidate:
        """Return the hit as a candidate whose details are not known yet."""
        return Candidate(
            tmdb_id=self.id,
            title=self.title or self.original_title or "",
            original_title=self.original_title,
            year=year_of(self.release_date),
            popularity=self.popularity,
        )


class SearchPage(msgspec.Struct):
    """One page of ``/search/movie``; ``total_results`` counts all pages."""

    results: list[Hit]
    total_results: int = 0

    def __bool__(self) -> bool:
        return bool(self.results)


class Series(msgspec.Struct):
    """A series as ``find`` lists it."""

    id: int
    name: str = ""
    original_name: str | None = None
    first_air_date: str | None = None

    def candidate(self) -> Candidate:
        """Return the series as a candidate that says it is none; there is nothing more to fetch for it."""
        return Candidate(
            tmdb_id=self.id,
            title=self.name,
            original_title=self.original_name,
            year=year_of(self.first_air_date),
            kind="series",
            detailed=True,
        )


class Found(msgspec.Struct):
    """The answer of ``/find/{imdb id}``."""

    movie_results: list[Hit]
    tv_results: list[Series] = []

    def __bool__(self) -> bool:
        return bool(self.movie_results or self.tv_results)


class PersonHit(msgspec.Struct):
    """A person as a search lists it."""

    id: int
    name: str = ""


class PersonPage(msgspec.Struct):
    """One page of ``/search/person``."""

    results: list[PersonHit]

    def __bool__(self) -> bool:
        return bool(self.results)


class Filmography(msgspec.Struct):
    """The films a person worked on."""

    crew: list[Hit]

    def __bool__(self) -> bool:
        return bool(self.crew)


class _Titled(msgspec.Struct):
    title: str | None = None


class _AlternativeTitles(msgspec.Struct):
    titles: list[_Titled] = []


class _Translation(msgspec.Struct):
    data: _Titled = msgspec.field(default_factory=_Titled)


class _Translations(msgspec.Struct):
    translations: list[_Translation] = []


class _CrewMember(msgspec.Struct):
    name: str = ""
    job: str = ""


class _Credits(msgspec.Struct):
    crew: list[_CrewMember] = []


class _ExternalIds(msgspec.Struct):
    imdb_id: str | None = None


class Details(msgspec.Struct):
    """The answer of ``/movie/{id}`` with all that is appended to it."""

    id: int
    title: str = ""
    original_title: str | None = None
    release_date: str | None = None
    popularity: float = 0.0
    runtime: int | None = None
    imdb_id: str | None = None
    alternative_titles: _AlternativeTitles = msgspec.field(default_factory=_AlternativeTitles)
    translations: _Translations = msgspec.field(default_factory=_Translations)
    credits: _Credits = msgspec.field(default_factory=_Credits)
    external_ids: _ExternalIds = msgspec.field(default_factory=_ExternalIds)

    def candidate(self) -> Candidate:
        """Return all that is known of the film; a runtime of 0 means unknown."""
        others = [one.title for one in self.alternative_titles.titles] + [
            one.data.title for one in self.translations.translations
        ]
        kind: FilmKind = "short" if self.runtime and self.runtime <= _LONGEST_SHORT else "movie"
        return Candidate(
            tmdb_id=self.id,
            title=self.title or self.original_title or "",
            original_title=self.original_title,
            titles=tuple(dict.fromkeys(title for title in others if title)),
            year=year_of(self.release_date),
            imdb_id=self.imdb_id or self.external_ids.imdb_id or None,
            directors=tuple(dict.fromkeys(one.name for one in self.credits.crew if one.job == "Director" and one.name)),
            runtime_minutes=self.runtime or None,
            kind=kind,
            popularity=self.popularity,
            detailed=True,
        )


def year_of(date: str | None) -> int | None:
    """Return the year of an ISO date, ``None`` for an empty or broken one."""
    head = (date or "")[:4]
    return int(head) if head.isascii() and head.isdigit() and head != "0000" else None


def reader(kind: type[T]) -> Callable[[Answer], T]:
    """Return what reads an answer as ``kind``.

    It raises :class:`InvalidResponseError` for a body that is not built as TMDb's are.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(answer: Answer) -> T:
        try:
            return decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidResponseError(f"TMDb's answer cannot be read: {error}", service="tmdb", url=answer.url) from error

    return read
