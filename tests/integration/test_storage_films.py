"""Which printed films are one film, and which printed people one person."""

from __future__ import annotations

from typing import Any

from cinegraph_core import Film, Person
from cinegraph_core.storage import Database
from cinegraph_core.storage.tables import FilmRow, PersonRow
from tests.support.editions import IMDB, count, edition, lines, nomination, rows, store


class TestAFilmBeforeItsId:
    """Found by IMDb id, else by edition, title and directors, else created."""

    def films(self, database: Database, *printed: Film) -> int:
        store(
            database, edition(*(nomination(str(number), award=f"P{number}", films=[film]) for number, film in enumerate(printed)))
        )
        return count(database, FilmRow)

    def test_case_accents_punctuation_and_the_order_of_names_do_not_count(self, database: Database) -> None:
        one = Film("L’ÉTÉ À NÎMES!", directors=("MARIN Ada",))
        assert self.films(database, one, Film("l'ete a nimes", directors=("Ada Marin", "Bo Ray")), Film("L'Eté à Nîmes")) == 1

    def test_marks_of_other_scripts_make_other_titles(self, database: Database) -> None:
        assert self.films(database, Film("か"), Film("が"), Film("Война"), Film("Воина")) == 4

    def test_the_original_title_counts_as_well(self, database: Database) -> None:
        assert self.films(database, Film("The Salt Road", original_title="La via del sale"), Film("La via del sale")) == 1

    def test_other_directors_make_another_film(self, database: Database) -> None:
        assert self.films(database, Film("Home", directors=("Ada Marin",)), Film("Home", directors=("Bo Ray",))) == 2

    def test_years_far_apart_make_another_film(self, database: Database) -> None:
        assert self.films(database, Film("Othello", year=1951), Film("Othello", year=2024)) == 2

    def test_two_imdb_ids_are_never_one_film(self, database: Database) -> None:
        printed = Film("Macbeth", imdb_id="tt1", directors=("Ada",)), Film("Macbeth", imdb_id="tt2", directors=("Ada",))
        assert self.films(database, *printed) == 2
        assert self.films(database, *printed) == 2

    def test_a_film_that_could_be_two_gets_a_row_of_its_own_and_keeps_it(self, database: Database) -> None:
        printed = [Film("Macbeth", imdb_id="tt1"), Film("Macbeth", imdb_id="tt2"), Film("MACBETH"), Film("Macbeth")]
        assert self.films(database, *printed) == 3
        assert self.films(database, *reversed(printed)) == 3

    def test_an_id_learnt_later_is_attached_unless_two_films_could_be_meant(self, database: Database) -> None:
        assert self.films(database, Film("Twin")) == 1
        assert self.films(database, Film("Twin", imdb_id="tt1")) == 1
        assert self.films(database, Film("Echo")) == 2
        assert self.films(database, Film("Echo", imdb_id="tt2"), Film("Echo", imdb_id="tt3")) == 4

    def test_across_editions_films_join_by_id_only(self, database: Database) -> None:
        films = [Film("Twin", imdb_id="tt1"), Film("Echo")]
        store(database, edition(nomination("1", award="P", films=films)))
        store(database, edition(nomination("1", award="P", films=films), festival="cannes"))
        assert [row.title for row in rows(database, FilmRow)] == ["Twin", "Echo", "Echo"]

    def test_a_film_known_from_another_festival_absorbs_the_one_that_waited(self, database: Database) -> None:
        store(database, edition(nomination("1", award="P", films=["Twin"])))
        store(database, edition(nomination("1", award="Q", films=[Film("Twin", imdb_id="tt1")]), festival="cannes"))
        both = [
            nomination("1", award="P", films=["Twin"]),
            nomination("i", source=IMDB, award="R", films=[Film("Twin", imdb_id="tt1")]),
        ]
        stored = store(database, edition(*both))
        assert [row.merged_into for row in rows(database, FilmRow)] == [None, 1]
        assert {line["films"][0]["imdb_id"] for line in lines(database, stored)} == {"tt1"}
        store(database, edition(*both))
        assert count(database, FilmRow) == 2, "nothing new is made for what is printed again"


def test_people_are_one_by_id_and_by_name_within_a_nomination_only(database: Database) -> None:
    def credited(key: str, *people: Person) -> Any:
        return nomination(key, award="Lion", films=[key], people=people)

    item = edition(
        credited("1", Person("Ada Marin", "nm1", "director"), Person("Lagoon", "co1", kind="company")),
        credited("2", Person("A. Marin", "nm1", "writer"), Person("Bo Ray"), Person("Bo Ray", kind="company")),
        credited("3", Person("Bo Ray")),
    )
    for _ in range(2):
        store(database, item)
        people = [(row.name, row.kind) for row in rows(database, PersonRow)]
        assert people == [
            ("A. Marin", "person"),
            ("Lagoon", "company"),
            ("Bo Ray", "person"),
            ("Bo Ray", "company"),
            ("Bo Ray", "person"),
        ]
