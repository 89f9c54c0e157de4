"""What is asked of the matcher, what it found, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cinegraph_core.errors import ErrorType
from cinegraph_core.records.words import FilmKind, MatchStatus, Provenance, ReviewReason


@dataclass(frozen=True, slots=True)
class FilmQuery:
    """What is asked of the matcher; docs/reference.md describes its public JSON form.

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
    ``explanation`` stands where one was asked for. ``service`` is the one to blame for an ``error``. ``parked_until`` (epoch
    seconds) stands with an ``error`` for which a used-up quota or budget is to blame: the question is to be put again then, and
    not before.
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
    service: str = ""
