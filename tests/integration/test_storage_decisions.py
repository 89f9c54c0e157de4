"""What is asked about a film, what was decided, and what a person said, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import func, select

from cinegraph_core import Candidate, Film, Match, Nomination, Person, ScoredCandidate
from cinegraph_core.errors import ProvenanceError, UsageError
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import edition_lines, store_edition
from cinegraph_core.storage.films import count_films, film_query, pending_films, record_decision
from cinegraph_core.storage.review import accept_review, list_reviews, reject_review, show_review
from cinegraph_core.storage.tables import AuditRow, ExternalIdRow, FilmRow, MatchCandidateRow, MatchDecisionRow, NominationRow
from tests.support.dump import natural_dump
from tests.support.editions import ALIASES, IMDB, NOW, edition, nomination

DAY = 86_400.0
MATCHED = Match(
    id="x", status="matched", tmdb_id=5, imdb_id="tt5", confidence=0.9, score=0.98, level=2, strategy="exact_title_year"
)
CANDIDATES = (
    ScoredCandidate(Candidate(tmdb_id=5, title="Twin", year=2024, imdb_id="tt5"), 0.6, ("same title",)),
    ScoredCandidate(Candidate(tmdb_id=6, title="Twin", year=2023), 0.59, ("same title", "year off by 1")),
)
REVIEW = Match(id="x", status="review", reason="ambiguous", candidates=CANDIDATES)
NOT_FOUND = Match(id="x", status="not_found", error_type="not_found")
ERROR = Match(id="x", status="error", error_type="timeout", error_message="too slow", retry_after=30.0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.prepare("real")
    yield database
    database.close()


def store(database: Database, *nominations: Nomination, **fields: Any) -> None:
    with database.transaction() as session:
        store_edition(session, edition(*nominations, **fields), aliases=ALIASES, now=NOW)


def films(database: Database, *printed: Film | str) -> None:
    store(database, *(nomination(str(number), award=f"Prize {number}", films=[film]) for number, film in enumerate(printed)))


def decide(database: Database, film_id: int, match: Match, *, mode: Any = "real", now: float = NOW) -> int:
    with database.transaction() as session:
        return record_decision(session, film_id, match, mode=mode, now=now)


def pending(database: Database, **fields: Any) -> list[int]:
    with database.reading() as session:
        return pending_films(session, **({"now": NOW} | fields))


def rows(database: Database, table: type[Any]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table).order_by(table.id)).all()


def ids(database: Database) -> list[tuple[int | None, str, str]]:
    return sorted((row.film_id, row.source, row.value) for row in rows(database, ExternalIdRow) if row.film_id)


class TestWhatIsAsked:
    def test_a_film_with_its_own_year_is_asked_with_the_edition_beside_it(self, database: Database) -> None:
        twin = Film(
            "Twin", original_title="Gemello", year=2023, imdb_id="tt1", directors=("Ada Marin",), runtime_minutes=90, kind="movie"
        )
        store(database, nomination("1", award="P", films=[twin], people=["Bo Ray", "MARIN Ada", Person("Cy", role="actor")]))
        with database.reading() as session:
            query = film_query(session, 1)
        assert (query.id, query.title, query.original_title) == ("1", "Twin", "Gemello")
        assert (query.year, query.edition, query.festival) == (2023, 2024, "venice")
        assert query.directors == ("Ada Marin", "Bo Ray")
        assert (query.imdb_id, query.runtime_minutes, query.kind) == ("tt1", 90, "movie")

    def test_lesson_15_a_film_without_a_year_is_asked_with_the_editions_own(self, database: Database) -> None:
        films(database, "Twin")
        with database.reading() as session:
            query = film_query(session, 1)
        assert (query.year, query.edition, query.festival, query.imdb_id) == (2024, None, "venice", None)

    def test_films_wait_in_stable_order_and_can_be_asked_for_by_edition(self, database: Database) -> None:
        films(database, "Twin", "Echo")
        store(database, nomination("1", award="P", films=["Twin"]), festival="cannes")
        assert pending(database) == [1, 2, 3]
        assert pending(database, edition_id=2) == [3]
        with database.reading() as session:
            assert count_films(session) == 3


class TestWhatWasDecided:
    def test_lesson_08_an_error_stays_pending_and_not_found_is_asked_again_after_its_cooldown(self, database: Database) -> None:
        films(database, "Twin", "Echo", "Home", "Salt")
        for film_id, match in enumerate((ERROR, NOT_FOUND, MATCHED, REVIEW), start=1):
            decide(database, film_id, match)
        assert pending(database) == [1]
        assert pending(database, now=NOW + 30 * DAY - 1) == [1]
        assert pending(database, now=NOW + 30 * DAY) == [1, 2]

    def test_an_error_replaces_nothing_but_an_error(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, ERROR)
        decide(database, 1, replace(ERROR, error_type="network_error"), now=NOW + 1)
        assert rows(database, MatchDecisionRow)[0].error_type == "network_error"
        decide(database, 1, MATCHED, now=NOW + 2)
        decide(database, 1, ERROR, now=NOW + 3)
        decision = rows(database, MatchDecisionRow)[0]
        assert (decision.status, decision.error_type, decision.retry_at) == ("matched", None, None)

    def test_a_decision_replaces_the_one_before_with_its_candidates_and_ids(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, MATCHED)
        assert ids(database) == [(1, "imdb", "tt5"), (1, "tmdb", "5")]
        decide(database, 1, replace(MATCHED, tmdb_id=6, imdb_id="tt6", candidates=CANDIDATES))
        assert ids(database) == [(1, "imdb", "tt6"), (1, "tmdb", "6")]
        assert [(row.rank, row.tmdb_id, row.why) for row in rows(database, MatchCandidateRow)] == [
            (1, 5, ["same title"]),
            (2, 6, ["same title", "year off by 1"]),
        ]
        decide(database, 1, REVIEW)
        assert ids(database) == []
        assert len(rows(database, MatchCandidateRow)) == 2
        assert rows(database, FilmRow)[0].match_status == "review"

    def test_a_printed_imdb_id_stays_whatever_the_match_says(self, database: Database) -> None:
        films(database, Film("Twin", imdb_id="tt1"))
        decide(database, 1, MATCHED)
        assert ids(database) == [(1, "imdb", "tt1"), (1, "tmdb", "5")]

    def test_the_feed_shows_the_decision(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, MATCHED)
        with database.reading() as session:
            shown = edition_lines(session, [1])[0]["films"][0]
        assert shown["imdb_id"] == "tt5"
        assert shown["match"] == {
            "status": "matched",
            "tmdb_id": 5,
            "confidence": 0.9,
            "score": 0.98,
            "level": 2,
            "strategy": "exact_title_year",
        }

    @pytest.mark.parametrize("provenance", ["mock", "stale", "fallback"])
    def test_lesson_28_a_fake_match_is_not_stored_as_truth(self, database: Database, provenance: Any) -> None:
        films(database, "Twin")
        with pytest.raises(ProvenanceError, match=provenance):
            decide(database, 1, replace(MATCHED, provenance=provenance), mode="hybrid")
        with pytest.raises(ProvenanceError, match=provenance):
            decide(database, 1, replace(MATCHED, provenance=provenance), mode="mock")
        assert pending(database) == [1]

    def test_lesson_28_in_a_mock_database_every_match_says_mock(self, database_url: str) -> None:
        database = Database(database_url)
        database.prepare("mock")
        films(database, "Twin")
        decide(database, 1, MATCHED, mode="mock")
        assert rows(database, MatchDecisionRow)[0].provenance == "mock"
        database.close()


class TestTwins:
    """Two rows that prove to be one film."""

    def test_the_older_stays_links_move_and_the_younger_keeps_where_it_went(self, database: Database) -> None:
        films(database, "Twin", "Gemello", "Echo")
        decide(database, 1, MATCHED)
        assert decide(database, 2, replace(MATCHED, level=1)) == 1
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, 1, None]
        assert ids(database) == [(1, "imdb", "tt5"), (1, "tmdb", "5")]
        assert pending(database) == [3]
        with database.reading() as session:
            lines = edition_lines(session, [1, 2])
            assert session.exec(select(func.count()).select_from(MatchDecisionRow)).one() == 1
        assert [line["films"][0]["match"]["level"] for line in lines] == [1, 1]

    def test_an_imdb_id_learnt_from_the_match_finds_the_other_row_which_is_then_asked_again(self, database: Database) -> None:
        films(database, Film("Gemello", imdb_id="tt5"), "Twin")
        decide(database, 2, MATCHED)
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, 1]
        assert pending(database) == [1]
        decide(database, 1, replace(MATCHED, level=1, strategy="direct_imdb"))
        assert rows(database, MatchDecisionRow)[0].level == 1

    @pytest.mark.parametrize(
        "printed", [("Twin", "Gemello"), (Film("Gemello", imdb_id="tt5"), "Twin"), ("Twin", Film("Gemello", imdb_id="tt5"))]
    )
    def test_it_does_not_matter_which_row_was_decided_first(
        self, database: Database, database_url: str, tmp_path: Any, printed: Any
    ) -> None:
        matches = {1: replace(MATCHED, level=1), 2: replace(MATCHED, level=3, score=0.7)}
        other_url = f"sqlite:///{tmp_path / 'other.db'}"
        other = Database(other_url)
        other.prepare("real")
        for target, order in ((database, (1, 2)), (other, (2, 1))):
            films(target, *printed)
            for film_id in order:
                decide(target, film_id, matches[film_id])
        other.close()
        assert natural_dump(database_url) == natural_dump(other_url)

    def test_nominations_that_become_one_by_it_share_their_row(self, database: Database) -> None:
        store(
            database,
            nomination("o1", award="GOLDEN LION for Best Film", films=["Twin"]),
            nomination(
                "i1",
                source=IMDB,
                award="Golden Lion",
                category="Best Film",
                films=[Film("Gemello", imdb_id="tt5")],
                is_winner=True,
            ),
        )
        assert len(rows(database, NominationRow)) == 2
        decide(database, 2, MATCHED)
        (kept,) = rows(database, NominationRow)
        assert kept.is_winner
        assert len(rows(database, FilmRow)) == 2

    def test_different_imdb_ids_are_a_contradiction_for_a_person_to_look_at(self, database: Database) -> None:
        films(database, Film("Twin", imdb_id="tt1"), Film("Twin", imdb_id="tt2"))
        decide(database, 1, MATCHED)
        decide(database, 2, replace(MATCHED, candidates=CANDIDATES))
        first, second = rows(database, MatchDecisionRow)
        assert (first.status, second.status, second.reason, second.tmdb_id) == ("matched", "review", "contradiction", None)
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, None]


class TestReview:
    def test_what_waits_is_shown_with_its_candidates(self, database: Database) -> None:
        films(database, "Twin", "Echo")
        decide(database, 1, REVIEW)
        decide(database, 2, MATCHED)
        with database.reading() as session:
            (waiting,) = list_reviews(session)
        assert (waiting["id"], waiting["title"], waiting["reason"]) == (1, "Twin", "ambiguous")
        assert [candidate["tmdb_id"] for candidate in waiting["candidates"]] == [5, 6]

    def test_scores_are_told_with_four_decimals(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, replace(MATCHED, score=0.9712345678, candidates=(replace(CANDIDATES[0], score=0.61234567),)))
        with database.reading() as session:
            assert edition_lines(session, [1])[0]["films"][0]["match"]["score"] == 0.9712
            assert show_review(session, 1)["candidates"][0]["score"] == 0.6123

    def test_a_persons_word_is_kept_audited_and_never_overruled(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            shown = accept_review(session, 1, 5, who="ada", now=NOW + 60)
        assert (shown["status"], shown["tmdb_id"], shown["decided_by"], shown["provenance"]) == ("matched", 5, "ada", "live")
        assert ids(database) == [(1, "imdb", "tt5"), (1, "tmdb", "5")]
        (action,) = rows(database, AuditRow)
        assert (action.who, action.what, action.subject, action.at.timestamp()) == ("ada", "review.accept", "film 1", NOW + 60)
        assert (action.before["status"], action.after["tmdb_id"]) == ("review", 5)
        decide(database, 1, replace(MATCHED, tmdb_id=9))
        decide(database, 1, NOT_FOUND)
        with database.reading() as session:
            assert show_review(session, 1).items() <= shown.items()

    def test_a_rejected_film_is_not_found_and_never_asked_again(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            shown = reject_review(session, 1, who="ada", now=NOW)
        assert (shown["status"], shown["tmdb_id"], len(shown["candidates"])) == ("not_found", None, 2)
        assert pending(database, now=NOW + 365 * DAY) == []

    def test_accepting_an_id_that_a_row_of_the_same_title_has_makes_them_one_and_keeps_both_in_the_audit(
        self, database: Database
    ) -> None:
        films(database, Film("Twin", directors=("MARIN Ada",)))
        store(database, nomination("1", award="Q", films=[Film("TWIN", directors=("Ada Marin",))]), festival="cannes")
        decide(database, 1, MATCHED)
        decide(database, 2, REVIEW)
        with database.transaction() as session:
            shown = accept_review(session, 2, 5, who="ada", now=NOW)
        assert (shown["id"], shown["merged"], shown["was_candidate"]) == (1, [1], True)
        assert len(rows(database, MatchDecisionRow)) == 1
        (action,) = rows(database, AuditRow)
        assert (action.before["id"], action.before["status"], action.after["merged"]) == (2, "review", [1])
        (twin,) = action.before["merged"]
        assert (twin["id"], twin["tmdb_id"], twin["directors"]) == (1, 5, ["MARIN Ada"])

    @pytest.mark.parametrize(
        ("mine", "other", "why"),
        [
            (Film("Twin"), Film("Echo"), "titles"),
            (Film("Twin", imdb_id="tt1"), Film("Twin", imdb_id="tt2"), "IMDb ids"),
            (Film("Twin", directors=("Ada",)), Film("Twin", directors=("Bo",)), "directors"),
        ],
    )
    def test_a_typo_does_not_fuse_two_films_unless_a_person_says_merge(
        self, database: Database, database_url: str, mine: Film, other: Film, why: str
    ) -> None:
        films(database, other)
        store(database, nomination("1", award="Q", films=[mine]), festival="cannes")
        decide(database, 1, MATCHED)
        decide(database, 2, REVIEW)
        before = natural_dump(database_url)
        with pytest.raises(UsageError, match=rf"TMDb 5.*film 1 .*{why}.*--merge"), database.transaction() as session:
            accept_review(session, 2, 5, who="ada", now=NOW)
        assert natural_dump(database_url) == before
        assert rows(database, AuditRow) == []
        with database.transaction() as session:
            assert accept_review(session, 2, 5, who="ada", now=NOW, merge=True)["merged"] == [1]
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, 1]
        assert len(rows(database, MatchDecisionRow)) == 1

    def test_an_id_that_was_no_candidate_is_allowed_and_said(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            shown = accept_review(session, 1, 77, who="ada", now=NOW)
        assert (shown["tmdb_id"], shown["was_candidate"], shown["merged"]) == (77, False, [])

    def test_a_film_nobody_knows_is_a_usage_error(self, database: Database) -> None:
        with database.transaction() as session, pytest.raises(UsageError, match="no film 99"):
            accept_review(session, 99, 5, who="ada", now=NOW)
