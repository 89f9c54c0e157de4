"""What a crawl's report counts, and how it says what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cinegraph_core import endings
from cinegraph_core.cli.crawl import _empty_handed, _hints, _suggestions
from cinegraph_core.cli.crawl_report import CrawlReport, count_films, print_report, problem_lines, problems_of
from cinegraph_core.crawling.ledger import Entry
from cinegraph_core.records import Film, Page
from cinegraph_core.settings import load_settings
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


def _report(**fields: Any) -> CrawlReport:
    names = ("films_by_status", "film_errors", "matched_by_level", "pages", "calls", "requests")
    counts: dict[str, Any] = {name: {} for name in names}
    plain: dict[str, Any] = {
        "spider": "venice",
        "mode": "real",
        "reason": "finished",
        "seconds": 1.0,
        "nominations": 0,
        "films": 0,
        "films_waiting": 0,
    }
    return CrawlReport(**(plain | counts | {"editions": [], "problems": []} | fields))


@pytest.mark.parametrize(
    ("arguments", "pages", "code", "told"),
    [
        ({"missing": "true"}, {}, endings.DONE, "no page is missing"),
        ({"missing": "false"}, {}, endings.NOTHING_TO_DO, "nothing was found"),
        ({}, {}, endings.NOTHING_TO_DO, "nothing was found"),
        ({}, {"parked": 1}, endings.DONE, "parked until"),
    ],
)
def test_an_empty_crawl_is_well_only_where_nothing_was_to_be_found(
    capsys: pytest.CaptureFixture[str], arguments: Mapping[str, str], pages: Mapping[str, int], code: int, told: str
) -> None:
    assert _empty_handed(arguments, _report(pages=pages)) == code
    assert capsys.readouterr().err.startswith((told, f"what was to be read is {told}"))


def test_a_crawl_that_lacks_no_page_says_which_films_wait_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert _empty_handed({"missing": "true"}, _report(films_waiting=46)) == endings.DONE
    assert "46 films wait for an answer; which, and why: cinegraph match --pending --list" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "services", "title"),
    [
        ("real", {}, "venice: what was found"),
        ("real", {"tmdb": {"mode": "mock"}}, "venice: what was found · MOCK data from tmdb"),
        ("mock", {}, "venice: what was found · MOCK data"),
    ],
)
def test_a_report_says_which_data_is_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, services: Mapping[str, Any], title: str
) -> None:
    settings = load_settings(directory=tmp_path, environ={}, mode=mode, services=services)
    print_report(_report(mode=mode), settings, to_stderr=False)
    assert capsys.readouterr().out.splitlines()[0] == title


def _edition(status: str) -> Mapping[str, Any]:
    return {"festival": "venice", "year": 2024, "status": status}


@pytest.mark.parametrize(
    ("status", "outcome", "arguments", "first"),
    [
        ("partial", "parked", {"year": "2024"}, "crawl venice -a year=2024 -a missing=true"),
        ("partial", "parked", {"year": "2024", "missing": "true"}, "crawl venice -a year=2024 -a missing=true"),
        ("failed", "blocked", {"year": "2024"}, "crawl venice -a year=2024"),
    ],
)
def test_a_crawl_that_is_not_whole_names_the_crawl_that_brings_the_rest(
    tmp_path: Path, status: str, outcome: str, arguments: Mapping[str, str], first: str
) -> None:
    settings = load_settings(directory=tmp_path, environ={}, mode="real")
    report = _report(editions=[_edition(status)], problems=[{"outcome": outcome}])
    suggested = list(_suggestions(report, settings, arguments))
    assert suggested[0].endswith(first)
    assert not any(line.endswith("doctor --probe") for line in suggested)


def test_a_service_that_failed_is_to_be_probed(tmp_path: Path) -> None:
    settings = load_settings(directory=tmp_path, environ={}, mode="real")
    report = _report(editions=[_edition("partial")], problems=[{"outcome": "error"}])
    assert list(_suggestions(report, settings, {}))[1].endswith("doctor --probe")


@pytest.mark.parametrize(
    ("mode", "status", "pages", "arguments", "told"),
    [
        ("real", "partial", {"blocked": 1}, {}, "via=…: official (La Biennale only), imdb"),
        ("real", "partial", {"blocked": 1}, {"via": "imdb"}, ""),
        ("mock", "failed", {}, {}, "the bundled replica holds but a few editions"),
        ("mock", "partial", {}, {}, ""),
        ("real", "failed", {}, {}, ""),
    ],
)
def test_a_crawl_hints_at_another_source_and_at_the_bounds_of_mock_mode(
    tmp_path: Path, mode: str, status: str, pages: Mapping[str, int], arguments: Mapping[str, str], told: str
) -> None:
    settings = load_settings(directory=tmp_path, environ={}, mode=mode)
    hints = list(_hints(_report(pages=pages, editions=[_edition(status)]), settings, arguments))
    assert len(hints) == bool(told)
    assert told in "".join(hints)


def test_many_years_without_an_edition_are_one_row_and_a_person_is_no_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = {"festival": "venice", "withdrawn": 0, "suspicious": []}
    editions = [{**plain, "year": year, "status": "no_data", "nominations": 0} for year in range(1932, 2022)]
    editions.append({**plain, "year": 2024, "status": "complete", "nominations": 73})
    settings = load_settings(directory=tmp_path, environ={}, mode="real")
    print_report(_report(editions=editions, matched_by_level={"a person": 2, "1 direct_imdb": 1}), settings, to_stderr=False)
    shown = capsys.readouterr().out
    assert "venice 2024 (complete)" in shown
    assert "venice 1932–2021 (no data)" in shown
    assert "  level 1 direct_imdb" in shown
    assert "  a person" in shown
    assert len(shown.splitlines()) < 25
