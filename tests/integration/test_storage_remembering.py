"""Decisions are kept: a person's answers the same query, and a source that corrects itself opens an automatic one again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core import Film, FilmQuery, Match
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import store_edition
from cinegraph_core.storage.films import decision_of, film_query, pending_films, record_decision
from cinegraph_core.storage.query_keys import query_key, same_film
from cinegraph_core.storage.remembering import decided_by_people
from cinegraph_core.storage.review import accept_review, list_reviews, reject_review, show_review
from tests.support.editions import ALIASES, IMDB, NOW, edition, nomination

MATCHED = Match(id="x", status="matched", tmdb_id=5, imdb_id="tt5", score=0.98, level=2, strategy="exact_title_year")
OTHER = Match(id="x", status="matched", tmdb_id=6, score=0.97, level=2, strategy="exact_title_year")
REVIEW = Match(id="x", status="review", reason="ambiguous")
ERROR = Match(id="x", status="error", error_type="timeout")
MARIA = Film("Maria", year=2024, directors=("Pablo Larraín",))


def store(database: Database, film: Film, **fields: Any) -> None:
    with database.transaction() as session:
        store_edition(session, edition(nomination("1", films=[film], **fields)), aliases=ALIASES, now=NOW)


def decide(database: Database, match: Match, asked: FilmQuery | None = None) -> None:
    with database.transaction() as session:
        record_decision(session, 1, match, mode="real", now=NOW, asked=asked)


def pending(database: Database) -> list[int]:
    with database.reading() as session:
        return pending_films(session, now=NOW)


def asked_now(database: Database) -> FilmQuery:
    with database.reading() as session:
        return film_query(session, 1)


# ------------------------------------------------------------------------------------------------ sources that change


@pytest.mark.parametrize(
    "corrected",
    [
        Film("Maria Callas", original_title="Maria", year=2024, directors=("Pablo Larraín",)),
        Film("Maria", original_title="Maria C.", year=2024, directors=("Pablo Larraín",)),
        Film("Maria", year=2023, directors=("Pablo Larraín",)),
        Film("Maria", year=2024, directors=("Pablo Larraín", "Ada Marin")),
        Film("Maria", year=2024, directors=("Pablo Larraín",), imdb_id="tt7"),
    ],
)
def test_a_source_that_corrects_itself_opens_the_automatic_decision_again(database: Database, corrected: Film) -> None:
    store(database, MARIA)
    decide(database, replace(MATCHED, imdb_id=None))
    assert pending(database) == []
    store(database, MARIA)
    assert pending(database) == []

    store(database, corrected)
    assert pending(database) == [1]
    decide(database, OTHER)
    assert pending(database) == []
    with database.reading() as session:
        assert show_review(session, 1)["tmdb_id"] == 6


def test_a_title_or_id_that_makes_it_another_film_waits_as_such(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    store(database, Film("Callas", year=2024, imdb_id="tt7"))
    assert pending(database) == [2]


@pytest.mark.parametrize(
    "same", [Film("MARIA", year=2024, directors=("LARRAÍN Pablo",)), Film("Maria", year=2024, runtime_minutes=124)]
)
def test_what_names_the_same_film_opens_nothing(database: Database, same: Film) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    store(database, same)
    assert pending(database) == []


def test_an_open_film_keeps_its_old_answer_until_there_is_a_new_one(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    store(database, Film("Maria", year=2023))
    decide(database, ERROR)
    assert pending(database) == [1]
    with database.reading() as session:
        assert show_review(session, 1)["tmdb_id"] == 5
    decide(database, REVIEW)
    assert pending(database) == []
    with database.reading() as session:
        shown = show_review(session, 1)
    assert (shown["status"], shown["tmdb_id"], shown["imdb_id"]) == ("review", None, None)


def test_a_correction_taken_back_leaves_the_decision_alone(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    store(database, Film("Maria", year=2023))
    store(database, MARIA)
    assert pending(database) == []


def test_a_correction_that_came_while_the_matcher_asked_is_noticed(database: Database) -> None:
    store(database, MARIA)
    asked = asked_now(database)
    store(database, Film("Maria", year=2023))
    decide(database, MATCHED, asked)
    store(database, Film("Maria", year=2023))
    assert pending(database) == [1]


def test_the_id_that_a_match_gave_is_not_asked_for_again(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    assert asked_now(database).imdb_id is None
    with database.reading() as session:
        assert show_review(session, 1)["imdb_id"] == "tt5"


def test_another_source_of_the_same_facts_changes_nothing(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    store(database, MARIA, source=IMDB)
    assert pending(database) == []


def test_a_persons_decision_stands_and_review_shows_that_the_source_changed(database: Database) -> None:
    store(database, MARIA)
    decide(database, REVIEW)
    with database.transaction() as session:
        accept_review(session, 1, 9, who="ann", now=NOW)
    with database.reading() as session:
        assert list_reviews(session) == []

    store(database, Film("Maria", year=2023))
    assert pending(database) == []
    with database.reading() as session:
        (shown,) = list_reviews(session)
    assert (shown["tmdb_id"], shown["decided_by"], shown["source_changed"]) == (9, "ann", True)

    with database.transaction() as session:
        accept_review(session, 1, 9, who="ben", now=NOW)
    with database.reading() as session:
        assert list_reviews(session) == []


# ------------------------------------------------------------------------------------------------ people's decisions


def test_what_people_decided_is_known_by_its_query(database: Database) -> None:
    store(database, MARIA)
    decide(database, MATCHED)
    with database.reading() as session:
        assert decided_by_people(session) == {}
    with database.transaction() as session:
        accept_review(session, 1, 9, who="ann", now=NOW)
    with database.reading() as session:
        decided = decided_by_people(session)
    query = FilmQuery("any", "maria", year=2024, directors=("Larrain Pablo",), festival="Venice", edition=2024)
    answer = decided[query_key(query)]
    assert (answer.status, answer.tmdb_id, answer.api_calls, answer.provenance) == ("matched", 9, 0, "live")

    with database.transaction() as session:
        reject_review(session, 1, who="ann", now=NOW)
    with database.reading() as session:
        assert decided_by_people(session)[query_key(query)].status == "not_found"


def test_two_films_of_one_query_decided_differently_answer_nobody(database: Database) -> None:
    twins = [nomination(str(n), award=f"Prize {n}", films=[Film("Maria", imdb_id=f"tt{n}")]) for n in (1, 2)]
    with database.transaction() as session:
        store_edition(session, edition(*twins), aliases=ALIASES, now=NOW)
        for film, tmdb in ((1, 8), (2, 9)):
            accept_review(session, film, tmdb, who="ann", now=NOW)
            row = decision_of(session, film)
            assert row is not None
            row.query_key = "same-key"
    with database.reading() as session:
        assert decided_by_people(session) == {}


def test_keys_tell_films_and_occasions_apart() -> None:
    base = FilmQuery("1", "Maria", year=2024, festival="venice", edition=2024)
    assert query_key(base) == query_key(FilmQuery("2", "MARIA!", year=2024, festival="Venice", edition=2024))
    others = [
        FilmQuery("1", "Mario", year=2024, festival="venice", edition=2024),
        FilmQuery("1", "Maria", year=2023, festival="venice", edition=2024),
        FilmQuery("1", "Maria", year=2024, festival="venice", edition=2025),
        FilmQuery("1", "Maria", year=2024, festival="cannes", edition=2024),
        FilmQuery("1", "Maria", year=2024, festival="venice"),
        FilmQuery("1", "Maria", year=2024),
        FilmQuery("1", "Maria", year=2024, festival="venice", edition=2024, imdb_id="tt1"),
        FilmQuery("1", "Maria", year=2024, festival="venice", edition=2024, directors=("Ada Marin",)),
    ]
    assert len({query_key(one) for one in [base, *others]}) == 9
    assert [same_film(query_key(base), query_key(one)) for one in others] == [
        False, False, True, True, False, True, False, False,
    ]  # fmt: skip
