"""Crawls whose services are refused: what a replica says in their place is never stored as truth, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.contracts import Replica
from cinegraph_core.crawling.commands.crawl import ending_of
from cinegraph_core.crawling.loader import spider_of
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer
from tests.support.modes import stand_in
from tests.support.paper import CATALOGUE, EXACT, PAPER, SITE, printed, publish_2024
from tests.support.sql import ask


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    """A site and a catalogue, and below ``/replica`` a stand-in for both, which knows other films."""
    publish_2024(server)
    server.plan("/replica/tmdb/search/movie", printed({"results": [{"id": 99}]}))
    for page in ("lineup", "shorts", "late"):
        server.plan(f"/replica/paper_site/2024/{page}", printed({"titles": [f"Made up {page}"]}))
    return server


def paper(server: FaultServer, folder: Path, database_url: str, *, mode: Any = "hybrid", **own: Any) -> Crawled:
    services = {name: {"base_url": server.url, "rate_per_second": 0, **own.get(name, {})} for name in ("paper_site", "tmdb")}
    replica: Replica = stand_in(server, "paper_site", "tmdb")
    given = (spider_of(PAPER), PAPER, SITE, CATALOGUE, EXACT, replica)
    return crawl(folder, *given, services=services, database_url=database_url, clock=PatientClock(), mode=mode, year="2024")


def decisions(database_url: str) -> list[tuple[Any, ...]]:
    return ask(database_url, "select status, tmdb_id, error_type, provenance from match_decisions")


def test_lesson_28_no_film_gets_the_id_a_replica_made_up_and_says_why_it_is_pending(
    server: FaultServer, tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan("/search/movie", answer(503))
    crawled = paper(server, tmp_path, database_url)
    assert server.counts["/replica/tmdb/search/movie"] >= 1, "the replica was asked"
    assert set(decisions(database_url)) == {("error", None, "circuit_open", "live")}
    assert ask(database_url, "select count(*) from external_ids") == [(0,)]
    ((reason,),) = set(ask(database_url, "select error_message from match_decisions"))
    assert reason == (
        "the service was refused and a replica gave the answer: it may not be stored as truth, and the film stays pending"
    )
    assert "have no answer yet (circuit_open: the service was refused and a replica gave the answer" in caplog.text
    assert not [record for record in caplog.records if record.exc_info]
    assert (crawled.stats["cinegraph/refused"], ending_of(crawled.stats)) == (1, 1), "bringing home fakes is no success"
    assert ask(database_url, "select count(*) from nominations") == [(4,)], "what the festival printed is stored"
    rows = [row.provenance for row in crawled.rows if row.kind == "lookup"]
    assert set(rows) == {"fallback"}
    server.plan("/search/movie", printed({"results": [{"id": 11}]}))
    paper(server, tmp_path, database_url)
    assert {status for status, *_ in decisions(database_url)} == {"matched"}, "the next crawl asks again"


def test_lesson_28_a_page_of_a_replica_is_no_page_of_the_festival(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/2024/shorts", answer(503))
    crawled = paper(server, tmp_path, database_url)
    assert server.counts["/replica/paper_site/2024/shorts"] == 1
    titles = {title for (title,) in ask(database_url, "select title from films")}
    assert titles == {"Lux", "Nox", "Vox"}
    assert ask(database_url, "select status, provenance from editions") == [("partial", "live")]
    pages = dict(ask(database_url, "select outcome, detail from edition_pages where outcome <> 'ok'"))
    assert pages == {"error": "the page is fallback, and nothing of it may be stored as truth"}
    assert [row.provenance for row in crawled.calls("fetch_lineup")].count("fallback") == 1


@pytest.mark.parametrize("said", [answer(404), printed({"titles": []})])
def test_lesson_28_that_a_replica_has_no_such_page_is_not_stored_either(
    server: FaultServer, tmp_path: Path, database_url: str, said: Any
) -> None:
    server.plan("/2024/lineup", answer(503))
    server.plan("/2024/shorts", answer(503))
    for page in ("lineup", "shorts"):
        server.plan(f"/replica/paper_site/2024/{page}", said)
    crawled = paper(server, tmp_path, database_url)
    (edition,) = crawled.items
    assert [page.outcome for page in edition.pages] == ["error", "error"]
    assert ask(database_url, "select count(*) from editions") == [(0,)]


def test_lesson_28_a_service_in_mock_mode_decides_nothing_in_a_live_run(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    paper(server, tmp_path, database_url, mode="real", tmdb={"mode": "mock"})
    assert set(decisions(database_url)) == {("error", None, "unknown", "live")}
    assert server.counts["/search/movie"] == 0
    assert ask(database_url, "select count(*) from nominations") == [(4,)]


def test_a_mock_run_stores_what_its_real_service_says_as_mock(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    paper(server, tmp_path, database_url, mode="mock", tmdb={"mode": "real"})
    assert {(tmdb_id, provenance) for _, tmdb_id, _, provenance in decisions(database_url)} == {(11, "mock")}
    assert ask(database_url, "select mode from database_stamp") == [("mock",)]


def test_robots_txt_of_a_replica_holds_for_the_page_that_waited_for_it_alone(server: FaultServer, tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    server.plan("/robots.txt", answer(503), answer(200, b"User-agent: *\nDisallow: /2024/late\n", {"Content-Type": "text/plain"}))
    server.plan("/replica/paper_site/robots.txt", answer(200, b"User-agent: *\nDisallow:\n", {"Content-Type": "text/plain"}))
    crawled = paper(server, tmp_path, database_url)
    assert server.counts["/replica/paper_site/robots.txt"] == 1
    late = next(page for page in crawled.items[0].pages if page.url.endswith("/late"))
    assert (late.outcome, late.detail) == ("blocked", "robots.txt forbids it")
    assert server.counts["/2024/late"] == 0
