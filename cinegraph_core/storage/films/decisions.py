"""What was decided about a film: the matcher's answer, how it is kept, and what becomes of twins that it reveals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session, select

from cinegraph_core.errors import ErrorType
from cinegraph_core.records import FilmQuery, Match, Mode, Provenance
from cinegraph_core.storage.candidates import add_candidates, forget_candidates
from cinegraph_core.storage.cleaning import clean_record
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import lock_films
from cinegraph_core.storage.films.ids import attach_ids, forget_ids, ids_contradict, twins_of
from cinegraph_core.storage.films.waiting import AUTO, film_query, survivor
from cinegraph_core.storage.merging import merge_films
from cinegraph_core.storage.query_keys import query_key
from cinegraph_core.storage.stamp import is_fake, refuse_fakes
from cinegraph_core.storage.tables import (
    PARKED,
    FilmRow,
    MatchDecisionRow,
    NominationFilmRow,
    NominationRow,
)

_OPEN = ("error", PARKED)
"""What an error may replace: it is no answer either."""

_FAKES: Mapping[Provenance, tuple[str, ErrorType]] = {
    "mock": ("a replica gave the answer, as the mode of its service wants", "unknown"),
    "fallback": ("the service was refused and a replica gave the answer", "circuit_open"),
    "stale": ("the service could not be asked and the answer is past its time", "circuit_open"),
}
"""What is said of a film whose answer is no truth, and the error that comes nearest."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The matcher's answer as it is kept; ``key`` names the query, ``moved`` says that the row asked about has been merged."""

    match: Match
    provenance: Provenance
    now: float
    key: str | None
    moved: bool


def truthful(match: Match, mode: Mode) -> Match:
    """Return what a run may store of an answer: itself, or in place of a fake the error that leaves its film pending."""
    if not is_fake(match.provenance, mode):
        return match
    reason, error_type = _FAKES[match.provenance]
    message = f"{reason}: it may not be stored as truth, and the film stays pending"
    return Match(
        id=match.id,
        status="error",
        api_calls=match.api_calls,
        error_type=error_type,
        error_message=message,
        parked_until=match.parked_until,
    )


def record_decision(
    session: Session, film_id: int, match: Match, *, mode: Mode, now: float, asked: FilmQuery | None = None
) -> int:
    """Store the matcher's answer with its candidates and ids; returns the film's id, which is an older one after a merge.

    A person's decision stays as it is, and an error replaces nothing but an error: an outage says nothing about a film.
    One that is parked (:attr:`Match.parked_until`) leaves the film pending until that moment, whatever was decided before.
    Two films that get one TMDb id are one film, unless their IMDb ids say otherwise: that goes to review as a
    contradiction. ``asked`` is the query that was answered; without it, what would be asked now. Raises
    :class:`ProvenanceError` for a fake in a live database.
    """
    match = clean_record(match)
    refuse_fakes(session, match.provenance, f"the match of film {film_id}", mode=mode)
    lock_films(session)
    film = survivor(session, film_id)
    current = decision_of(session, film.id)
    moved = film.id != film_id
    if current is not None and _stands(current, match):
        _put_by(current, match)
        return film.id
    if current is not None and current.source_changed and not moved:
        _forget_decision(session, film, current)
    key = query_key(asked) if asked is not None and not moved else None
    answer = _Answer(match, _kept_as(match.provenance, mode), now, key, moved)
    if match.status == "matched" and match.tmdb_id is not None:
        return _write_match(session, film, answer, match.tmdb_id).id
    if not moved:  # what was asked about a row that is gone says nothing about the film it became
        _write(session, film, answer)
    return film.id


def decision_of(session: Session, film_id: int) -> MatchDecisionRow | None:
    """Return the current decision about a film."""
    return session.exec(select(MatchDecisionRow).where(MatchDecisionRow.film_id == film_id)).first()


def write_decision(
    session: Session, film: FilmRow, match: Match, *, who: str, provenance: str, now: float, key: str | None = None
) -> None:
    """Replace a film's decision and its candidates; ``key`` names the query it answers, by default what would be asked now."""
    row = decision_of(session, film.id)
    if row is not None:
        forget_candidates(session, row.id)
    row = row or MatchDecisionRow(film_id=film.id, status=match.status, provenance=provenance, decided_at=utc(now))
    for name in ("status", "tmdb_id", "imdb_id", "level", "strategy", "confidence", "score", "reason"):
        setattr(row, name, getattr(match, name))
    row.error_type, row.error_message, row.api_calls = match.error_type, match.error_message, match.api_calls
    row.provenance, row.decided_by, row.decided_at = provenance, who, utc(now)
    row.query_key, row.source_changed = key or query_key(film_query(session, film.id)), False
    row.retry_at = None if match.retry_after is None else utc(now + match.retry_after)
    if match.parked_until is not None:
        row.status, row.retry_at = PARKED, utc(match.parked_until)
    film.match_status = row.status
    session.add(row)
    session.flush()
    add_candidates(session, row.id, match.candidates)


def _stands(current: MatchDecisionRow, match: Match) -> bool:
    """Whether a decision stays as it is whatever the match says: a person's, or one that an error would replace."""
    return current.decided_by != AUTO or (match.status == "error" and current.status not in _OPEN)


def _put_by(current: MatchDecisionRow, match: Match) -> None:
    """Leave a film alone until the moment it is parked for; its decision stands, and a person's waits for nothing."""
    if match.parked_until is not None and current.decided_by == AUTO:
        current.retry_at = utc(match.parked_until)


def _write(session: Session, film: FilmRow, answer: _Answer) -> None:
    """Replace a film's decision, and take back the ids that the one before gave."""
    forget_ids(session, film.id)
    write_decision(session, film, answer.match, who=AUTO, provenance=answer.provenance, now=answer.now, key=answer.key)


def _write_match(session: Session, film: FilmRow, answer: _Answer, tmdb_id: int) -> FilmRow:
    """Store a match and return the film's row: other rows with one of its ids are the same film, or contradict it."""
    match = answer.match
    twins = twins_of(session, film.id, tmdb_id=tmdb_id, imdb_id=match.imdb_id)
    if any(ids_contradict(session, film.id, twin.id) for twin in twins):
        _write(session, film, replace(answer, match=_as_contradiction(match)))
        return film
    ask_again = any(decision_of(session, twin.id) is None and _side_by_side(session, film.id, twin.id) for twin in twins)
    for twin in twins:
        film = merge_films(session, film, twin)
    if ask_again or _better_known(decision_of(session, film.id), match, merged=bool(twins) or answer.moved):
        _renew_key(session, film.id)
        return film
    _write(session, film, replace(answer, key=None) if twins else answer)
    attach_ids(session, film.id, tmdb_id=tmdb_id, imdb_id=match.imdb_id)
    return film


def _forget_decision(session: Session, film: FilmRow, decision: MatchDecisionRow) -> None:
    """Take back an answer to a query that the sources have since changed."""
    forget_ids(session, film.id)
    forget_candidates(session, decision.id)
    session.delete(decision)
    film.match_status = None
    session.flush()


def _renew_key(session: Session, film_id: int) -> None:
    """Let a decision stand for what a merged film's rows say together."""
    decision = decision_of(session, film_id)
    if decision is not None:
        decision.query_key = query_key(film_query(session, film_id))
        session.flush()


def _side_by_side(session: Session, film_id: int, twin_id: int) -> bool:
    """Whether both rows are of one edition: then the twin is about to be asked for, with all that both rows know."""
    editions = (
        set(session.exec(select(NominationRow.edition_id).join(NominationFilmRow).where(NominationFilmRow.film_id == owner)))
        for owner in (film_id, twin_id)
    )
    return bool(set.intersection(*editions))


def _better_known(kept: MatchDecisionRow | None, match: Match, *, merged: bool) -> bool:
    """Whether a merged film already has the better answer, so that it does not matter which row was asked first."""
    if kept is None or kept.status != "matched":
        return False
    if kept.decided_by != AUTO:
        return True
    return merged and (kept.level or 0, -(kept.score or 0.0)) <= (match.level or 0, -(match.score or 0.0))


def _kept_as(provenance: Provenance, mode: Mode) -> Provenance:
    """Return the provenance a decision is kept with.

    An answer still fresh in the cache is the live one, asked a little earlier: a decision must not differ by what happened
    to have been asked before, say by a run that was killed.
    """
    if mode == "mock":
        return "mock"
    return "live" if provenance == "cache" else provenance


def _as_contradiction(match: Match) -> Match:
    return Match(
        id=match.id,
        status="review",
        reason="contradiction",
        score=match.score,
        api_calls=match.api_calls,
        candidates=match.candidates,
        provenance=match.provenance,
    )
