"""Two sources of one edition: which of their nominations are one, and whose word counts."""

from __future__ import annotations

from dataclasses import replace

from cinegraph_core import Film, Person
from cinegraph_core.storage import Database
from cinegraph_core.storage.tables import FilmRow, NominationRow
from tests.support.editions import IMDB, IMDB_LION, LION, OFFICIAL, URLS, count, edition, lines, nomination, rows, store, venice


def test_lesson_12_two_nominees_of_one_film_in_one_category_stay_two_and_a_late_winner_is_updated(database: Database) -> None:
    film = Film(title="Seven Rooms", imdb_id="tt7")
    noor = nomination("i1", source=IMDB, award="Volpi Cup", category="Best Actress", films=[film], people=[Person("Noor", "nm1")])
    mira = replace(noor, key="i2", people=(Person("Mira", "nm2"),))
    first = store(database, edition(noor, mira))
    assert len(first.nomination_ids) == 2
    again = store(database, edition(noor, replace(mira, is_winner=True)))
    assert again.nomination_ids == first.nomination_ids
    assert [line["is_winner"] for line in lines(database, again)] == [False, True]
    assert count(database, NominationRow) == 2


def test_lesson_12_two_actresses_of_one_film_find_their_own_row_at_the_other_source(database: Database) -> None:
    film = Film(title="Seven Rooms", imdb_id="tt7")
    official = [
        nomination(f"o{name}", **LION, films=["SEVEN ROOMS"], people=[Person(name, role="actor")]) for name in ("Noor", "Mira")
    ]
    imdb = [
        nomination(f"i{name}", **IMDB_LION, films=[film], people=[Person(name, f"nm{name}", "nominee")])
        for name in ("Mira", "Noor")
    ]
    stored = store(database, edition(*official, *imdb))
    assert [[person["name"] for person in line["people"]] for line in lines(database, stored)] == [["Noor"], ["Mira"]]


def test_two_nominations_that_cannot_be_told_apart_are_not_shared(database: Database) -> None:
    film = Film(title="Seven Rooms", imdb_id="tt7")
    official = [nomination(f"o{number}", **LION, films=["SEVEN ROOMS"]) for number in (1, 2)]
    stored = store(database, edition(*official, nomination("i1", **IMDB_LION, films=[film])))
    assert len(stored.nomination_ids) == 3


def test_the_official_site_wins_field_by_field_and_imdb_fills_what_is_empty(database: Database) -> None:
    stored = store(database, edition(*venice()))
    lion = next(line for line in lines(database, stored) if line["award"] == LION["award"])
    assert lion == {
        "festival": "venice",
        "edition": {"year": 2024, "number": None, "instance": 1},
        "section": None,
        "award": "GOLDEN LION for Best Film",
        "category": None,
        "is_winner": True,
        "notes": None,
        "films": [
            {
                "title": "THE SALT ROAD",
                "original_title": "LA VIA DEL SALE",
                "year": 2024,
                "imdb_id": "tt1",
                "directors": ["MARIN Ada"],
                "countries": ["Italy"],
                "runtime_minutes": None,
                "kind": "movie",
                "match": None,
            }
        ],
        "people": [{"name": "Ada Marin", "imdb_id": "nm1", "role": "director"}],
        "source": {
            "name": OFFICIAL,
            "url": URLS[OFFICIAL],
            "fetched_at": "2026-01-02T03:04:05Z",
            "parser": "test",
            "provenance": "live",
        },
    }


def test_any_source_makes_a_winner_and_a_correction_unmakes_it(database: Database) -> None:
    official = nomination("o1", **LION, films=["Twin"])
    imdb = nomination("i1", **IMDB_LION, films=[Film("Twin", imdb_id="tt3")], is_winner=True)
    stored = store(database, edition(official, imdb))
    assert [line["is_winner"] for line in lines(database, stored)] == [True]
    stored = store(database, edition(replace(imdb, is_winner=False)))
    assert [line["is_winner"] for line in lines(database, stored)] == [False]


def test_without_an_alias_nothing_is_merged_unless_it_is_literally_the_same(database: Database) -> None:
    film = [Film("Twin", imdb_id="tt3")]
    stored = store(
        database,
        edition(
            nomination("o1", award="PREMIO SPECIALE", films=film),
            nomination("i1", source=IMDB, award="Special Prize", films=film),
            nomination("o2", award="Queer Lion", films=film),
            nomination("i2", source=IMDB, award="queer lion", films=film),
        ),
    )
    assert len(stored.nomination_ids) == 3


def test_a_selection_and_a_nomination_stay_two_rows(database: Database) -> None:
    film = [Film("Twin", imdb_id="tt3")]
    selection = nomination("s", section="golden lion", films=film)
    stored = store(database, edition(selection, nomination("i", source=IMDB, award="golden lion", films=film)))
    assert len(stored.nomination_ids) == 2


def test_a_correction_that_speaks_of_another_film_leaves_the_shared_row(database: Database) -> None:
    official = nomination("o1", **LION, films=["Twin"])
    imdb = nomination("i1", **IMDB_LION, films=["Twin"])
    assert len(store(database, edition(official, imdb)).nomination_ids) == 1
    stored = store(database, edition(replace(official, films=(Film("Echo"),)), imdb))
    assert [[film["title"] for film in line["films"]] for line in lines(database, stored)] == [["Echo"], ["Twin"]]
    assert len(store(database, edition(official, imdb)).nomination_ids) == 1
    assert count(database, NominationRow) == 1


def test_a_page_that_prints_a_title_in_capitals_corrects_nothing(database: Database) -> None:
    store(database, edition(nomination("s1", films=[Film("Maria", original_title="Maria la Divina", year=2023)])))
    store(database, edition(nomination("s2", films=[Film("MARIA", original_title="MARIA LA DIVINA", year=2024)])))
    (film,) = rows(database, FilmRow)
    assert (film.title, film.original_title, film.year) == ("Maria", "Maria la Divina", 2024)
    store(database, edition(nomination("s2", films=[Film("Marià", year=2024)])))
    assert rows(database, FilmRow)[0].title == "Marià", "a slip that is mended is taken over"
