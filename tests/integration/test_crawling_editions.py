"""From pages to rows: an edition is stored once, whole or partial, and its films are looked up one by one."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from cinegraph_core.crawling.commands.crawl import ending_of
from cinegraph_core.crawling.pipelines import CONCURRENT_LOOKUPS
from cinegraph_core.deciding import REFUSALS
from cinegraph_core.records import Edition
from tests.support.fault_server import FaultServer, answer
from tests.support.paper import EXACT, crawl_paper, printed, publish_2024
from tests.support.sql import ask


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    return publish_2024(server)


def test_an_edition_is_one_item_with_the_pages_it_led_to(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    crawled = crawl_paper(server, tmp_path, database_url)
    (edition,) = crawled.items
    assert isinstance(edition, Edition)
    assert (edition.number, edition.complete) == (7, True)
    assert [nomination.as_printed for nomination in edition.nominations] == ["Lux", "Nox", "Pax", "Vox"]
    assert [page.url for page in edition.pages] == [
        "https://paper.example/2024/lineup",
        "https://paper.example/2024/shorts",
        "https://paper.example/2024/late",
    ]
    assert ask(database_url, "select count(*) from nominations") == [(4,)]
    assert crawled.stats["cinegraph/nominations"] == 4
    assert crawled.stats["cinegraph/pages/ok"] == 3


def test_lesson_11_films_are_stored_before_anyone_looks_them_up(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/search/movie", answer(500))
    crawled = crawl_paper(server, tmp_path, database_url, EXACT)
    assert ask(database_url, "select count(*) from films") == [(4,)]
    assert crawled.stats["cinegraph/films/error"] == 4
    assert ask(database_url, "select distinct match_status from films") == [("error",)]

    server.plan("/search/movie", *[printed({"results": [{"id": number}]}) for number in (11, 12, 13, 14)])
    again = crawl_paper(server, tmp_path, database_url, EXACT)
    assert again.stats["cinegraph/films/matched"] == 4
    assert ask(database_url, "select count(*), count(distinct value) from external_ids where source = 'tmdb'") == [(4, 4)]


def test_a_catalogue_that_refuses_the_key_is_spared_the_rest_of_the_films(
    server: FaultServer, tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan("/2024/lineup", printed({"titles": [f"Film {number}" for number in range(40)]}))
    server.plan("/search/movie", answer(401))
    crawled = crawl_paper(server, tmp_path, database_url, EXACT)
    asked = server.counts["/search/movie"]
    assert REFUSALS <= asked <= REFUSALS + CONCURRENT_LOOKUPS
    assert crawled.stats["cinegraph/films/error"] == asked
    assert "41 of 41 films of paper 2024 have no answer yet (auth_error: " in caplog.text
    assert ending_of(crawled.stats) == 1


def test_lesson_01_pages_that_passed_no_door_are_not_stored(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    without = {"DOWNLOADER_MIDDLEWARES": {"cinegraph_core.crawling.door.DoorMiddleware": None}}
    crawled = crawl_paper(server, tmp_path, database_url, scrapy=without)
    assert not crawled.items
    assert crawled.stats["spider_exceptions/ConfigurationError"] == 2
    assert ask(database_url, "select count(*) from editions") == [(0,)]
    assert not crawled.rows


def test_a_page_that_fails_leaves_a_partial_edition(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/2024/late", answer(503))
    crawled = crawl_paper(server, tmp_path, database_url)
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "ok", "error"]
    assert crawled.items[0].pages[2].detail.startswith("server_error: HTTP 503")
    assert ask(database_url, "select status from editions") == [("partial",)]
    assert ask(database_url, "select count(*) from nominations") == [(3,)]


def test_a_section_that_does_not_exist_is_absent(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/2024/shorts", answer(404))
    crawled = crawl_paper(server, tmp_path, database_url)
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "absent", "ok"]
    assert ask(database_url, "select status from editions") == [("complete",)]


def test_feeds_hold_one_line_per_nomination(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "out.jsonl"
    server.plan("/search/movie", *[printed({"results": [{"id": number}]}) for number in (11, 12, 13, 14)])
    crawled = crawl_paper(server, tmp_path, database_url, EXACT, scrapy={"FEEDS": {str(file): {"format": "jsonl"}}})
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(crawled.items) == 1
    assert sorted(line["films"][0]["title"] for line in lines) == ["Lux", "Nox", "Pax", "Vox"]
    assert {line["source"]["provenance"] for line in lines} == {"live"}
    assert all(line["films"][0]["match"]["status"] == "matched" for line in lines)


def test_lesson_16_what_a_page_lost_is_withdrawn_on_a_persons_word_only(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    standing = "SELECT count(*) FROM nomination_sources WHERE withdrawn_at IS NULL"
    status = "SELECT status FROM editions"
    crawl_paper(server, tmp_path, database_url)
    server.plan("/2024/lineup", printed({"titles": ["Rex"], "number": 7, "follow": ["/2024/late"]}))
    crawl_paper(server, tmp_path, database_url)
    assert (ask(database_url, standing), ask(database_url, status)) == ([(5,)], [("partial",)])
    assert ask(database_url, "SELECT what FROM audit_log") == []
    crawl_paper(server, tmp_path, database_url, withdraw="true")
    assert (ask(database_url, standing), ask(database_url, status)) == ([(3,)], [("complete",)])
    assert ask(database_url, "SELECT who, what, subject FROM audit_log") == [
        (getpass.getuser(), "edition.withdraw", "paper 2024/1")
    ]


def test_lesson_16_what_was_withdrawn_and_what_is_suspicious_is_said(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    titles = [f"Film {letter}" for letter in "abcdefghi"]
    caplog.set_level("INFO")
    for count, said in ((9, "complete, 10 nominations stored"), (8, "complete, 9 nominations stored, 1 statements withdrawn")):
        server.plan("/2024/lineup", printed({"titles": titles[:count]}))
        crawled = crawl_paper(server, tmp_path, database_url)
        assert f"paper 2024: {said}" in caplog.text
        assert ending_of(crawled.stats) == 0
    server.plan("/2024/lineup", printed({"titles": titles[:2]}))
    crawled = crawl_paper(server, tmp_path, database_url)
    assert "paper 2024: partial, 3 nominations stored, suspicious pages: 1" in caplog.text
    assert caplog.text.count("https://paper.example/2024/lineup: 6 of 8") == 1
    assert crawled.stats["cinegraph/suspicious"] == 1
    assert ending_of(crawled.stats) == 1


def test_a_page_that_was_cut_says_so_in_the_log(server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.plan("/2024/shorts", printed({"titles": ["Pax"], "left_out": "2 of 3 cards"}))
    crawled = crawl_paper(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}")
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "error", "ok"]
    assert "https://paper.example/2024/shorts: 2 of 3 cards" in caplog.text
