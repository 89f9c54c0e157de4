"""What flows through Cinegraph: frozen, typed records without behaviour beyond their own words.

A page object makes :class:`Nomination` records, a spider gathers them in one :class:`Edition`, matching turns a
:class:`FilmQuery` and :class:`Candidate` records into a :class:`Match`, and every call leaves one :class:`Measurement`.
Years are calendar years (int), runtimes are minutes (int), times are aware UTC ``datetime``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from cinegraph_core.errors import ErrorType

Provenance = Literal["live", "cache", "stale", "mock", "fallback"]
Control = Literal[
    "daily_quota",
    "hourly_quota",
    "cache_cleared",
    "cache_purged",
    "breaker_reset",
    "breaker_opened",
    "spent_until",
    "mode",
    "held_until",
    "probe",
]
"""A word that every process obeys. A quota's value is its number, that of ``spent_until`` when the provider's own quota begins
anew, that of ``held_until`` when a service may be asked again, that of ``probe`` until when one process alone may probe it,
that of ``mode`` a :class:`~cinegraph_core.services.modes.Switch`, that of the others the moment they were said. Moments are
milliseconds since the epoch."""
Mode = Literal["mock", "real", "hybrid"]
FilmKind = Literal["movie", "short", "series", "episode", "video", "game", "immersive", "unknown"]
PersonKind = Literal["person", "company"]
MatchStatus = Literal["matched", "review", "not_found", "error"]
ReviewReason = Literal["ambiguous", "low_score", "contradiction"]
PageOutcome = Literal["ok", "absent", "no_data", "parked", "blocked", "layout_changed", "error"]
MeasurementKind = Literal["call", "level", "lookup"]


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


@dataclass(frozen=True, slots=True)
class FilmQuery:
    """What is asked of the matcher; the public JSON form is in the contract.

    With ``edition`` (the edition's year) ``year`` is the film's; with ``festival`` but no ``edition``, ``year`` is the
    edition's and the film may be a year or more older.
    """

    id: str
    title: str
    original_title: str | None = None
    year: int | None = None
    directors: tuple[str, ...] = ()
    imdb_id: str | None = None
    runtime_minutes: int | None = None
    kind: FilmKind = "unknown"
    festival: str | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A film a catalogue offers for a query.

    ``titles`` holds every other title known (alternative titles, translations). ``detailed`` tells whether directors,
    titles and runtime were fetched, so that an empty tuple means "none", not "not asked".
    """

    tmdb_id: int
    title: str
    original_title: str | None = None
    titles: tuple[str, ...] = ()
    year: int | None = None
    imdb_id: str | None = None
    directors: tuple[str, ...] = ()
    runtime_minutes: int | None = None
    kind: FilmKind = "movie"
    popularity: float = 0.0
    detailed: bool = False


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate with its score (0–1, the probability that it is the film) and the reasons in plain words."""

    candidate: Candidate
    score: float
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelTried:
    """What one level of the cascade did: ``asked`` in words, ids it ``found`` first and ids ``verified`` by their details."""

    level: int
    strategy: str
    asked: tuple[str, ...] = ()
    found: tuple[int, ...] = ()
    verified: tuple[int, ...] = ()
    api_calls: int = 0
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with the parts of its score: log likelihood ratios by signal, +3 makes it twenty times as likely."""

    candidate: Candidate
    score: float
    parts: Mapping[str, float]
    why: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an answer came about: the levels in order, and the likeliest candidates, best first."""

    levels: tuple[LevelTried, ...] = ()
    candidates: tuple[Weighed, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The answer to a :class:`FilmQuery`.

    ``level``, ``strategy`` and ``confidence`` name the lowest level whose own rule the accepted film satisfies; ``score``
    is the probability. ``api_calls`` counts HTTP requests sent for it. ``provenance`` is the worst of the answers used.
    ``explanation`` stands where one was asked for. ``parked_until`` (epoch seconds) stands with an ``error`` for which a used-up
    quota or budget is to blame: the question is to be put again then, and not before.
    """

    id: str
    status: MatchStatus
    tmdb_id: int | None = None
    imdb_id: str | None = None
    confidence: float | None = None
    score: float | None = None
    level: int | None = None
    strategy: str | None = None
    api_calls: int = 0
    error_type: ErrorType | None = None
    reason: ReviewReason | None = None
    error_message: str | None = None
    retry_after: float | None = None
    candidates: tuple[ScoredCandidate, ...] = ()
    provenance: Provenance = "live"
    explanation: Explanation | None = None
    parked_until: float | None = None


class Measurement(msgspec.Struct, frozen=True):
    """One row of ``api_lookup_metrics``: a call, a level tried, or a whole lookup.

    ``target_identifier`` is the IMDb id, or ``title (year)``, or the path, and never empty. ``attempts`` counts the HTTP
    requests that left (0 for a refused call); attempts that no server can have seen, such as a refused connection, stand
    apart in ``metadata["unsent"]``. ``inserted_at`` is when the call ended. ``metadata`` holds JSON values only, no keys
    and no personal data. A struct, because every call makes one: ``msgspec.json.encode`` writes it, ``msgspec.structs``
    has ``asdict`` and ``replace``.
    """

    source: str
    operation: str
    target_identifier: str
    success: bool
    inserted_at: datetime
    kind: MeasurementKind = "call"
    attempts: int = 0
    provenance: Provenance = "live"
    response_time_ms: float | None = None
    confidence_score: float | None = None
    fallback_level: int | None = None
    error_type: ErrorType | None = None
    error_message: str | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
