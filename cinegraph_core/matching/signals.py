"""The signals that speak for or against one candidate: features by name, weighed elsewhere, and words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from cinegraph_core.matching.likeness import NORMALISED, best_agreement, directors_agree, same_person
from cinegraph_core.matching.titles import without_article, words
from cinegraph_core.matching.years import FAR_YEARS, given_year, meaning_of, year_evidence, years_off
from cinegraph_core.records import Candidate, FilmQuery

UNLIKE = 0.6
"""Titles below this have nothing to do with each other."""
LEAST_LIKE = 0.6
"""A candidate whose best title is less like the query's is never accepted, whatever else agrees."""
ALIKE_NAME = 0.7
"""From here on two names may be one person's, misspelt."""

# Between these agreements the title's weight grows linearly.
_KNOTS = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
_SHORT = 12  # letters; the fewer a title has, the more films bear it
_FAMOUS = 3.0
_SAME_LENGTH, _OTHER_LENGTH = 0.04, 0.25


@dataclass(frozen=True, slots=True)
class Signal:
    """What one field says: features to be weighed, in plain words, and whether it forbids the candidate."""

    name: str
    features: Mapping[str, float] = field(default_factory=dict)
    why: str = ""
    contradicts: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A query beside one candidate: what several signals want to know.

    ``title`` is the best agreement (0–1) and ``which`` the known title that has it; ``names`` how alike the directors are,
    ``None`` where either side names none.
    """

    query: FilmQuery
    candidate: Candidate
    title: float
    which: str
    names: float | None

    @property
    def same_title(self) -> bool:
        """Whether the candidate bears the title asked for."""
        return self.title >= NORMALISED

    @property
    def same_director(self) -> bool:
        """Whether a director agrees, which no namesake's does."""
        return self.names is not None and same_person(self.names)

    @property
    def year_agrees(self) -> bool:
        """Whether both years are known and the film's speaks for it."""
        return year_evidence(self.query, self.candidate.year) > 0

    @property
    def continues(self) -> bool:
        """Whether a title of the candidate continues the one asked for, as those of a serial's parts do."""
        asked = [without_article(words(title)) for title in printed_titles(self.query)]
        known = [without_article(words(title)) for title in titles_of(self.candidate)]
        return any(len(long) > len(short) and long[: len(short)] == short for short in asked for long in known)

    @property
    def same_imdb_id(self) -> bool:
        """Whether the candidate carries the IMDb id asked for."""
        return self.query.imdb_id is not None and self.query.imdb_id == self.candidate.imdb_id

    @property
    def mislabelled(self) -> bool:
        """Whether the film is so different that an IMDb id which leads to it must be doubted."""
        if not printed_titles(self.query) or self.title >= UNLIKE:
            return False
        return (years_off(self.query, self.candidate.year) or 0) >= 2 or (self.names is not None and not self.same_director)

    @property
    def confirmed(self) -> bool:
        """Whether the candidate carries the IMDb id asked for, and nothing makes that id doubtful."""
        return self.same_imdb_id and not self.mislabelled


def titles_of(candidate: Candidate) -> tuple[str, ...]:
    """Return every title the candidate is known by, its own first."""
    return (candidate.title, *((candidate.original_title,) if candidate.original_title else ()), *candidate.titles)


def printed_titles(query: FilmQuery) -> tuple[str, ...]:
    """Return the titles the query gives, without empty ones."""
    return tuple(title for title in (query.title, query.original_title) if title and title.strip())


def title_agreement(query: FilmQuery, candidate: Candidate) -> tuple[float, str]:
    """Return the best agreement of any title asked for with any title known, and the known one."""
    return max((best_agreement(title, titles_of(candidate)) for title in printed_titles(query)), default=(0.0, ""))


def compare(query: FilmQuery, candidate: Candidate) -> Compared:
    """Return the query beside a candidate."""
    likeness, which = title_agreement(query, candidate)
    return Compared(query, candidate, likeness, which, directors_agree(query.directors, candidate.directors))


def signals(compared: Compared, namesakes: int) -> tuple[Signal, ...]:
    """Return all that speaks for or against a candidate; ``namesakes`` counts films beyond the first of the title asked for."""
    return (
        _title(compared),
        _year(compared.query, compared.candidate),
        _directors(compared),
        _runtime(compared),
        _imdb_id(compared),
        _kind(compared.query, compared.candidate),
        _rivals(compared, namesakes),
    )


def _title(compared: Compared) -> Signal:
    if not printed_titles(compared.query):
        return Signal("title", why="no title was given")
    likeness, which = compared.title, compared.which
    features = {"title_unlike": 1.0}
    for low, high in pairwise(_KNOTS):
        features[f"title_to_{round(100 * high)}"] = min(1.0, max(0.0, (likeness - low) / (high - low)))
    if not compared.same_director:
        features["title_short"] = max(0.0, 1 - len("".join(words(which))) / _SHORT)
    saying = "same title" if compared.same_title else "similar title" if likeness >= LEAST_LIKE else "another title"
    return Signal("title", features, f"{saying}: {which}" if which else saying)


def _year(query: FilmQuery, candidate: Candidate) -> Signal:
    given = given_year(query)
    if given is None:
        return Signal("year", {"year_not_asked": 1.0})
    if candidate.year is None:
        return Signal("year", {"year_unknown": 1.0}, "year unknown")
    features = {"year": year_evidence(query, candidate.year)}
    off, difference = years_off(query, candidate.year) or 0, candidate.year - given
    if off >= FAR_YEARS:
        return Signal("year", features, f"{abs(difference)} years off", contradicts=True)
    meant = meaning_of(query).name
    return Signal("year", features, "same year" if difference == 0 else f"year {difference:+d} from {given}, {meant}")


def _directors(compared: Compared) -> Signal:
    if not compared.query.directors:
        return Signal("directors", {"directors_not_asked": 1.0})
    if compared.names is None:
        listed_none = compared.candidate.detailed
        return (
            Signal("directors", {"directors_none_listed": 1.0}, "no director is on record")
            if listed_none
            else Signal("directors")
        )
    names = ", ".join(compared.candidate.directors)
    if compared.same_director:
        return Signal("directors", {"directors_same": 1.0}, f"same director: {names}")
    if compared.names >= ALIKE_NAME:
        return Signal("directors", {"directors_alike": 1.0}, f"director of a similar name: {names}")
    return Signal("directors", {"directors_other": 1.0}, f"another director: {names}", contradicts=True)


def _runtime(compared: Compared) -> Signal:
    asked, known = compared.query.runtime_minutes, compared.candidate.runtime_minutes
    if not asked or not known:
        return Signal("runtime")
    share = abs(asked - known) / max(asked, known)
    if share <= _SAME_LENGTH:
        return Signal("runtime", {"runtime_same": 1.0}, f"same length: {known} min")
    if share <= _OTHER_LENGTH:
        return Signal("runtime")
    return Signal("runtime", {"runtime_other": 1.0}, f"another length: {known} min", contradicts=not compared.same_director)


def _imdb_id(compared: Compared) -> Signal:
    asked, known = compared.query.imdb_id, compared.candidate.imdb_id
    if not asked or not known:
        return Signal("imdb_id")
    if asked != known:
        return Signal("imdb_id", {"imdb_id_other": 1.0}, f"carries another IMDb id: {known}", contradicts=True)
    if compared.mislabelled:
        return Signal("imdb_id", why=f"same IMDb id {known}, but nothing else fits", contradicts=True)
    return Signal("imdb_id", {"imdb_id_same": 1.0}, f"same IMDb id: {known}")


def _kind(query: FilmQuery, candidate: Candidate) -> Signal:
    if candidate.kind in ("series", "episode") and query.kind not in ("series", "episode"):
        return Signal("kind", {"kind_series": 1.0}, "a series, not a film", contradicts=True)
    if {query.kind, candidate.kind} == {"movie", "short"}:
        return Signal("kind", {"kind_other_length": 1.0}, "a short film" if candidate.kind == "short" else "a feature film")
    return Signal("kind")


def _rivals(compared: Compared, namesakes: int) -> Signal:
    """How many films bear the title (one more may, unfound) and, unless a director settles it, how known this one is."""
    features = {"namesakes": math.log1p(namesakes)}
    if not compared.same_director:
        features["popularity"] = min(_FAMOUS, math.log1p(max(0.0, compared.candidate.popularity)))
    return Signal("rivals", features)
