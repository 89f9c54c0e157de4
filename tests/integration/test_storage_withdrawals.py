"""A page that says less than before: what is withdrawn, what is only suspicious, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cinegraph_core import Film, Page
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import store_edition, stored_years
from cinegraph_core.storage.tables import AuditRow, EditionPageRow, NominationRow, NominationSourceRow
from tests.support.dump import natural_dump
from tests.support.editions import (
    ALIASES,
    IMDB,
    IMDB_LION,
    LION,
    NOW,
    OFFICIAL,
    URLS,
    count,
    edition,
    nomination,
    rows,
    store,
    venice,
)


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
