"""Two rows that prove to be one film."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import func, select

from cinegraph_core import Film
from cinegraph_core.storage import Database
from cinegraph_core.storage.lines import edition_lines
from cinegraph_core.storage.tables import FilmRow, MatchDecisionRow, NominationRow
from tests.support.decisions import CANDIDATES, MATCHED, decide, films, ids, pending
from tests.support.dump import natural_dump
from tests.support.editions import IMDB, edition, nomination, rows, store


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
            edition(
                nomination("o1", award="GOLDEN LION for Best Film", films=["Twin"]),
                nomination(
                    "i1",
                    source=IMDB,
                    award="Golden Lion",
                    category="Best Film",
                    films=[Film("Gemello", imdb_id="tt5")],
                    is_winner=True,
                ),
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
