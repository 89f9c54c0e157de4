"""From pages to rows: an edition is stored once, whole or partial, and its films are looked up one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cinegraph_core.contracts import (
    Answer,
    Call,
    EditionPlan,
    LookupContext,
    Matcher,
    PageInput,
    PageRequest,
    PageResult,
    ServiceSpec,
    Source,
)
from cinegraph_core.crawling.loader import PluginSpiderLoader, spider_of
from cinegraph_core.crawling.spider import EditionSpider
from cinegraph_core.errors import NoDataError, PluginError, UsageError
from cinegraph_core.records import Candidate, Edition, Film, FilmQuery, Nomination, Statement
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer

SITE = ServiceSpec("paper_site", "https://paper.example", kind="site", retries=0)
CATALOGUE = ServiceSpec("tmdb", "https://tmdb.example", retries=0, breaker_failures=1000)


def _page(path: str, *, required: bool = True) -> PageRequest:
    return PageRequest("paper_site", path, "fetch_lineup", "paper_official", required=required)


def _plan(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    if unknown := sorted(set(arguments) - {"year"}):
        raise UsageError(f"paper: unknown argument {unknown[0]!r}; known is year")
    year = int(arguments["year"])
    yield EditionPlan("paper", year, (_page(f"/{year}/lineup"), _page(f"/{year}/shorts", required=False)))


def _read(page: PageInput) -> PageResult:
    """Read pages whose body is JSON: titles, and the path of a further page."""
    said = page.answer.json()
    if not said.get("titles"):
        raise NoDataError("the page says that there was no festival")
    moment = datetime.fromtimestamp(page.fetched_at, UTC)
    statement = Statement(page.request.statement, page.answer.url, "paper", moment, page.provenance)
    nominations = tuple(
        Nomination(
            f"key-{title}", statement, section="competition", films=(Film(title, directors=("Ana Lira",)),), as_printed=title
        )
        for title in said["titles"]
    )
    return PageResult(nominations, number=said.get("number"), follow=tuple(_page(path) for path in said.get("follow", ())))


PAPER = Source(
    name="paper",
    plan=_plan,
    read=_read,
    arguments={"year": "the edition, e.g. year=2024"},
    festivals={"paper": "Paper Film Festival"},
    services=("paper_site",),
)


async def _propose(query: FilmQuery, context: LookupContext) -> Sequence[Candidate]:
    def read(found: Answer) -> Any:
        return found.json()

    call = Call("tmdb", "search_movie", f"{query.title} ({query.year})", read=read)
    hits = await context.client("tmdb").get("/search/movie", params={"query": query.title}, call=call)
    return [
        Candidate(hit["id"], query.title, year=query.year, directors=query.directors, detailed=True) for hit in hits["results"]
    ]


EXACT = Matcher("paper_exact", 2, "exact_title_year", 0.9, _propose)


def _json(value: Any) -> Any:
    return answer(200, json.dumps(value).encode())


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.plan("/2024/lineup", _json({"titles": ["Lux", "Nox"], "number": 7, "follow": ["/2024/late"]}))
        server.plan("/2024/shorts", _json({"titles": ["Pax"]}))
        server.plan("/2024/late", _json({"titles": ["Vox"]}))
        server.plan("/search/movie", _json({"results": [{"id": 11}]}))
        yield server


def _crawl(server: FaultServer, folder: Path, database_url: str, *given: object, **more: Any) -> Crawled:
    services = {"paper_site": {"base_url": server.url}, "tmdb": {"base_url": server.url, "rate_per_second": 0}}
    arguments = {"year": "2024", **more}
    return crawl(
        folder,
        spider_of(PAPER),
        PAPER,
        SITE,
        CATALOGUE,
        *given,
        services=services,
        database_url=database_url,
        clock=PatientClock(),
        **arguments,
    )


def _ask(database_url: str, sql: str) -> list[tuple[Any, ...]]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(sql))]
    engine.dispose()
    return rows


def test_an_edition_is_one_item_with_the_pages_it_led_to(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    crawled = _crawl(server, tmp_path, database_url)
    (edition,) = crawled.items
    assert isinstance(edition, Edition)
    assert (edition.number, edition.complete) == (7, True)
    assert [nomination.as_printed for nomination in edition.nominations] == ["Lux", "Nox", "Pax", "Vox"]
    assert [page.url for page in edition.pages] == [
        "https://paper.example/2024/lineup",
        "https://paper.example/2024/shorts",
        "https://paper.example/2024/late",
    ]
    assert _ask(database_url, "select count(*) from nominations") == [(4,)]
    assert crawled.stats["cinegraph/nominations"] == 4
    assert crawled.stats["cinegraph/pages/ok"] == 3


def test_lesson_11_films_are_stored_before_anyone_looks_them_up(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/search/movie", answer(500))
    crawled = _crawl(server, tmp_path, database_url, EXACT)
    assert _ask(database_url, "select count(*) from films") == [(4,)]
    assert crawled.stats["cinegraph/films/error"] == 4
    assert _ask(database_url, "select distinct match_status from films") == [("error",)]

    server.plan("/search/movie", *[_json({"results": [{"id": number}]}) for number in (11, 12, 13, 14)])
    again = _crawl(server, tmp_path, database_url, EXACT)
    assert again.stats["cinegraph/films/matched"] == 4
    assert _ask(database_url, "select count(*), count(distinct value) from external_ids where source = 'tmdb'") == [(4, 4)]


def test_lesson_01_pages_that_passed_no_door_are_not_stored(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    without = {"DOWNLOADER_MIDDLEWARES": {"cinegraph_core.crawling.door.DoorMiddleware": None}}
    crawled = _crawl(server, tmp_path, database_url, scrapy=without)
    assert not crawled.items
    assert crawled.stats["spider_exceptions/ConfigurationError"] == 2
    assert _ask(database_url, "select count(*) from editions") == [(0,)]
    assert not crawled.rows


def test_a_page_that_fails_leaves_a_partial_edition(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/2024/late", answer(503))
    crawled = _crawl(server, tmp_path, database_url)
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "ok", "error"]
    assert crawled.items[0].pages[2].detail.startswith("server_error: HTTP 503")
    assert _ask(database_url, "select status from editions") == [("partial",)]
    assert _ask(database_url, "select count(*) from nominations") == [(3,)]


def test_a_section_that_does_not_exist_is_absent(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    server.plan("/2024/shorts", answer(404))
    crawled = _crawl(server, tmp_path, database_url)
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "absent", "ok"]
    assert _ask(database_url, "select status from editions") == [("complete",)]


def test_a_year_without_a_festival_ends_with_no_data(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/2020/lineup", _json({"titles": []}))
    crawled = _crawl(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", year="2020")
    assert crawled.stats["finish_reason"] == "no_data"
    assert [page.outcome for page in crawled.items[0].pages] == ["no_data", "absent"]


def test_a_wrong_argument_ends_the_crawl_with_its_reason(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crawled = _crawl(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", yaer="2024")
    assert crawled.stats["finish_reason"] == "usage_error"
    assert "unknown argument 'yaer'" in caplog.text
    assert not server.received


def test_lesson_19_a_failed_count_of_what_is_stored_is_not_nothing(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    _crawl(server, tmp_path, database_url)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("alter table editions rename column status to condition"))
    engine.dispose()
    received = len(server.received)
    crawled = _crawl(server, tmp_path, database_url, missing="true")
    assert crawled.stats["finish_reason"] == "start_error"
    assert len(server.received) == received


def test_feeds_hold_one_line_per_nomination(server: FaultServer, tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "out.jsonl"
    server.plan("/search/movie", *[_json({"results": [{"id": number}]}) for number in (11, 12, 13, 14)])
    crawled = _crawl(server, tmp_path, database_url, EXACT, scrapy={"FEEDS": {str(file): {"format": "jsonl"}}})
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(crawled.items) == 1
    assert sorted(line["films"][0]["title"] for line in lines) == ["Lux", "Nox", "Pax", "Vox"]
    assert {line["source"]["provenance"] for line in lines} == {"live"}
    assert all(line["films"][0]["match"]["status"] == "matched" for line in lines)


def test_a_source_without_a_spider_gets_one(server: FaultServer) -> None:
    spider = spider_of(PAPER)
    assert issubclass(spider, EditionSpider)
    assert (spider.__name__, spider.name) == ("PaperSpider", "paper")


@pytest.mark.parametrize("spider", ["nowhere.at_all:Spider", "cinegraph_core.contracts:Source", "json:dumps"])
def test_a_spider_that_cannot_be_imported_is_refused(spider: str) -> None:
    broken = Source("torn", _plan, _read, {}, {}, (), spider=spider)
    with pytest.raises((ImportError, PluginError)):
        spider_of(broken)


def test_the_loader_leaves_out_a_broken_spider_and_says_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    from scrapy.settings import Settings

    from cinegraph_core.crawling import loader
    from cinegraph_core.testing import fresh_plugins

    torn = Source("torn", _plan, _read, {}, {}, (), spider="nowhere.at_all:Spider")
    monkeypatch.setattr(loader, "load_plugins", lambda blocked: fresh_plugins(PAPER, torn))
    with pytest.warns(RuntimeWarning, match=r"'torn'.*nowhere\.at_all:Spider.*ModuleNotFoundError"):
        spiders = PluginSpiderLoader.from_settings(Settings({"SPIDER_MODULES": []}))
    assert spiders.list() == ["paper"]


def test_two_crawls_share_one_house(server: FaultServer, tmp_path: Path) -> None:
    from scrapy.settings import Settings

    from cinegraph_core.crawling.house import SETTING, House
    from tests.support.crawling import opened

    with opened(tmp_path, PAPER, SITE) as (application, _):
        settings = Settings({SETTING: application})
        first, second = House.of(settings), House.of(settings.copy())
        assert first is second
        assert first.enter() is second.enter() is application
        asyncio.run(first.leave())
        asyncio.run(second.leave())
        assert application.tracker.flush(1.0)
