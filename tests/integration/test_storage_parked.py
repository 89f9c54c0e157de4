"""Films that are put by until a quota or budget begins anew, on both databases."""

from __future__ import annotations

from dataclasses import replace

from cinegraph_core.records import Match
from cinegraph_core.storage import Database
from cinegraph_core.storage.films import parked_films, waiting_films
from cinegraph_core.storage.review import accept_review
from cinegraph_core.storage.tables import FilmRow, MatchDecisionRow
from tests.support.decisions import DAY, ERROR, MATCHED, NOT_FOUND, decide, films, pending
from tests.support.editions import NOW, edition, lines, nomination, rows, store

UNTIL = NOW + 6400.0
PARKED = Match(
    id="x", status="error", error_type="quota_exceeded", error_message="no room", retry_after=6399.0, parked_until=UNTIL
)


def parked(database: Database, now: float = NOW) -> dict[int, float]:
    with database.reading() as session:
        return parked_films(session, now=now)


def test_a_parked_film_waits_to_the_second_and_takes_no_attempt(database: Database) -> None:
    films(database, "Twin", "Echo")
    decide(database, 1, PARKED, now=NOW + 1)
    (decision,) = rows(database, MatchDecisionRow)
    assert (decision.status, decision.api_calls, decision.retry_at.timestamp()) == ("parked", 0, UNTIL)
    assert rows(database, FilmRow)[0].match_status == "parked"
    assert (pending(database), parked(database)) == ([2], {1: UNTIL})
    assert (pending(database, now=UNTIL - 0.001), parked(database, UNTIL - 0.001)) == ([2], {1: UNTIL})
    assert (pending(database, now=UNTIL), parked(database, UNTIL)) == ([1, 2], {})
    decide(database, 1, MATCHED, now=UNTIL)
    (decision,) = rows(database, MatchDecisionRow)
    assert (decision.status, decision.retry_at, decision.error_type) == ("matched", None, None)


def test_parking_and_errors_replace_each_other_and_no_answer(database: Database) -> None:
    films(database, "Twin", "Echo")
    decide(database, 1, ERROR)
    decide(database, 1, PARKED)
    assert parked(database) == {1: UNTIL}
    decide(database, 1, replace(ERROR, retry_after=3600.0))
    assert (parked(database), pending(database)) == ({}, [1, 2]), "when an error may be tried again is only a hint"
    decide(database, 2, NOT_FOUND)
    late = NOW + 30 * DAY
    decide(database, 2, replace(PARKED, parked_until=late + 60), now=late)
    statuses = {row.film_id: row.status for row in rows(database, MatchDecisionRow)}
    assert statuses == {1: "error", 2: "not_found"}
    assert (pending(database, now=late), parked(database, late)) == ([1], {2: late + 60})
    assert pending(database, now=late + 60) == [1, 2]


def test_a_persons_decision_is_never_put_by(database: Database) -> None:
    films(database, "Twin")
    with database.transaction() as session:
        accept_review(session, 1, 5, who="anna", now=NOW)
    decide(database, 1, PARKED)
    (decision,) = rows(database, MatchDecisionRow)
    assert (decision.status, decision.decided_by, decision.retry_at) == ("matched", "anna", None)
    assert parked(database) == {}


def test_the_feed_shows_a_parked_film_as_one_not_matched_yet(database: Database) -> None:
    stored = store(database, edition(nomination("1", award="P", films=["Twin"])))
    decide(database, 1, PARKED)
    assert lines(database, stored)[0]["films"][0]["match"] is None


def test_the_films_that_wait_are_told_with_what_their_last_try_came_to(database: Database) -> None:
    films(database, "Twin", "Echo", "Aria", "Maria")
    decide(database, 1, PARKED)
    decide(database, 2, ERROR)
    decide(database, 3, MATCHED)
    with database.reading() as session:
        waiting = waiting_films(session, now=NOW)
    told = [(film.film, film.title, film.status, film.error_type) for film in waiting]
    assert told == [
        (1, "Twin", "parked", "quota_exceeded"),
        (2, "Echo", "error", ERROR.error_type),
        (4, "Maria", "pending", None),
    ]
    assert [film.retry_at.timestamp() if film.retry_at else None for film in waiting[::2]] == [UNTIL, None]
