"""From pages to rows: an edition is stored once, whole or partial, and its films are looked up one by one."""

from __future__ import annotations

import asyncio
import getpass
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    Replica,
    ServiceSpec,
    Source,
)
from cinegraph_core.crawling.commands.crawl import ending_of
from cinegraph_core.crawling.loader import PluginSpiderLoader, spider_of
from cinegraph_core.crawling.spider import EditionSpider
from cinegraph_core.errors import NoDataError, PluginError, UsageError
from cinegraph_core.records import Candidate, Edition, Film, FilmQuery, Nomination, Statement
from cinegraph_core.testing import FakeClock
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


def _lost(arguments: Mapping[str, str]) -> Iterator[EditionPlan]:
    """Plan an edition whose pages nobody has."""
    year = int(arguments["year"])
    yield EditionPlan("paper", year, tuple(_page(f"/{year}/{name}", required=False) for name in "ab"))


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
    follow = tuple(_page(path) for path in said.get("follow", ()))
    return PageResult(nominations, number=said.get("number"), follow=follow, truncated=said.get("left_out", ""))


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
    arguments = {"year": "2024", **more} if "years" not in more else more
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


def _do(database_url: str, *statements: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_lesson_16_what_a_page_lost_is_withdrawn_on_a_persons_word_only(
    server: FaultServer, tmp_path: Path, database_url: str
) -> None:
    standing = "SELECT count(*) FROM nomination_sources WHERE withdrawn_at IS NULL"
    status = "SELECT status FROM editions"
    _crawl(server, tmp_path, database_url)
    server.plan("/2024/lineup", _json({"titles": ["Rex"], "number": 7, "follow": ["/2024/late"]}))
    _crawl(server, tmp_path, database_url)
    assert (_ask(database_url, standing), _ask(database_url, status)) == ([(5,)], [("partial",)])
    assert _ask(database_url, "SELECT what FROM audit_log") == []
    _crawl(server, tmp_path, database_url, withdraw="true")
    assert (_ask(database_url, standing), _ask(database_url, status)) == ([(3,)], [("complete",)])
    assert _ask(database_url, "SELECT who, what, subject FROM audit_log") == [
        (getpass.getuser(), "edition.withdraw", "paper 2024/1")
    ]


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


def test_lesson_16_a_past_edition_without_any_page_says_so(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = Source("lost", _lost, _read, {"year": "the edition"}, {"paper": "Paper Film Festival"}, ("paper_site",))
    services = {"paper_site": {"base_url": server.url}}
    crawled = crawl(tmp_path, spider_of(plan), plan, SITE, services=services, years="1990-1991")
    assert [page.outcome for edition in crawled.items for page in edition.pages] == ["error"] * 4
    assert crawled.stats["finish_reason"] == "finished"
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING" and "1990" in record.getMessage()]
    assert len(said) == 1
    assert "paper 1990–1991: none of its pages is there, so their addresses may have changed" in said[0]
    assert "https://paper.example/1990/a" in said[0]


def test_an_edition_that_is_not_published_yet_ends_with_no_data(server: FaultServer, tmp_path: Path) -> None:
    plan = Source("lost", _lost, _read, {"year": "the edition"}, {"paper": "Paper Film Festival"}, ("paper_site",))
    services = {"paper_site": {"base_url": server.url}}
    this_year = datetime.fromtimestamp(FakeClock().now(), UTC).year
    crawled = crawl(tmp_path, spider_of(plan), plan, SITE, services=services, years=f"{this_year}-{this_year + 1}")
    assert crawled.stats["finish_reason"] == "no_data"
    assert {page.outcome for edition in crawled.items for page in edition.pages} == {"absent"}


def test_many_years_without_an_edition_are_one_warning(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for year in range(1940, 1946):
        server.plan(f"/{year}/lineup", _json({"titles": []}))
    crawled = _crawl(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}", years="1940-1945")
    assert crawled.stats["finish_reason"] == "no_data"
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING" and "194" in record.getMessage()]
    assert said == ["paper 1940–1945: no source has anything of it"]


def test_a_page_that_was_cut_says_so_in_the_log(server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.plan("/2024/shorts", _json({"titles": ["Pax"], "left_out": "2 of 3 cards"}))
    crawled = _crawl(server, tmp_path, f"sqlite:///{tmp_path / 'c.db'}")
    assert [page.outcome for page in crawled.items[0].pages] == ["ok", "error", "ok"]
    assert "https://paper.example/2024/shorts: 2 of 3 cards" in caplog.text


def test_lesson_16_what_was_withdrawn_and_what_is_suspicious_is_said(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    titles = [f"Film {letter}" for letter in "abcdefghi"]
    caplog.set_level("INFO")
    for count, said in ((9, "complete, 10 nominations stored"), (8, "complete, 9 nominations stored, 1 statements withdrawn")):
        server.plan("/2024/lineup", _json({"titles": titles[:count]}))
        crawled = _crawl(server, tmp_path, database_url)
        assert f"paper 2024: {said}" in caplog.text
        assert ending_of(crawled.stats) == 0
    server.plan("/2024/lineup", _json({"titles": titles[:2]}))
    crawled = _crawl(server, tmp_path, database_url)
    assert "paper 2024: partial, 3 nominations stored, suspicious pages: 1" in caplog.text
    assert caplog.text.count("https://paper.example/2024/lineup: 6 of 8") == 1
    assert crawled.stats["cinegraph/suspicious"] == 1
    assert ending_of(crawled.stats) == 1


def _refused(crawled: Crawled, caplog: pytest.LogCaptureFixture) -> None:
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
    source = replace(PAPER, read=lambda page: _read(replace(page, provenance="stale")))
    services = {"paper_site": {"base_url": server.url}}
    crawled = crawl(tmp_path, spider_of(source), source, SITE, services=services, database_url=database_url, year="2024")
    _refused(crawled, caplog)
    assert _ask(database_url, "select count(*) from editions") == [(0,)]


def test_lesson_28_decisions_on_stale_answers_are_refused_in_a_sentence(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database_url = f"sqlite:///{tmp_path / 'c.db'}"
    services = {name: {"base_url": server.url, "rate_per_second": 0} for name in ("paper_site", "tmdb")}
    given = (spider_of(PAPER), PAPER, SITE, replace(CATALOGUE, cache_ttl=10.0, cache_on_error=1e6), EXACT)
    crawl(tmp_path, *given, services=services, database_url=database_url, clock=PatientClock(), year="2024")
    _do(database_url, "delete from match_candidates", "delete from match_decisions", "update films set match_status = null")
    caplog.clear()
    server.plan("/search/movie", answer(503))
    later = PatientClock(1_700_001_000.0)
    crawled = crawl(tmp_path, *given, services=services, database_url=database_url, clock=later, year="2024")
    _refused(crawled, caplog)
    assert "1 of 1 films of paper 2024 stay pending (no decision may rest on such an answer)" in caplog.text
    assert _ask(database_url, "select count(*) from match_decisions") == [(0,)]
    assert _ask(database_url, "select count(*) from nominations") == [(4,)]


def test_the_replica_is_started_off_the_event_loop(server: FaultServer, tmp_path: Path) -> None:
    threads: list[threading.Thread] = []

    def start() -> Mapping[str, str]:
        threads.append(threading.current_thread())
        return {"paper_site": server.url}

    stand_in = Replica("paper_replica", ("paper_site",), start)
    crawl(tmp_path, spider_of(PAPER), PAPER, SITE, stand_in, mode="mock", year="2024")
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert server.counts["/2024/lineup"] == 1


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
