"""What a person says about a film in doubt, on both databases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from cinegraph_core import Film
from cinegraph_core.errors import UsageError
from cinegraph_core.storage import Database
from cinegraph_core.storage.lines import edition_lines
from cinegraph_core.storage.review import accept_review, list_reviews, reject_review, show_review
from cinegraph_core.storage.tables import FilmRow, MatchDecisionRow
from tests.support.decisions import CANDIDATES, DAY, MATCHED, NOT_FOUND, REVIEW, decide, films, ids, pending
from tests.support.dump import natural_dump
from tests.support.editions import NOW, edition, nomination, rows, store


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

    def test_a_persons_word_is_kept_and_never_overruled(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            _, shown = accept_review(session, 1, 5, who="ada", now=NOW + 60)
        assert (shown["status"], shown["tmdb_id"], shown["decided_by"], shown["provenance"]) == ("matched", 5, "ada", "live")
        assert ids(database) == [(1, "imdb", "tt5"), (1, "tmdb", "5")]
        decide(database, 1, replace(MATCHED, tmdb_id=9))
        decide(database, 1, NOT_FOUND)
        with database.reading() as session:
            assert show_review(session, 1).items() <= shown.items()

    def test_a_rejected_film_is_not_found_and_never_asked_again(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            _, shown = reject_review(session, 1, who="ada", now=NOW)
        assert (shown["status"], shown["tmdb_id"], len(shown["candidates"])) == ("not_found", None, 2)
        assert pending(database, now=NOW + 365 * DAY) == []

    def test_accepting_an_id_that_a_row_of_the_same_title_has_makes_them_one_and_tells_both(self, database: Database) -> None:
        films(database, Film("Twin", directors=("MARIN Ada",)))
        store(database, edition(nomination("1", award="Q", films=[Film("TWIN", directors=("Ada Marin",))]), festival="cannes"))
        decide(database, 1, MATCHED)
        decide(database, 2, REVIEW)
        with database.transaction() as session:
            before, shown = accept_review(session, 2, 5, who="ada", now=NOW)
        assert (shown["id"], shown["merged"], shown["was_candidate"]) == (1, [1], True)
        assert len(rows(database, MatchDecisionRow)) == 1
        assert (before["id"], before["status"]) == (2, "review")
        (twin,) = before["merged"]
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
        store(database, edition(nomination("1", award="Q", films=[mine]), festival="cannes"))
        decide(database, 1, MATCHED)
        decide(database, 2, REVIEW)
        before = natural_dump(database_url)
        with pytest.raises(UsageError, match=rf"TMDb 5.*film 1 .*{why}.*--merge"), database.transaction() as session:
            accept_review(session, 2, 5, who="ada", now=NOW)
        assert natural_dump(database_url) == before
        with database.transaction() as session:
            assert accept_review(session, 2, 5, who="ada", now=NOW, merge=True)[1]["merged"] == [1]
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, 1]
        assert len(rows(database, MatchDecisionRow)) == 1
        for decide_again in (partial(accept_review, tmdb_id=6), reject_review):
            with pytest.raises(UsageError, match=r"film 2 is one with film 1.*name film 1"), database.transaction() as session:
                decide_again(session, 2, who="ada", now=NOW)

    def test_an_id_that_was_no_candidate_is_allowed_and_said(self, database: Database) -> None:
        films(database, "Twin")
        decide(database, 1, REVIEW)
        with database.transaction() as session:
            _, shown = accept_review(session, 1, 77, who="ada", now=NOW)
        assert (shown["tmdb_id"], shown["was_candidate"], shown["merged"]) == (77, False, [])

    def test_a_film_nobody_knows_is_a_usage_error(self, database: Database) -> None:
        with database.transaction() as session, pytest.raises(UsageError, match="no film 99"):
            accept_review(session, 99, 5, who="ada", now=NOW)
