"""The one function that judges every candidate: how probable is it that this is the film that was asked for.

Each signal speaks with a log likelihood ratio; :func:`judge` adds them up, candidate by candidate, and lets the candidates
and "none of them" share the probability. Thus a second film of the same title and year halves the score of the first, a
new candidate can only lower the others, and their order does not matter. No I/O, no clock, no state.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cinegraph_core.matching.signals import (
    LEAST_LIKE,
    UNLIKE,
    Compared,
    Signal,
    compare,
    printed_titles,
    signals,
    title_agreement,
    titles_of,
)
from cinegraph_core.matching.weights import Weights, weights
from cinegraph_core.matching.years import years_off
from cinegraph_core.records import Candidate, FilmQuery

__all__ = ["LEAST_LIKE", "UNLIKE", "Evidence", "exactly", "judge", "measured", "title_agreement", "version"]


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
    same_director: bool = False
    year_agrees: bool = False
    years_off: int | None = None
    continues: bool = False
    """Whether its title begins with the one asked for and goes on."""
    confirmed: bool = False
    """Whether the IMDb id asked for is the candidate's own (``same_imdb_id``), and nothing makes that id doubtful."""


def version() -> str:
    """Name the weights in use, so that stored scores say which weights made them."""
    return weights().version


def judge(query: FilmQuery, candidates: Iterable[Candidate], by: Weights | None = None) -> tuple[Evidence, ...]:
    """Return the evidence for each candidate, the most probable first (equal ones by id).

    The scores of all candidates and of "none of them" add up to 1. ``by`` are other weights than those of the package.
    """
    by = by or weights()
    weighed = [(compared, found, _parts(found, by)) for compared, found in _compared(query, candidates)]
    totals = [by.of("prior") + math.fsum(parts.values()) for _, _, parts in weighed]
    highest = max([0.0, *totals])
    whole = math.exp(-highest) + math.fsum(math.exp(total - highest) for total in totals)
    judged = [
        Evidence(
            candidate=compared.candidate,
            parts=parts,
            score=math.exp(total - highest) / whole,
            title=compared.title,
            why=tuple(signal.why for signal in found if signal.why),
            contradictions=_contradictions(compared, found),
            same_imdb_id=compared.same_imdb_id,
            same_director=compared.same_director,
            year_agrees=compared.year_agrees,
            years_off=years_off(query, compared.candidate.year),
            continues=compared.continues,
            confirmed=compared.confirmed,
        )
        for (compared, found, parts), total in zip(weighed, totals, strict=True)
    ]
    return tuple(sorted(judged, key=lambda evidence: (-evidence.score, evidence.candidate.tmdb_id)))


def measured(query: FilmQuery, candidates: Iterable[Candidate]) -> list[dict[str, float]]:
    """Return each candidate's features by name, in the order given: what weights are fitted on."""
    return [
        {"prior": 1.0, **{name: value for signal in found for name, value in signal.features.items()}}
        for _, found in _compared(query, candidates)
    ]


def _compared(query: FilmQuery, candidates: Iterable[Candidate]) -> list[tuple[Compared, tuple[Signal, ...]]]:
    pairs = [compare(query, candidate) for candidate in candidates]
    namesakes = max(0, sum(pair.same_title for pair in pairs) - 1)
    return [(pair, signals(pair, namesakes)) for pair in pairs]


def _parts(found: Iterable[Signal], by: Weights) -> dict[str, float]:
    return {signal.name: math.fsum(by.of(name) * value for name, value in signal.features.items()) for signal in found}


def _contradictions(compared: Compared, found: tuple[Signal, ...]) -> tuple[str, ...]:
    """Return why the candidate must not be accepted; if it has the IMDb id asked for, a year or a name is no objection."""
    settled = frozenset({"year", "directors", "runtime"}) if compared.confirmed else frozenset()
    return tuple(signal.why for signal in found if signal.contradicts and signal.name not in settled)


def exactly(query: FilmQuery, candidate: Candidate) -> bool:
    """Whether a title asked for and one known are the same string, but for case."""
    asked = {title.strip().casefold() for title in printed_titles(query)}
    return any(title.strip().casefold() in asked for title in titles_of(candidate))
