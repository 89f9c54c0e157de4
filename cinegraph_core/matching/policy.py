"""What to do with judged candidates: accept one, ask a person, or say that the film is not there; and on which level."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cinegraph_core.contracts import Matcher
from cinegraph_core.matching.evidence import LEAST_LIKE, Evidence, exactly
from cinegraph_core.matching.likeness import FUZZY, NORMALISED
from cinegraph_core.matching.years import given_year, likely_year, years_off
from cinegraph_core.records import FilmQuery, MatchStatus, ReviewReason
from cinegraph_core.settings import MatchingSettings

_WORTH_A_LOOK = 0.01
_ABOUT, _FAR_BETTER = 2, 1.0
"""Years up to which two films of one title may be confused; popularity by which one is far better known."""
_HALF_LIKE, _CERTAIN = 0.5, 0.95
"""A director makes up for half a title where the score leaves no doubt."""
_WHOLE_TITLE = 0.965
"""Agreement of a whole title, or of one of the two printed; a lost article, joined words or a slip of the pen are below."""
_TIE_SHARE = 0.25
MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one query: ``winner`` and ``level`` come with ``matched``, ``reason`` with ``review``."""

    status: MatchStatus
    reason: ReviewReason | None = None
    winner: Evidence | None = None
    level: Matcher | None = None
    shown: tuple[Evidence, ...] = ()


def _same_year(query: FilmQuery, evidence: Evidence) -> bool:
    year = evidence.candidate.year
    return year is not None and year in (given_year(query), likely_year(query))


def _near_year(query: FilmQuery, evidence: Evidence) -> bool:
    off = years_off(query, evidence.candidate.year)
    return off is not None and off <= 1


# What each level is named for; a film that fits none of the narrower ones was found by a broad search.
_RULES: Mapping[str, Callable[[FilmQuery, Evidence], bool]] = {
    "direct_imdb": lambda _, evidence: evidence.confirmed,
    "exact_title_year": lambda query, evidence: exactly(query, evidence.candidate) and _same_year(query, evidence),
    "normalized_title": lambda query, evidence: evidence.title >= NORMALISED and _same_year(query, evidence),
    "year_tolerant": lambda query, evidence: evidence.title >= NORMALISED and _near_year(query, evidence),
    "fuzzy_title": lambda _, evidence: evidence.title >= FUZZY,
    "broad_search": lambda _query, _evidence: True,
}


def level_of(query: FilmQuery, evidence: Evidence, matchers: Sequence[Matcher]) -> Matcher | None:
    """Return the lowest level whose own rule the film satisfies, ``None`` if the level that it needs is not installed."""
    fitting = (matcher for matcher in matchers if matcher.strategy in _RULES and _RULES[matcher.strategy](query, evidence))
    return min(fitting, key=lambda matcher: matcher.level, default=None)


def acceptable(judged: Sequence[Evidence], settings: MatchingSettings) -> bool:
    """Whether the first of the judged candidates is verified, probable, clearly ahead and not contradicted."""
    if not judged:
        return False
    best = judged[0]
    lead = best.score - (judged[1].score if len(judged) > 1 else 0.0)
    return (
        best.candidate.detailed
        and not best.contradictions
        and _corroborated(best)
        and not _rivalled(best, judged[1:])
        and best.score >= settings.accept_score
        and lead >= settings.margin
    )


def _corroborated(evidence: Evidence) -> bool:
    """Whether more than a title speaks for the film: its id, its director, or else the year together with the whole title."""
    if evidence.confirmed:
        return True
    if evidence.same_director:
        return evidence.title >= LEAST_LIKE or (evidence.title >= _HALF_LIKE and evidence.score >= _CERTAIN)
    return evidence.year_agrees and evidence.title >= _WHOLE_TITLE


def _rivalled(best: Evidence, others: Sequence[Evidence]) -> bool:
    """Whether another film may be meant, for a reason that the scores do not show."""
    return _part_of_serial(best, others) or _outshone(best, others)


def _part_of_serial(best: Evidence, others: Sequence[Evidence]) -> bool:
    """Whether another film of a nearer year has a title that continues the one asked for, as a serial's next part has."""
    off = best.years_off or 0
    if best.confirmed or off <= (1 if best.title >= _WHOLE_TITLE else 0):
        return False
    return any(other.continues and other.years_off is not None and other.years_off < off for other in others)


def _outshone(best: Evidence, others: Sequence[Evidence]) -> bool:
    """Whether, with no director to decide, a film of the same title and about the same year is known far better.

    Popularity never answers a question; it may raise one.
    """
    if best.confirmed or best.same_director:
        return False
    known = best.candidate.popularity + _FAR_BETTER
    return any(rival.candidate.popularity > known for rival in others if _about_as_near(rival))


def _about_as_near(rival: Evidence) -> bool:
    near = rival.years_off is not None and rival.years_off <= _ABOUT
    return near and rival.title >= NORMALISED and not rival.contradictions


def tied(judged: Sequence[Evidence]) -> bool:
    """Whether two or more verified candidates fit equally well, so that only a person can tell them apart."""
    return (
        len(judged) > 1
        and judged[1].score >= _TIE_SHARE * judged[0].score
        and all(_exchangeable(one) for one in judged[:2])
        and judged[0].score + judged[1].score >= 0.5
    )


def _exchangeable(evidence: Evidence) -> bool:
    fits = evidence.title >= NORMALISED and evidence.year_agrees and not evidence.contradictions
    return fits and evidence.candidate.detailed


def decide(query: FilmQuery, judged: Sequence[Evidence], matchers: Sequence[Matcher], settings: MatchingSettings) -> Decision:
    """Return what becomes of the query; ``judged`` are all its candidates, the most probable first."""
    alike = tuple(evidence for evidence in judged if _alike(evidence))
    if not alike:
        return Decision("not_found")
    shown = alike[:MOST_CANDIDATES]
    if not acceptable(judged, settings):
        return Decision("review", reason=_reason(alike), shown=shown)
    level = level_of(query, judged[0], matchers)
    if level is None or level.level > settings.max_fallback_level or level.confidence < settings.min_confidence:
        return Decision("review", reason="low_score", shown=shown)
    return Decision("matched", winner=judged[0], level=level, shown=shown)


def _alike(evidence: Evidence) -> bool:
    """Whether a person would want to see the candidate: probable, or of the same title with one objection at most."""
    same_title = evidence.title >= FUZZY and len(evidence.contradictions) <= 1
    return evidence.score >= _WORTH_A_LOOK or evidence.same_imdb_id or same_title


def _reason(alike: Sequence[Evidence]) -> ReviewReason:
    best = alike[0]
    if best.contradictions:
        return "contradiction"
    close = len(alike) > 1 and alike[1].score >= _TIE_SHARE * best.score
    return "ambiguous" if close or _rivalled(best, alike[1:]) else "low_score"
