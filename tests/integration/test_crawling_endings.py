"""How a crawl ends that has nothing to store, or nothing that may be stored, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cinegraph_core.crawling.commands.crawl import ending_of
from cinegraph_core.crawling.loader import spider_of
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer
from tests.support.paper import CATALOGUE, EXACT, LOST, PAPER, SITE, crawl_paper, printed, publish_2024, read
from tests.support.sql import ask, do

pytestmark = pytest.mark.usefixtures("patient_cache")


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    return publish_2024(server)


def test_a_year_without_a_festival_ends_with_no_data(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/2020/lineup", printed({"titles": []}))
    crawled = crawl_paper(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", year="2020")
    assert crawled.stats["finish_reason"] == "no_data"
    assert [page.outcome for page in crawled.items[0].pages] == ["no_data", "absent"]


def test_lesson_16_a_past_edition_without_any_page_says_so(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    services = {"paper_site": {"base_url": server.url}}
    crawled = crawl(tmp_path, spider_of(LOST), LOST, SITE, services=services, years="1990-1991")
    assert [page.outcome for edition in crawled.items for page in edition.pages] == ["error"] * 4
    assert crawled.stats["finish_reason"] == "finished"
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING" and "1990" in record.getMessage()]
    assert len(said) == 1
    assert "paper 1990–1991: none of its pages is there, so their addresses may have changed" in said[0]
    assert "https://paper.example/1990/a" in said[0]


def test_an_edition_that_is_not_published_yet_ends_with_no_data(server: FaultServer, tmp_path: Path) -> None:
    services = {"paper_site": {"base_url": server.url}}
    this_year = datetime.fromtimestamp(FakeClock().now(), UTC).year
    crawled = crawl(tmp_path, spider_of(LOST), LOST, SITE, services=services, years=f"{this_year}-{this_year + 1}")
    assert crawled.stats["finish_reason"] == "no_data"
    assert {page.outcome for edition in crawled.items for page in edition.pages} == {"absent"}


def test_many_years_without_an_edition_are_one_warning(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for year in range(1940, 1946):
        server.plan(f"/{year}/lineup", printed({"titles": []}))
    crawled = crawl_paper(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", years="1940-1945")
    assert crawled.stats["finish_reason"] == "no_data"
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING" and "194" in record.getMessage()]
    assert said == ["paper 1940–1945: no source has anything of it"]


def refused(crawled: Crawled, caplog: pytest.LogCaptureFixture) -> None:
    """One sentence in the log, no traceback, and exit code 1."""
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [error.exc_info for error in errors] == [None]
    assert "may not be stored as truth" in errors[0].getMessage()
    assert crawled.stats["cinegraph/refused"] == 1
    assert ending_of(crawled.stats) == 1


def test_lesson_28_a_stale_page_is_refused_in_a_sentence(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    source = replace(PAPER, read=lambda page: read(replace(page, provenance="stale")))
    services = {"paper_site": {"base_url": server.url}}
    crawled = crawl(tmp_path, spider_of(source), source, SITE, services=services, database_url=database_url, year="2024")
    refused(crawled, caplog)
    assert ask(database_url, "select count(*) from editions") == [(0,)]


def test_lesson_28_decisions_on_stale_answers_are_refused_in_a_sentence(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    services = {name: {"base_url": server.url, "rate_per_second": 0} for name in ("paper_site", "tmdb")}
    given = (spider_of(PAPER), PAPER, SITE, replace(CATALOGUE, cache_ttl=10.0, cache_on_error=1e6), EXACT)
    crawl(tmp_path, *given, services=services, database_url=database_url, clock=PatientClock(), year="2024")
    do(database_url, "delete from match_candidates", "delete from match_decisions", "update films set match_status = null")
    caplog.clear()
    server.plan("/search/movie", answer(503))
    later = PatientClock(1_700_001_000.0)
    crawled = crawl(tmp_path, *given, services=services, database_url=database_url, clock=later, year="2024")
    refused(crawled, caplog)
    assert "1 of 1 films of paper 2024 have no answer yet (circuit_open: the service could not be asked" in caplog.text
    assert ask(database_url, "select status, tmdb_id from match_decisions") == [("error", None)]
    assert ask(database_url, "select count(*) from nominations") == [(4,)]


def test_a_wrong_argument_ends_the_crawl_with_its_reason(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crawled = crawl_paper(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", yaer="2024")
    assert crawled.stats["finish_reason"] == "usage_error"
    assert "unknown argument 'yaer'" in caplog.text
    assert not server.received


def test_lesson_19_a_failed_count_of_what_is_stored_is_not_nothing(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    crawl_paper(server, tmp_path, database_url)
    do(database_url, "alter table editions rename column status to condition")
    received = len(server.received)
    crawled = crawl_paper(server, tmp_path, database_url, missing="true")
    assert crawled.stats["finish_reason"] == "start_error"
    assert len(server.received) == received
