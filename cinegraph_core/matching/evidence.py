"""The one function that judges every candidate: how probable is it that this is the film that was asked for.

Each signal speaks with a log likelihood ratio; :func:`judge` adds them up, candidate by candidate, and lets the candidates
and "none of them" share the probability. Thus a second film of the same title and year halves the score of the first, a
new candidate can only lower the others, and their order does not matter. No I/O, no clock, no state.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cinegraph_core.matching.likeness import NORMALISED, best_agreement, directors_agree, same_person
from cinegraph_core.matching.years import FAR_YEARS, meaning_of, year_evidence, years_off
from cinegraph_core.records import Candidate, FilmQuery

VERSION = "hand-1"
"""Names the weights below, so that stored scores say which weights made them."""

_PRIOR = -3.5
# Title agreement to log likelihood ratio, linear in between.
_TITLE = ((0.0, -8.0), (0.6, -5.0), (0.7, -3.0), (0.8, -1.0), (0.9, 0.6), (0.95, 3.0), (0.98, 3.6), (1.0, 4.0))
_SAME_DIRECTOR, _LIKE_DIRECTOR, _OTHER_DIRECTOR = 6.0, -0.5, -6.0
_ALIKE_NAME = 0.7
_SAME_IMDB, _OTHER_IMDB = 16.0, -8.0
_SERIES, _OTHER_LENGTH_OF_FILM = -6.0, -2.0
_SAME_RUNTIME, _OTHER_RUNTIME = 1.0, -2.0
# So little that of two films equal in all else the famous one leads by less than the margin: a tie stays a question.
_POPULARITY_SHARE, _POPULARITY_MOST = 0.15, 0.3
UNLIKE = 0.6
"""Titles below this have nothing to do with each other."""
LEAST_LIKE = 0.7
"""A candidate whose best title is less like the query's is never accepted, whatever else agrees."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against one candidate.

    ``parts`` are log likelihood ratios by signal, ``score`` the probability (0–1), ``title`` the best agreement (0–1);
    ``contradictions`` are reasons never to accept it, in words; ``why`` says everything in plain words.
    """

    candidate: Candidate
    parts: Mapping[str, float]
    score: float
    title: float
    why: tuple[str, ...]
    contradictions: tuple[str, ...] = ()
    same_imdb_id: bool = False
    confirmed: bool = False
    """Whether the IMDb id asked for is the candidate's own (``same_imdb_id``), and nothing makes that id doubtful."""


@dataclass(frozen=True, slots=True)
class _Signal:
    name: str
    weight: float
    why: str = ""
    contradicts: bool = False


def titles_of(candidate: Candidate) -> tuple[str, ...]:
    """Return every title the candidate is known by, its own first."""
    return (candidate.title, *((candidate.original_title,) if candidate.original_title else ()), *candidate.titles)


def printed_titles(query: FilmQuery) -> tuple[str, ...]:
    """Return the titles the query gives, without empty ones."""
    return tuple(title for title in (query.title, query.original_title) if title and title.strip())


def title_agreement(query: FilmQuery, candidate: Candidate) -> tuple[float, str]:
    """Return the best agreement of any title asked for with any title known, and the known one."""
    return max((best_agreement(title, titles_of(candidate)) for title in printed_titles(query)), default=(0.0, ""))


def judge(query: FilmQuery, candidates: Iterable[Candidate]) -> tuple[Evidence, ...]:
    """Return the evidence for each candidate, the most probable first (equal ones by id).

    The scores of all candidates and of "none of them" add up to 1.
    """
    weighed = [(candidate, _signals(query, candidate)) for candidate in candidates]
    totals = [_PRIOR + sum(signal.weight for signal in signals) for _, signals in weighed]
    highest = max([0.0, *totals])
    none_of_them = math.exp(-highest)
    whole = none_of_them + math.fsum(math.exp(total - highest) for total in totals)
    judged = [
        Evidence(
            candidate=candidate,
            parts={signal.name: signal.weight for signal in signals},
            score=math.exp(total - highest) / whole,
            title=title_agreement(query, candidate)[0],
            why=tuple(signal.why for signal in signals if signal.why),
            contradictions=_contradictions(query, candidate, signals),
            same_imdb_id=_same_imdb_id(query, candidate),
            confirmed=confirmed(query, candidate),
        )
        for (candidate, signals), total in zip(weighed, totals, strict=True)
    ]
    return tuple(sorted(judged, key=lambda evidence: (-evidence.score, evidence.candidate.tmdb_id)))


def _contradictions(query: FilmQuery, candidate: Candidate, signals: tuple[_Signal, ...]) -> tuple[str, ...]:
    """Return why the candidate must not be accepted; beside its own IMDb id a year or a name is no objection."""
    settled = frozenset({"year", "directors", "runtime"}) if confirmed(query, candidate) else frozenset()
    return tuple(signal.why for signal in signals if signal.contradicts and signal.name not in settled)


def _signals(query: FilmQuery, candidate: Candidate) -> tuple[_Signal, ...]:
    return (
        _title(query, candidate),
        _year(query, candidate),
        _directors(query, candidate),
        _runtime(query, candidate),
        _imdb_id(query, candidate),
        _kind(query, candidate),
        _popularity(candidate),
    )


def _title(query: FilmQuery, candidate: Candidate) -> _Signal:
    if not printed_titles(query):
        return _Signal("title", 0.0, "no title was given")
    likeness, which = title_agreement(query, candidate)
    words = "same title" if likeness >= NORMALISED else "similar title" if likeness >= LEAST_LIKE else "another title"
    return _Signal("title", _interpolated(likeness), f"{words}: {which}" if which else words)


def _interpolated(likeness: float) -> float:
    at = min(bisect_right([point for point, _ in _TITLE], likeness), len(_TITLE) - 1)
    (left, low), (right, high) = _TITLE[at - 1], _TITLE[at]
    return low + (high - low) * (likeness - left) / (right - left)


def _year(query: FilmQuery, candidate: Candidate) -> _Signal:
    weight = year_evidence(query, candidate.year)
    if query.year is None or candidate.year is None:
        return _Signal("year", weight, "year unknown" if query.year is not None else "")
    off, difference = years_off(query, candidate.year) or 0, candidate.year - query.year
    if off >= FAR_YEARS:
        return _Signal("year", weight, f"{abs(difference)} years off", contradicts=True)
    meant = meaning_of(query).name
    return _Signal("year", weight, "same year" if difference == 0 else f"year {difference:+d} from {query.year}, {meant}")


def _directors(query: FilmQuery, candidate: Candidate) -> _Signal:
    likeness = directors_agree(query.directors, candidate.directors)
    if likeness is None:
        return _Signal("directors", 0.0)
    names = ", ".join(candidate.directors)
    if same_person(likeness):
        return _Signal("directors", _SAME_DIRECTOR, f"same director: {names}")
    if likeness >= _ALIKE_NAME:
        return _Signal("directors", _LIKE_DIRECTOR, f"director of a similar name: {names}")
    return _Signal("directors", _OTHER_DIRECTOR, f"another director: {names}", contradicts=True)


def _runtime(query: FilmQuery, candidate: Candidate) -> _Signal:
    if not query.runtime_minutes or not candidate.runtime_minutes:
        return _Signal("runtime", 0.0)
    longer, shorter = sorted((query.runtime_minutes, candidate.runtime_minutes), reverse=True)
    share = (longer - shorter) / longer
    if share <= 0.04:
        return _Signal("runtime", _SAME_RUNTIME, f"same length: {candidate.runtime_minutes} min")
    if share <= 0.25:
        return _Signal("runtime", 0.0)
    certain = same_person(directors_agree(query.directors, candidate.directors) or 0.0)
    return _Signal("runtime", _OTHER_RUNTIME, f"another length: {candidate.runtime_minutes} min", contradicts=not certain)


def _imdb_id(query: FilmQuery, candidate: Candidate) -> _Signal:
    if not query.imdb_id or not candidate.imdb_id:
        return _Signal("imdb_id", 0.0)
    if query.imdb_id != candidate.imdb_id:
        return _Signal("imdb_id", _OTHER_IMDB, f"carries another IMDb id: {candidate.imdb_id}", contradicts=True)
    if _mislabelled(query, candidate):
        return _Signal("imdb_id", 0.0, f"same IMDb id {candidate.imdb_id}, but nothing else fits", contradicts=True)
    return _Signal("imdb_id", _SAME_IMDB, f"same IMDb id: {candidate.imdb_id}")


def confirmed(query: FilmQuery, candidate: Candidate) -> bool:
    """Whether the candidate carries the IMDb id asked for, and is not so different that the id must be doubted."""
    return _same_imdb_id(query, candidate) and not _mislabelled(query, candidate)


def _same_imdb_id(query: FilmQuery, candidate: Candidate) -> bool:
    return query.imdb_id is not None and query.imdb_id == candidate.imdb_id


def _mislabelled(query: FilmQuery, candidate: Candidate) -> bool:
    """Whether an IMDb id leads to a film so different that the id itself must be doubted."""
    if not printed_titles(query) or title_agreement(query, candidate)[0] >= UNLIKE:
        return False
    likeness = directors_agree(query.directors, candidate.directors)
    return (years_off(query, candidate.year) or 0) >= 2 or (likeness is not None and not same_person(likeness))


def _kind(query: FilmQuery, candidate: Candidate) -> _Signal:
    if candidate.kind in ("series", "episode") and query.kind not in ("series", "episode"):
        return _Signal("kind", _SERIES, "a series, not a film", contradicts=True)
    if {query.kind, candidate.kind} == {"movie", "short"}:
        return _Signal("kind", _OTHER_LENGTH_OF_FILM, "a short film" if candidate.kind == "short" else "a feature film")
    return _Signal("kind", 0.0)


def _popularity(candidate: Candidate) -> _Signal:
    weight = _POPULARITY_SHARE * (math.log1p(max(0.0, candidate.popularity)) - 1)
    return _Signal("popularity", max(-_POPULARITY_MOST, min(_POPULARITY_MOST, weight)))


def exactly(query: FilmQuery, candidate: Candidate) -> bool:
    """Whether a title asked for and one known are the same string, but for case."""
    asked = {title.strip().casefold() for title in printed_titles(query)}
    return any(title.strip().casefold() in asked for title in titles_of(candidate))
