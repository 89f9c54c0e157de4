"""What flows through Cinegraph: frozen, typed records without behaviour beyond their own words.

A page object makes :class:`Nomination` records, a spider gathers them in one :class:`Edition`, matching turns a
:class:`FilmQuery` and :class:`Candidate` records into a :class:`Match`, and every call leaves one :class:`Measurement`.
Years are calendar years (int), runtimes are minutes (int), times are aware UTC ``datetime``.
"""

from __future__ import annotations

from cinegraph_core.records.festivals import Edition, Film, Nomination, Page, Person, Statement
from cinegraph_core.records.matches import Candidate, Explanation, FilmQuery, LevelTried, Match, ScoredCandidate, Weighed
from cinegraph_core.records.measurements import Measurement
from cinegraph_core.records.words import (
    Control,
    FilmKind,
    MatchStatus,
    MeasurementKind,
    Mode,
    PageOutcome,
    PersonKind,
    Provenance,
    ReviewReason,
)

__all__ = [
    "Candidate",
    "Control",
    "Edition",
    "Explanation",
    "Film",
    "FilmKind",
    "FilmQuery",
    "LevelTried",
    "Match",
    "MatchStatus",
    "Measurement",
    "MeasurementKind",
    "Mode",
    "Nomination",
    "Page",
    "PageOutcome",
    "Person",
    "PersonKind",
    "Provenance",
    "ReviewReason",
    "ScoredCandidate",
    "Statement",
    "Weighed",
]
