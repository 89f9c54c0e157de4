"""Storing what festivals print: everything, once, whatever the order, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from cinegraph_core import Edition, Film, Page, Person
from cinegraph_core.errors import ProvenanceError
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import StoredEdition, edition_lines, store_edition, stored_years
from cinegraph_core.storage.tables import (
    AuditRow,
    CategoryRow,
    EditionPageRow,
    EditionRow,
    FilmRow,
    NominationRow,
    NominationSourceRow,
    PersonRow,
)
from tests.support.dump import natural_dump
from tests.support.editions import ALIASES, IMDB, NOW, OFFICIAL, URLS, edition, nomination

LION = {"award": "GOLDEN LION for Best Film"}
IMDB_LION = {"source": IMDB, "award": "Golden Lion", "category": "Best Film"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.prepare("real")
    yield database
    database.close()


def store(database: Database, item: Edition, *, now: float = NOW) -> StoredEdition:
    with database.transaction() as session:
        return store_edition(session, item, aliases=ALIASES, now=now)


def rows(database: Database, table: type[Any]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table).order_by(table.id)).all()


def count(database: Database, table: type[SQLModel]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def lines(database: Database, stored: StoredEdition) -> list[dict[str, Any]]:
    with database.reading() as session:
        return edition_lines(session, stored.nomination_ids)


def venice() -> list[Any]:
    """A line-up and awards as two sources print them: shared and unshared, with and without films, people, ids."""
    salt = Film(title="THE SALT ROAD", original_title="LA VIA DEL SALE", directors=("MARIN Ada",), countries=("Italy",))
    salt_imdb = Film(title="The Salt Road", original_title="La via del sale", year=2024, imdb_id="tt1", kind="movie")
    return [
        nomination("s1", section="competition", films=[salt], as_printed="The Salt Road"),
        nomination("s2", section="competition", films=["Winter Harbour"]),
        nomination("a1", **LION, is_winner=True, films=[salt], people=["Ada Marin"], as_printed="GOLDEN LION …"),
        nomination("a2", award="Honorary Lion", people=["Ida Holm"]),
        nomination("i1", **IMDB_LION, is_winner=True, films=[salt_imdb], people=[Person("Ada Marin", "nm1", "nominee")]),
        nomination(
            "i2", **IMDB_LION, films=[Film("Winter Harbour", imdb_id="tt2")], people=[Person("Reel", "co1", kind="company")]
        ),
        nomination("i3", source=IMDB, award="Special Prize", category="Best Film", notes="for its courage"),
        nomination(
            "i4", source=IMDB, award="Queer Lion", category="Best Film", films=[Film("Twin", imdb_id="tt3"), Film("Echo")]
        ),
    ]


def test_lesson_11_everything_scraped_is_stored_before_any_film_is_matched(database: Database) -> None:
    stored = store(database, edition(*venice()))
    assert (stored.status, stored.statements, stored.films_new, stored.withdrawn) == ("complete", 8, 4, 0)
    assert count(database, NominationSourceRow) == 8
    assert count(database, NominationRow) == len(stored.nomination_ids) == 7
    assert {row.match_status for row in rows(database, FilmRow)} == {None}


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


def test_lesson_13_nothing_of_a_nomination_is_lost(database: Database) -> None:
    several = nomination("1", award="Lion", category="Best Film", films=["Twin", "Echo"])
    same_category = nomination("2", award="Bear", category="Best Film", films=["Twin"])
    lifetime = nomination("3", award="Lifetime Lion", people=["Ida Holm"])
    bare = nomination("4", award="Special Prize")
    stored = store(database, edition(several, same_category, lifetime, bare))
    found = lines(database, stored)
    assert [(line["award"], line["category"]) for line in found] == [
        ("Lion", "Best Film"),
        ("Bear", "Best Film"),
        ("Lifetime Lion", None),
        ("Special Prize", None),
    ]
    assert [[film["title"] for film in line["films"]] for line in found] == [["Twin", "Echo"], ["Twin"], [], []]
    assert [person["name"] for person in found[2]["people"]] == ["Ida Holm"]
    assert count(database, CategoryRow) == 2
    assert count(database, FilmRow) == 2


def test_a_key_that_a_source_gives_twice_is_kept_twice(database: Database) -> None:
    twice = [nomination("same", award="Lion", films=["Twin"]), nomination("same", award="Bear", films=["Twin"])]
    for _ in range(2):
        stored = store(database, edition(*twice))
        assert len(stored.nomination_ids) == 2
        assert [row.source_key for row in rows(database, NominationSourceRow)] == ["same", "same~2"]


@pytest.mark.parametrize("outcome", ["blocked", "layout_changed", "error", "no_data", "absent"])
def test_lesson_16_a_page_without_content_takes_nothing_away_and_is_remembered(
    database: Database, database_url: str, outcome: Any
) -> None:
    first = store(database, edition(*venice()))
    before = [line for line in natural_dump(database_url) if not line.startswith("page")]
    empty = edition(pages=[Page(OFFICIAL, URLS[OFFICIAL], outcome, "challenge page")])
    again = store(database, empty)
    assert again.edition_id == first.edition_id
    assert again.status == ("no_data" if outcome in ("no_data", "absent") else "failed")
    assert [line for line in natural_dump(database_url) if not line.startswith("page")] == before
    page = next(row for row in rows(database, EditionPageRow) if row.source == OFFICIAL)
    assert (page.outcome, page.detail, page.nominations) == (outcome, "challenge page", 1)


def test_lesson_16_a_page_that_lost_much_withdraws_nothing_and_says_so(database: Database) -> None:
    nominations = [nomination(str(number), award="Lion", films=[f"Film {number}"]) for number in range(9)]
    store(database, edition(*nominations))
    stored = store(database, edition(*nominations[:5]))
    assert (stored.withdrawn, stored.status) == (0, "partial")
    assert [URLS[OFFICIAL] in remark and "4 of 9" in remark for remark in stored.suspicious] == [True]
    assert {row.withdrawn_at for row in rows(database, NominationSourceRow)} == {None}
    (page,) = rows(database, EditionPageRow)
    assert (page.outcome, page.nominations) == ("layout_changed", 1)
    assert "4 of 9 statements are missing now; none was withdrawn" in page.detail
    with database.reading() as session:
        assert stored_years(session, "venice") == set()
    healed = store(database, edition(*nominations))
    assert (healed.status, healed.suspicious) == ("complete", ())


@pytest.mark.parametrize("size", [1, 2, 3])
def test_lesson_16_no_page_however_small_loses_all_it_had(database: Database, size: int) -> None:
    store(database, edition(*(nomination(str(number), award="Lion", films=[f"Film {number}"]) for number in range(size))))
    stored = store(database, edition(nomination("other", award="Bear", films=["Other"])))
    assert (stored.withdrawn, stored.status, len(stored.suspicious)) == (0, "partial", 1)


def test_lesson_16_a_persons_word_withdraws_what_is_gone_and_is_audited(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    nominations = [nomination(str(number), award="Lion", films=[f"Film {number}"]) for number in range(9)]
    store(database, edition(*nominations))
    with database.transaction() as session:
        item = edition(*nominations[:2])
        stored = store_edition(session, item, aliases=ALIASES, now=NOW + 60, withdraw_by="ada")
    assert (stored.withdrawn, stored.status, stored.suspicious) == (7, "complete", ())
    (action,) = rows(database, AuditRow)
    assert (action.who, action.what, action.subject, action.at.timestamp()) == (
        "ada",
        "edition.withdraw",
        "venice 2024/1",
        NOW + 60,
    )
    assert (action.before["statements"], action.after["statements"]) == (9, 2)
    assert [said["source_key"] for said in action.after["withdrawn"]] == [str(number) for number in range(2, 9)]
    assert any("7 of 9 statements" in record.message and URLS[OFFICIAL] in record.message for record in caplog.records)


def test_a_persons_word_with_nothing_to_withdraw_leaves_no_trace(database: Database) -> None:
    for _ in range(2):
        with database.transaction() as session:
            store_edition(session, edition(nomination("1", award="Lion")), aliases=ALIASES, now=NOW, withdraw_by="ada")
    assert rows(database, AuditRow) == []


def test_lesson_16_new_keys_for_what_is_said_already_double_nothing(database: Database) -> None:
    """A site changes its typography, and every key that is a hash of the printed text with it."""
    printed = [
        nomination(f"old{number}", award="Lion", category="Best Film", films=[f"L'ete {number}"], people=[f"ADA Marin {number}"])
        for number in range(4)
    ]
    bare = nomination("old bare", award="Special Prize")
    first = store(database, edition(*printed, bare))
    anew = [
        replace(said, key=said.key.replace("old", "new"), award="LION", films=(Film(f"L’Été {number}"),), as_printed="set anew")
        for number, said in enumerate(printed)
    ]
    stored = store(database, edition(*anew, replace(bare, key="new bare")))
    assert (stored.nomination_ids, stored.withdrawn, stored.suspicious) == (first.nomination_ids, 0, ())
    assert [row.source_key for row in rows(database, NominationSourceRow)] == ["new0", "new1", "new2", "new3", "new bare"]
    assert count(database, NominationRow) == 5


def test_a_new_key_replaces_none_that_is_still_printed_or_says_something_else(database: Database) -> None:
    old = nomination("1", award="Lion", films=["Twin"], people=["Ada"])
    store(database, edition(old, nomination("2", award="Bear", films=["Echo"]), nomination("3", award="Fox", films=["Sand"])))
    store(
        database,
        edition(
            old,
            replace(old, key="4"),
            nomination("5", award="Bear", films=["Other"]),
            nomination("6", award="Fox", films=["Sand"], people=["Bo"]),
            nomination("3", award="Fox", films=["Sand"]),
        ),
    )
    found = {row.source_key: row.withdrawn_at is None for row in rows(database, NominationSourceRow)}
    assert found == {"1": True, "2": False, "3": True, "4": True, "5": True, "6": True}


def test_an_edition_is_complete_only_when_no_page_of_it_is_still_missing(database: Database) -> None:
    both = [nomination("o1", **LION, films=["Twin"]), nomination("i1", **IMDB_LION, films=["Other"])]
    official, imdb = (Page(source, URLS[source], "ok", nominations=1) for source in (OFFICIAL, IMDB))
    assert store(database, edition(both[0], pages=[official, replace(imdb, outcome="blocked")])).status == "partial"
    assert store(database, edition(both[0], pages=[official])).status == "partial", "via=official, and IMDb is still blocked"
    assert store(database, edition(both[1], pages=[imdb])).status == "complete"
    new = replace(imdb, url=URLS[IMDB] + "more/", outcome="error")
    assert store(database, edition(*both, pages=[official, imdb, new])).status == "partial", "a page that was never read"
    assert store(database, edition(*both, pages=[official, imdb])).status == "complete", "and is not asked for any more"


def test_what_a_page_no_longer_says_is_withdrawn_never_deleted_and_comes_back(database: Database) -> None:
    nominations = [nomination(str(number), award="Lion", films=[f"Film {number}"]) for number in range(9)]
    store(database, edition(*nominations))
    stored = store(database, edition(*nominations[:7]), now=NOW + 60)
    assert stored.withdrawn == 2
    assert [row.withdrawn_at is None for row in rows(database, NominationSourceRow)] == [True] * 7 + [False] * 2
    assert count(database, NominationRow) == 9
    store(database, edition(*nominations))
    assert {row.withdrawn_at for row in rows(database, NominationSourceRow)} == {None}


def test_a_page_that_was_not_read_this_time_withdraws_nothing(database: Database) -> None:
    both = [nomination("o1", **LION, films=["Twin"]), nomination("i1", **IMDB_LION, films=["Other"])]
    store(database, edition(*both))
    only_imdb = edition(both[1], pages=[Page(OFFICIAL, URLS[OFFICIAL], "blocked"), Page(IMDB, URLS[IMDB], "ok", nominations=1)])
    stored = store(database, only_imdb)
    assert stored.withdrawn == 0
    assert stored.status == "complete", "a partial import does not make a whole edition partial"


def test_lesson_19_nothing_known_is_not_stored_and_does_not_make_a_year_complete(database: Database) -> None:
    failed = store(database, edition(pages=[Page(OFFICIAL, URLS[OFFICIAL], "blocked")]))
    nothing = store(database, edition(pages=[Page(OFFICIAL, URLS[OFFICIAL], "no_data")]))
    unknown = store(database, edition(pages=[]))
    assert [item.status for item in (failed, nothing, unknown)] == ["failed", "no_data", "failed"]
    assert count(database, EditionRow) == 0
    partial = edition(venice()[0], year=2023, pages=[Page(OFFICIAL, URLS[OFFICIAL], "ok"), Page(IMDB, URLS[IMDB], "error")])
    assert store(database, partial).status == "partial"
    store(database, edition(venice()[0]))
    with database.reading() as session:
        assert stored_years(session, "venice") == {2024}
        assert stored_years(session, "cannes") == set()
        assert stored_years(session, "venice", instance=2) == set(), "another edition of the same year"


def test_storing_twice_changes_nothing(database: Database, database_url: str) -> None:
    first = store(database, edition(*venice()))
    dump = natural_dump(database_url)
    again = store(database, edition(*venice()), now=NOW + 60)
    assert natural_dump(database_url) == dump
    assert again == replace(first, films_new=0)


def test_the_order_of_pages_does_not_matter(database: Database, database_url: str, tmp_path: Any) -> None:
    store(database, edition(*venice()))
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    other.prepare("real")
    official, imdb = venice()[:4], venice()[4:]
    store(other, edition(*imdb, *official))
    other.close()
    assert natural_dump(database_url) == natural_dump(f"sqlite:///{tmp_path / 'other.db'}")


@pytest.mark.parametrize("imdb_first", [False, True])
def test_the_order_of_imports_does_not_matter(database: Database, database_url: str, tmp_path: Any, imdb_first: bool) -> None:
    store(database, edition(*venice()))
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    other.prepare("real")
    halves = [edition(*venice()[:4]), edition(*venice()[4:])]
    for half in reversed(halves) if imdb_first else halves:
        store(other, half)
    other.close()
    assert natural_dump(database_url) == natural_dump(f"sqlite:///{tmp_path / 'other.db'}")


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
        assert store(database, edition(*both)).films_new == 0


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


@pytest.mark.parametrize("provenance", ["mock", "stale", "fallback"])
def test_a_fake_is_never_stored_as_truth(database: Database, provenance: Any) -> None:
    store(database, edition(nomination("1", award="P", films=["Twin"])))
    with pytest.raises(ProvenanceError, match=provenance):
        store(database, edition(nomination("2", award="Q", films=["Echo"], provenance=provenance)))
    assert count(database, FilmRow) == 1


@pytest.mark.parametrize("provenance", ["mock", "stale", "fallback"])
def test_lesson_28_the_very_first_write_of_a_live_database_is_no_fake_either(database: Database, provenance: Any) -> None:
    with pytest.raises(ProvenanceError, match=provenance):
        store(database, edition(nomination("1", award="P", films=["Twin"], provenance=provenance)))
    assert count(database, NominationSourceRow) == 0


def test_what_the_feed_shows_follows_a_text_that_no_database_takes(database: Database) -> None:
    stored = store(
        database, edition(nomination("1", award="P\x00rize", films=["Tw\x00in \ud800"], as_printed="\x00", people=["A\x00da"]))
    )
    line = lines(database, stored)[0]
    assert line["award"] == "Prize"
    assert line["films"][0]["title"] == "Twin ?"
