"""The cascade: levels in order propose candidates, one evidence function judges them all, one policy decides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from cinegraph_core.contracts import Catalogue, Clock, Matcher
from cinegraph_core.errors import NotFoundError, PageError, ServiceError, UnknownError, classify
from cinegraph_core.matching.evidence import LEAST_LIKE, Evidence, judge
from cinegraph_core.matching.likeness import NORMALISED
from cinegraph_core.matching.lookup import Door, Lookup
from cinegraph_core.matching.policy import Decision, acceptable, decide, tied
from cinegraph_core.matching.years import years_off
from cinegraph_core.records import Candidate, FilmQuery, Match, Measurement, Provenance, ScoredCandidate
from cinegraph_core.settings import MatchingSettings

MOST_DETAILS = 3
"""How many candidates of one lookup are verified at most, and one more if a director's filmography named it; the right
film is hardly ever a later one."""
MOST_SUGGESTED = 2
"""How many suggestions of the local catalogue are verified at most before something is searched for."""
_COULD_WIN = 0.002

_Failure = ServiceError | PageError
log = logging.getLogger(__name__)


class Recorder(Protocol):
    """What the cascade needs of the tracker."""

    def record(self, measurement: Measurement) -> None:
        """Take one row; never raises, never waits."""
        ...


class Cascade:
    """Finds the film a query means, or says honestly why not.

    A level runs if its number is at most ``max_fallback_level`` and its confidence at least ``min_confidence``, whatever
    other levels are installed or applicable. ``catalogue`` is the local one, if there is one.
    """

    def __init__(
        self,
        matchers: Sequence[Matcher],
        settings: MatchingSettings,
        services: Door,
        tracker: Recorder,
        clock: Clock,
        *,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._matchers = tuple(sorted(matchers, key=lambda matcher: (matcher.level, matcher.name)))
        self._settings = settings
        self._services = services
        self._tracker = tracker
        self._clock = clock
        self._catalogue = catalogue
        self._levels = tuple(
            matcher
            for matcher in self._matchers
            if matcher.level <= settings.max_fallback_level and matcher.confidence >= settings.min_confidence
        )

    async def match(self, query: FilmQuery, *, explain: bool = False) -> Match:
        """Return the answer to a query, with its explanation if that is wanted.

        Whatever keeps a level from answering, be it a service or a fault of its plugin, makes the answer ``error``: only
        complete answers can say ``not_found``.
        """
        lookup, started = Lookup(query, self._services, self._catalogue), self._clock.monotonic()
        try:
            await self._search(lookup)
        except (ServiceError, PageError) as error:
            match = _failed(lookup, error)
        else:
            match = _answer(lookup, decide(query, lookup.judged, self._matchers, self._settings))
        self._record_lookup(lookup, started, match)
        return replace(match, explanation=lookup.trail.explanation(lookup.judged)) if explain else match

    async def film(self, tmdb_id: int) -> tuple[Candidate | None, Provenance]:
        """Return what the catalogue tells of one film, ``None`` if it has none of this id, and where that answer came from.

        Raises :class:`UnknownError` if no matcher can tell, any other :class:`ServiceError` if the catalogue cannot be asked.
        """
        verify = next((matcher.verify for matcher in self._matchers if matcher.verify is not None), None)
        if verify is None:
            raise UnknownError("no matcher is installed that can look a film up; see `cinegraph plugins`")
        lookup = Lookup(FilmQuery(str(tmdb_id), title=""), self._services)
        try:
            return await verify(Candidate(tmdb_id, title=""), lookup), lookup.provenance
        except NotFoundError:
            return None, lookup.provenance

    async def _search(self, lookup: Lookup) -> None:
        """Run the levels until one film can be accepted or a tie shows that no further search will tell."""
        if not self._levels:
            raise UnknownError("no level of matching is installed and allowed; see `cinegraph plugins` and the matching settings")
        for matcher in self._levels:
            started, sent = self._clock.monotonic(), lookup.requests_sent
            try:
                accepted = await self._suggested(lookup, matcher) or await self._proposed(lookup, matcher)
            except Exception as error:
                failure = _classified(error, matcher)
                lookup.trail.end_level(matcher, lookup.pool, api_calls=lookup.requests_sent - sent, accepted=False)
                self._record_level(lookup, matcher, started, failure=failure)
                raise failure from error
            lookup.trail.end_level(matcher, lookup.pool, api_calls=lookup.requests_sent - sent, accepted=accepted)
            if lookup.requests_sent > sent or accepted:
                self._record_level(lookup, matcher, started, score=lookup.judged[0].score if accepted else None)
            if accepted or tied(lookup.judged):
                break

    async def _suggested(self, lookup: Lookup, matcher: Matcher) -> bool:
        """Whether the local catalogue alone brings the film, with no doubt that a hidden namesake may be meant."""
        if matcher.suggest is None or lookup.catalogue is None:
            return False
        if lookup.add(await matcher.suggest(lookup.query, lookup)):
            await self._verify(lookup, matcher, most=MOST_SUGGESTED)
            lookup.details = 0  # details fetched for suggestions do not count against those a search may need
        return acceptable(lookup.judged, self._settings) and _beyond_doubt(lookup.judged[0])

    async def _proposed(self, lookup: Lookup, matcher: Matcher) -> bool:
        if lookup.add(await matcher.propose(lookup.query, lookup)):
            await self._verify(lookup, matcher, most=MOST_DETAILS)
        return acceptable(lookup.judged, self._settings)

    async def _verify(self, lookup: Lookup, matcher: Matcher, *, most: int) -> None:
        """Judge the pool, fetching details of those that could win, the likeliest first, until that changes nothing."""
        lookup.judged = judge(lookup.query, lookup.pool)
        while matcher.verify is not None and not acceptable(lookup.judged, self._settings):
            judged = lookup.judged
            contender = next((evidence.candidate for evidence in judged if _could_win(lookup.query, evidence, judged)), None)
            if contender is None or lookup.details >= most + bool(contender.directors):
                break
            lookup.details += 1
            try:
                lookup.add([await matcher.verify(contender, lookup)])
            except NotFoundError:
                lookup.drop(contender)
            lookup.judged = judge(lookup.query, lookup.pool)

    def _record_level(
        self, lookup: Lookup, matcher: Matcher, started: float, *, score: float | None = None, failure: _Failure | None = None
    ) -> None:
        self._tracker.record(
            Measurement(
                source=lookup.source,
                operation=f"fallback_{matcher.strategy}",
                target_identifier=lookup.target,
                success=score is not None,
                inserted_at=datetime.fromtimestamp(self._clock.now(), UTC),
                kind="level",
                provenance=lookup.provenance,
                response_time_ms=1000 * (self._clock.monotonic() - started),
                confidence_score=score,
                fallback_level=matcher.level,
                error_type=failure.error_type if failure else None,
                error_message=str(failure) if failure else None,
            )
        )

    def _record_lookup(self, lookup: Lookup, started: float, match: Match) -> None:
        self._tracker.record(
            Measurement(
                source=lookup.source,
                operation="lookup",
                target_identifier=lookup.target,
                success=match.status == "matched",
                inserted_at=datetime.fromtimestamp(self._clock.now(), UTC),
                kind="lookup",
                provenance=match.provenance,
                response_time_ms=1000 * (self._clock.monotonic() - started),
                confidence_score=match.score,
                fallback_level=match.level,
                error_type=match.error_type,
                error_message=match.error_message,
                metadata={"status": match.status},
            )
        )


def _classified(error: Exception, matcher: Matcher) -> _Failure:
    """Return the error as one of ours; one that is not ours is a fault of the plugin and is logged whole."""
    failure = classify(error)
    if failure is not error:
        log.error("the matcher %s broke", matcher.name, exc_info=error)
    return failure


def _beyond_doubt(evidence: Evidence) -> bool:
    """Whether a film cannot be a namesake of the one meant: its id is the one given, or its director and year are.

    The director alone is not enough: some have made a film of theirs again, or cut it anew a year later, and the other may
    be listed under a title in another language.
    """
    return evidence.confirmed or (evidence.same_director and evidence.years_off == 0)


def _could_win(query: FilmQuery, evidence: Evidence, judged: Sequence[Evidence]) -> bool:
    """Whether details may make this candidate the winner: it is probable, or they may show the title that its hit lacks."""
    if evidence.candidate.detailed:
        return False
    if evidence.same_imdb_id or evidence.contradictions:
        return evidence.same_imdb_id
    if evidence.title >= LEAST_LIKE:
        return evidence.score >= _COULD_WIN
    better = any(other.title >= NORMALISED and not other.contradictions for other in judged)
    return not better and (years_off(query, evidence.candidate.year) or 0) <= 1


def _failed(lookup: Lookup, error: _Failure) -> Match:
    return Match(
        id=lookup.query.id,
        status="error",
        api_calls=lookup.requests_sent,
        error_type=error.error_type,
        error_message=str(error),
        retry_after=getattr(error, "retry_after", None),
        provenance=lookup.provenance,
        parked_until=getattr(error, "parked_until", None),
        service=getattr(error, "service", ""),
    )


def _answer(lookup: Lookup, decision: Decision) -> Match:
    winner, level = decision.winner, decision.level
    return Match(
        id=lookup.query.id,
        status=decision.status,
        tmdb_id=winner.candidate.tmdb_id if winner else None,
        imdb_id=winner.candidate.imdb_id if winner else None,
        confidence=level.confidence if level else None,
        score=winner.score if winner else None,
        level=level.level if level else None,
        strategy=level.strategy if level else None,
        api_calls=lookup.requests_sent,
        reason=decision.reason,
        candidates=tuple(_shown(evidence) for evidence in decision.shown),
        provenance=lookup.provenance,
    )


def _shown(evidence: Evidence) -> ScoredCandidate:
    return ScoredCandidate(evidence.candidate, evidence.score, evidence.why)
