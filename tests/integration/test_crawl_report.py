"""What a crawl's report counts, and how it says what went wrong."""

from __future__ import annotations

from pathlib import Path

from cinegraph_core.cli.crawl_report import count_films, problem_lines, problems_of
from cinegraph_core.crawling.ledger import Entry
from cinegraph_core.records import Film, Page
from cinegraph_core.storage import Database
from cinegraph_core.storage.editions import StoredEdition, store_edition
from tests.support.editions import edition, nomination

OK = Page("paper_official", "https://x.org/a", "ok")


def test_films_that_print_alike_are_counted_each(tmp_path: Path, database_url: str) -> None:
    database = Database(database_url)
    database.prepare("live")
    with database.transaction() as session:
        stored = [
            store_edition(session, edition(nomination("k", films=[Film("Untitled")]), year=year), aliases={}, now=1.7e9)
            for year in (2023, 2024)
        ]
        counts = count_films(session, stored)
    database.close()
    assert (counts.statuses.total(), dict(counts.statuses), dict(counts.levels)) == (2, {"pending": 2}, {})


def _entry(*pages: Page) -> Entry:
    return Entry("venice", 2024, (OK, *pages), StoredEdition(1, "partial"))


def test_pages_that_could_not_be_read_are_problems_and_others_are_not() -> None:
    gone = Page("venice_official", "https://x.org/b", "blocked", "a challenge page")
    entry = _entry(gone, Page("s", "https://x.org/c", "absent", "HTTP 404"), Page("s", "https://x.org/d", "no_data", "none"))
    (problem,) = problems_of([entry])
    assert (problem["festival"], problem["year"]) == ("venice", 2024)
    assert (problem["url"], problem["outcome"], problem["detail"]) == ("https://x.org/b", "blocked", "a challenge page")


def test_problems_of_one_kind_are_one_line() -> None:
    pages = [Page("s", f"https://x.org/{number}", "error", "HTTP 404, like every page of the edition") for number in range(9)]
    lines = list(problem_lines(problems_of([_entry(*pages), _entry(Page("s", "https://x.org/z", "layout_changed", "no cards"))])))
    assert lines == [
        "venice 2024: 9 pages error: HTTP 404, like every page of the edition (the first: https://x.org/0)",
        "venice 2024: page layout changed: no cards (https://x.org/z)",
    ]
