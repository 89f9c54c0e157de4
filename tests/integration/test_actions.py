"""What a person decides about a film: the change that is shown is the one that is audited, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cinegraph_core import Film
from cinegraph_core.actions import accept_match, reject_match
from cinegraph_core.errors import UsageError
from cinegraph_core.storage import Database
from cinegraph_core.storage.review import accept_review
from cinegraph_core.storage.tables import AuditRow
from cinegraph_core.testing import FakeClock
from tests.support.decisions import MATCHED, REVIEW, decide, films
from tests.support.editions import NOW, edition, nomination, rows, store
from tests.support.waiting import waits_for_us, within

CLOCK = FakeClock(NOW + 60)


def test_an_accepted_film_leaves_one_row_of_what_it_was_and_is(database: Database) -> None:
    films(database, "Twin")
    decide(database, 1, REVIEW)
    change = accept_match(database, 1, 5, clock=CLOCK, who="ada")
    (action,) = rows(database, AuditRow)
    assert (action.who, action.what, action.subject, action.at.timestamp()) == ("ada", "review.accept", "film 1", NOW + 60)
    assert (action.before["status"], action.after["tmdb_id"], action.after["was_candidate"]) == ("review", 5, True)
    assert (action.before.items() <= change.before.items(), action.after.items() <= change.after.items()) == (True, True)
    assert "candidates" not in action.before | action.after


def test_a_rejected_film_leaves_one_row_too(database: Database) -> None:
    films(database, "Twin")
    decide(database, 1, MATCHED)
    change = reject_match(database, 1, clock=CLOCK, who="ada")
    (action,) = rows(database, AuditRow)
    assert (action.what, action.before["tmdb_id"], action.after["status"]) == ("review.reject", 5, "not_found")
    assert (change.before["tmdb_id"], change.after["tmdb_id"]) == (5, None)


def test_a_merge_keeps_both_films_in_the_audit_and_a_refused_one_leaves_no_row(database: Database) -> None:
    films(database, Film("Twin", directors=("MARIN Ada",)))
    other = Film("Other", directors=("Ada Marin",))
    store(database, edition(nomination("1", award="Q", films=[other]), festival="cannes"))
    decide(database, 1, MATCHED)
    decide(database, 2, REVIEW)
    with pytest.raises(UsageError, match="--merge"):
        accept_match(database, 2, 5, clock=CLOCK, who="ada")
    assert rows(database, AuditRow) == []
    accept_match(database, 2, 5, clock=CLOCK, who="ada", merge=True)
    (action,) = rows(database, AuditRow)
    assert (action.subject, action.before["id"], action.before["status"], action.after["merged"]) == ("film 1", 2, "review", [1])
    (twin,) = action.before["merged"]
    assert (twin["id"], twin["tmdb_id"], twin["directors"]) == (1, 5, ["MARIN Ada"])


def test_of_two_people_at_once_the_second_sees_what_the_first_decided(database: Database) -> None:
    films(database, "Twin")
    decide(database, 1, REVIEW)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            accept_review(session, 1, 5, who="ada", now=NOW)
            second = pool.submit(accept_match, database, 1, 6, clock=CLOCK, who="bo")
            assert within(5, lambda: waits_for_us(session))
        change = second.result(timeout=10)
    assert (change.before["tmdb_id"], change.before["decided_by"], change.after["tmdb_id"]) == (5, "ada", 6)
    (action,) = rows(database, AuditRow)
    assert action.before["tmdb_id"] == 5
