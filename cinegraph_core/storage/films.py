"""Films on their way to an id: which still wait, what is asked of the matcher, and what was decided."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, and_, col, delete, func, or_, select

from cinegraph_core.records import FilmKind, FilmQuery, Match, Mode, Provenance
from cinegraph_core.storage.cleaning import clean_record
from cinegraph_core.storage.columns import utc
from cinegraph_core.storage.engine import lock_catalogue
from cinegraph_core.storage.lines import imdb_id_of
from cinegraph_core.storage.merging import merge_films
from cinegraph_core.storage.naming import fold_name
from cinegraph_core.storage.query_keys import query_key
from cinegraph_core.storage.stamp import refuse_fakes
from cinegraph_core.storage.tables import (
    EditionRow,
    ExternalIdRow,
    FestivalRow,
    FilmRow,
    MatchCandidateRow,
    MatchDecisionRow,
    NominationFilmRow,
    NominationPersonRow,
    NominationRow,
    PersonRow,
)

COOLDOWN = timedelta(days=30)
"""How long a film that no catalogue knows is left alone before it is asked for again."""
AUTO = "auto"
"""Who decided, when it was not a person."""
_GIVEN_BY_MATCH = "match"


def pending_films(session: Session, *, edition_id: int | None = None, now: float) -> list[int]:
    """Return the ids of films that wait for the matcher, oldest first.

    Those are films without an answer, those whose answer was an error, those not found long ago (:data:`COOLDOWN`), and
    those of which a source has said something else since; never a film about which a person decided.
    """
    again = or_(
        col(MatchDecisionRow.status) == "error",
        col(MatchDecisionRow.source_changed),
        and_(col(MatchDecisionRow.status) == "not_found", col(MatchDecisionRow.decided_at) <= utc(now) - COOLDOWN),
    )
    query = (
        select(FilmRow.id)
        .join(MatchDecisionRow, isouter=True)
        .where(col(FilmRow.merged_into).is_(None))
        .where(or_(col(MatchDecisionRow.id).is_(None), and_(col(MatchDecisionRow.decided_by) == AUTO, again)))
    )
    if edition_id is not None:
        here = select(NominationFilmRow.film_id).join(NominationRow).where(NominationRow.edition_id == edition_id)
        query = query.where(col(FilmRow.id).in_(here))
    return list(session.exec(query.order_by(col(FilmRow.id))))


def film_query(session: Session, film_id: int) -> FilmQuery:
    """Return what to ask about a film: its own year with the edition's, or the edition's year alone.

    An IMDb id that an earlier match gave is left out: it would only confirm that match.
    """
    film = survivor(session, film_id)
    found = session.exec(
        select(EditionRow.year, FestivalRow.key)
        .join(FestivalRow)
        .join(NominationRow)
        .join(NominationFilmRow)
        .where(NominationFilmRow.film_id == film.id)
        .order_by(col(EditionRow.year), col(EditionRow.id))
    ).first()
    edition_year, festival = found if found else (None, None)
    kind: FilmKind = film.kind  # type: ignore[assignment]  # the column holds nothing else
    return FilmQuery(
        id=str(film_id),
        title=film.title,
        original_title=film.original_title,
        year=film.year if film.year is not None else edition_year,
        directors=_directors(session, film),
        imdb_id=_printed_imdb_id(session, film.id),
        runtime_minutes=film.runtime_minutes,
        kind=kind,
        festival=festival,
        edition=edition_year if film.year is not None else None,
    )


def count_films(session: Session) -> int:
    """Return how many films are stored."""
    return session.exec(select(func.count()).select_from(FilmRow).where(col(FilmRow.merged_into).is_(None))).one()


def record_decision(
    session: Session, film_id: int, match: Match, *, mode: Mode, now: float, asked: FilmQuery | None = None
) -> int:
    """Store the matcher's answer with its candidates and ids; returns the film's id, which is an older one after a merge.

    A person's decision stays as it is, and an error replaces nothing but an error: an outage says nothing about a film.
    Two films that get one TMDb id are one film, unless their IMDb ids say otherwise: that goes to review as a
    contradiction. ``asked`` is the query that was answered; without it, what would be asked now. Raises
    :class:`ProvenanceError` for a fake in a live database.
    """
    match = clean_record(match)
    refuse_fakes(session, match.provenance, f"the match of film {film_id}", mode=mode)
    lock_catalogue(session)
    film = survivor(session, film_id)
    current = decision_of(session, film.id)
    if current is not None and (current.decided_by != AUTO or (match.status == "error" and current.status != "error")):
        return film.id
    if current is not None and current.source_changed and film.id == film_id:
        _forget_decision(session, film, current)
    provenance = _kept_as(match.provenance, mode)
    answered = query_key(asked) if asked is not None and film.id == film_id else None
    if match.status != "matched" or match.tmdb_id is None:
        if film.id == film_id:  # what was asked of a row that is gone says nothing about the film it became
            forget_ids(session, film.id)
            write_decision(session, film, match, who=AUTO, provenance=provenance, now=now, key=answered)
        return film.id
    twins = twins_of(session, film.id, tmdb_id=match.tmdb_id, imdb_id=match.imdb_id)
    if any(_contradict(session, film.id, twin.id) for twin in twins):
        forget_ids(session, film.id)
        write_decision(session, film, _as_contradiction(match), who=AUTO, provenance=provenance, now=now, key=answered)
        return film.id
    ask_again = any(decision_of(session, twin.id) is None and _side_by_side(session, film.id, twin.id) for twin in twins)
    for twin in twins:
        film = merge_films(session, film, twin)
    if ask_again or _better_known(decision_of(session, film.id), match, merged=bool(twins) or film.id != film_id):
        _renew_key(session, film.id)
        return film.id
    forget_ids(session, film.id)
    write_decision(session, film, match, who=AUTO, provenance=provenance, now=now, key=None if twins else answered)
    attach_ids(session, film.id, tmdb_id=match.tmdb_id, imdb_id=match.imdb_id)
    return film.id


def survivor(session: Session, film_id: int) -> FilmRow:
    """Return the row that a film lives in now."""
    film = session.get_one(FilmRow, film_id)
    return film if film.merged_into is None else session.get_one(FilmRow, film.merged_into)


def decision_of(session: Session, film_id: int) -> MatchDecisionRow | None:
    """Return the current decision about a film."""
    return session.exec(select(MatchDecisionRow).where(MatchDecisionRow.film_id == film_id)).first()


def write_decision(
    session: Session, film: FilmRow, match: Match, *, who: str, provenance: str, now: float, key: str | None = None
) -> None:
    """Replace a film's decision and its candidates; ``key`` names the query it answers, by default what would be asked now."""
    row = decision_of(session, film.id)
    if row is not None:
        session.exec(delete(MatchCandidateRow).where(col(MatchCandidateRow.decision_id) == row.id))
    row = row or MatchDecisionRow(film_id=film.id, status=match.status, provenance=provenance, decided_at=utc(now))
    for name in ("status", "tmdb_id", "imdb_id", "level", "strategy", "confidence", "score", "reason"):
        setattr(row, name, getattr(match, name))
    row.error_type, row.error_message, row.api_calls = match.error_type, match.error_message, match.api_calls
    row.provenance, row.decided_by, row.decided_at = provenance, who, utc(now)
    row.query_key, row.source_changed = key or query_key(film_query(session, film.id)), False
    row.retry_at = None if match.retry_after is None else utc(now + match.retry_after)
    film.match_status = match.status
    session.add(row)
    session.flush()
    for rank, scored in enumerate(match.candidates, start=1):
        said = scored.candidate
        session.add(
            MatchCandidateRow(
                decision_id=row.id,
                rank=rank,
                tmdb_id=said.tmdb_id,
                title=said.title,
                original_title=said.original_title,
                year=said.year,
                imdb_id=said.imdb_id,
                score=scored.score,
                why=list(scored.why),
            )
        )
    session.flush()


def twins_of(session: Session, film_id: int, *, tmdb_id: int, imdb_id: str | None) -> list[FilmRow]:
    """Return the other rows that already have one of these ids."""
    ids = [and_(col(ExternalIdRow.source) == "tmdb", col(ExternalIdRow.value) == str(tmdb_id))]
    if imdb_id is not None and imdb_id_of(session, film_id=film_id) in (None, imdb_id):
        ids.append(and_(col(ExternalIdRow.source) == "imdb", col(ExternalIdRow.value) == imdb_id))
    owners = select(ExternalIdRow.film_id).where(or_(*ids), col(ExternalIdRow.film_id) != film_id).distinct()
    return [session.get_one(FilmRow, owner) for owner in sorted(filter(None, session.exec(owners)))]


def attach_ids(session: Session, film_id: int, *, tmdb_id: int, imdb_id: str | None) -> None:
    """Give a film the ids of its match; an IMDb id that a source printed stays."""
    wanted = {"tmdb": str(tmdb_id)}
    if imdb_id is not None and imdb_id_of(session, film_id=film_id) is None:
        wanted["imdb"] = imdb_id
    known = set(session.exec(select(ExternalIdRow.source, ExternalIdRow.value).where(ExternalIdRow.film_id == film_id)).all())
    for source, value in wanted.items():
        if (source, value) not in known:
            session.add(ExternalIdRow(film_id=film_id, source=source, value=value, given_by=_GIVEN_BY_MATCH))
    session.flush()


def forget_ids(session: Session, film_id: int) -> None:
    """Take back the ids that an earlier match gave."""
    given = and_(col(ExternalIdRow.film_id) == film_id, col(ExternalIdRow.given_by) == _GIVEN_BY_MATCH)
    session.exec(delete(ExternalIdRow).where(given))


def _forget_decision(session: Session, film: FilmRow, decision: MatchDecisionRow) -> None:
    """Take back an answer that was given about what the sources do not say any more."""
    forget_ids(session, film.id)
    session.exec(delete(MatchCandidateRow).where(col(MatchCandidateRow.decision_id) == decision.id))
    session.delete(decision)
    film.match_status = None
    session.flush()


def _renew_key(session: Session, film_id: int) -> None:
    """Let a decision stand for what a merged film's rows say together."""
    decision = decision_of(session, film_id)
    if decision is not None:
        decision.query_key = query_key(film_query(session, film_id))
        session.flush()


def _printed_imdb_id(session: Session, film_id: int) -> str | None:
    printed = select(ExternalIdRow.value).where(ExternalIdRow.source == "imdb", ExternalIdRow.given_by != _GIVEN_BY_MATCH)
    return session.exec(printed.where(ExternalIdRow.film_id == film_id).order_by(col(ExternalIdRow.id))).first()


def _directors(session: Session, film: FilmRow) -> tuple[str, ...]:
    """Return a film's directors: its own, and those named as such in nominations of this film alone."""
    alone = (
        select(NominationFilmRow.nomination_id)
        .group_by(col(NominationFilmRow.nomination_id))
        .having(and_(func.count() == 1, func.max(NominationFilmRow.film_id) == film.id))
    )
    named = session.exec(
        select(PersonRow.name)
        .join(NominationPersonRow)
        .where(NominationPersonRow.role == "director", col(NominationPersonRow.nomination_id).in_(alone))
        .order_by(col(NominationPersonRow.nomination_id), col(NominationPersonRow.position))
    )
    directors: dict[str, str] = {}
    for name in (*film.directors, *named):
        directors.setdefault(fold_name(name), name)
    return tuple(directors.values())


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


def _contradict(session: Session, film_id: int, twin_id: int) -> bool:
    mine, theirs = (imdb_id_of(session, film_id=owner) for owner in (film_id, twin_id))
    return mine is not None and theirs is not None and mine != theirs


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
