"""Storing what festivals print: everything, once, whatever the order, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core import Page
from cinegraph_core.errors import ProvenanceError
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import page_outcomes, stored_years
from cinegraph_core.storage.tables import CategoryRow, EditionRow, FilmRow, NominationRow, NominationSourceRow
from tests.support.dump import natural_dump
from tests.support.editions import (
    IMDB,
    IMDB_LION,
    LION,
    NOW,
    OFFICIAL,
    URLS,
    count,
    edition,
    lines,
    nomination,
    rows,
    store,
    venice,
)


def test_lesson_11_everything_scraped_is_stored_before_any_film_is_matched(database: Database) -> None:
    stored = store(database, edition(*venice()))
    assert (stored.status, stored.withdrawn) == ("complete", 0)
    assert count(database, NominationSourceRow) == 8
    assert count(database, NominationRow) == len(stored.nomination_ids) == 7
    assert [row.match_status for row in rows(database, FilmRow)] == [None] * 4


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


def test_an_edition_is_complete_only_when_no_page_of_it_is_still_missing(database: Database) -> None:
    both = [nomination("o1", **LION, films=["Twin"]), nomination("i1", **IMDB_LION, films=["Other"])]
    official, imdb = (Page(source, URLS[source], "ok", nominations=1) for source in (OFFICIAL, IMDB))
    assert store(database, edition(both[0], pages=[official, replace(imdb, outcome="blocked")])).status == "partial"
    assert store(database, edition(both[0], pages=[official])).status == "partial", "via=official, and IMDb is still blocked"
    assert store(database, edition(both[1], pages=[imdb])).status == "complete"
    new = replace(imdb, url=URLS[IMDB] + "more/", outcome="error")
    assert store(database, edition(*both, pages=[official, imdb, new])).status == "partial", "a page that was never read"
    assert store(database, edition(*both, pages=[official, imdb])).status == "complete", "and is not asked for any more"


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
    assert again == first


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


def test_a_partial_edition_is_whole_once_the_pages_it_lacked_say_that_there_is_nothing(database: Database) -> None:
    late = Page(OFFICIAL, "https://www.labiennale.org/en/late", "error", "server_error: HTTP 503")
    first = store(database, edition(nomination("s1", films=["Lux"]), pages=[Page(OFFICIAL, URLS[OFFICIAL], "ok"), late]))
    assert first.status == "partial"
    again = store(database, edition(pages=[replace(late, outcome="absent", detail="HTTP 404")]))
    assert (again.edition_id, again.status, again.nomination_ids) == (first.edition_id, "complete", ())
    with database.reading() as session:
        assert stored_years(session, "venice") == {2024}
        outcomes = page_outcomes(session, "venice", 2024, 1)
    assert outcomes == {(OFFICIAL, URLS[OFFICIAL]): "ok", (OFFICIAL, late.url): "absent"}
