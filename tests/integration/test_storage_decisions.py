"""What is asked about a film and what was decided, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core import Film, Person
from cinegraph_core.errors import ProvenanceError
from cinegraph_core.storage import Database
from cinegraph_core.storage.films import count_films, film_query
from cinegraph_core.storage.lines import edition_lines
from cinegraph_core.storage.tables import FilmRow, MatchCandidateRow, MatchDecisionRow
from tests.support.decisions import CANDIDATES, DAY, ERROR, MATCHED, NOT_FOUND, REVIEW, decide, films, ids, pending
from tests.support.editions import NOW, edition, nomination, rows, store


class TestWhatIsAsked:
    def test_a_film_with_its_own_year_is_asked_with_the_edition_beside_it(self, database: Database) -> None:
        twin = Film(
            "Twin", original_title="Gemello", year=2023, imdb_id="tt1", directors=("Ada Marin",), runtime_minutes=90, kind="movie"
        )
        store(
            database,
            edition(nomination("1", award="P", films=[twin], people=["Bo Ray", "MARIN Ada", Person("Cy", role="actor")])),
        )
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
        store(database, edition(nomination("1", award="P", films=["Twin"]), festival="cannes"))
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
