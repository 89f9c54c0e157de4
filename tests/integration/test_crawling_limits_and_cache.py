"""Crawls are counted on quotas and budgets, and use the same cache as every client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, StopDownload

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.loader import spider_of
from cinegraph_core.errors import BudgetExceededError, QuotaExceededError
from cinegraph_core.storage import Database
from cinegraph_core.storage.cache import purge_answers
from cinegraph_core.testing import FakeClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Exchange, FaultServer, answer, head_of, html
from tests.support.pages import SITE, PageSpider
from tests.support.paper import PAPER
from tests.support.paper import SITE as PAPER_SITE

pytestmark = pytest.mark.usefixtures("patient_cache")
START = 1_700_000_000.0


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    for path in ("/a", "/b", "/c"):
        server.plan(path, html(200, b"card"))
    return server


def crawled(folder: Path, server: FaultServer, *, later: float = 0.0, spec: ServiceSpec = SITE, **settings: Any) -> Crawled:
    more: dict[str, Any] = {name: settings.pop(name) for name in ("paths", "absent_ok", "fresh") if name in settings}
    spider = type("Pages", (PageSpider,), {"base": server.url, **more})
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1}
    given = {"site": {"base_url": server.url, **settings}}
    return crawl(folder, spider, spec, services=given, scrapy=scrapy, clock=FakeClock(START + later))


def test_lesson_25_a_quota_refuses_pages_before_they_are_fetched(server: FaultServer, tmp_path: Path) -> None:
    run = crawled(tmp_path, server, paths=("/a", "/b", "/c"), daily_quota=2)
    errors = [item["error"] for item in run.items if "error" in item]
    assert len(errors) == 1
    assert isinstance(errors[0], QuotaExceededError)
    assert isinstance(errors[0], IgnoreRequest)
    assert server.counts.total() == 2
    assert sorted((row.error_type or "", row.attempts) for row in run.rows) == [("", 1), ("", 1), ("quota_exceeded", 0)]
    again = crawled(tmp_path, server, daily_quota=2)
    assert isinstance(again.items[0]["error"], QuotaExceededError), "the count outlives the process"


def test_lesson_26_a_budget_holds_for_pages_too(server: FaultServer, tmp_path: Path) -> None:
    run = crawled(tmp_path, server, paths=("/a", "/b", "/c"), daily_budget_usd=0.2, price_per_call_usd=0.1)
    assert sum(isinstance(item.get("error"), BudgetExceededError) for item in run.items) == 1
    assert server.counts.total() == 2


def test_pages_are_not_kept_unless_that_is_asked_for(server: FaultServer, tmp_path: Path) -> None:
    crawled(tmp_path, server)
    assert crawled(tmp_path, server).items[0]["receipt"].provenance == "live"
    assert server.counts["/a"] == 2


def test_lesson_27_a_kept_page_answers_the_next_crawl_and_says_so(server: FaultServer, tmp_path: Path) -> None:
    first = crawled(tmp_path, server, cache_ttl=1000.0)
    second = crawled(tmp_path, server, cache_ttl=1000.0, later=10.0)
    assert server.counts["/a"] == 1
    receipt = second.items[0]["receipt"]
    assert (receipt.value, receipt.provenance, receipt.attempts) == ("CARD", "cache", 0)
    assert receipt.fetched_at == first.items[0]["receipt"].fetched_at
    assert [(row.success, row.provenance, row.attempts) for row in second.rows] == [(True, "cache", 0)]
    crawled(tmp_path, server, cache_ttl=1000.0, later=1001.0)
    assert server.counts["/a"] == 2


def test_lesson_27_a_page_that_was_wanted_fresh_takes_the_place_of_a_kept_one(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, b"card 1"), html(200, b"card 2"), html(200, b"card 3"))
    told = [crawled(tmp_path, server, cache_ttl=1000.0, fresh=fresh) for fresh in (False, True, False)]
    assert [run.items[0]["receipt"].value for run in told] == ["CARD 1", "CARD 2", "CARD 2"]


def test_a_page_that_came_by_a_redirect_or_could_not_be_read_is_not_kept(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/moved", answer(301, b"", {"Location": "/a"}))
    server.plan("/changed", html(200, b"nothing we know"))
    for _ in range(2):
        crawled(tmp_path, server, cache_ttl=1000.0, paths=("/moved", "/changed"))
    assert (server.counts["/moved"], server.counts["/changed"]) == (2, 2)


def cut(exchange: Exchange) -> None:
    """Break off in the middle of a page, when others wait for it."""
    exchange.send(head_of(200, 100, {"Content-Type": "text/html"}))
    time.sleep(0.2)
    exchange.send(b"half a card")


class Stopper:
    """Lets no page come to its end, in a crawl that sets ``STOP``."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Stopper:
        stopper = cls()
        if crawler.settings["STOP"]:
            crawler.signals.connect(stopper.stop, signal=signals.bytes_received)
        return stopper

    def stop(self) -> None:
        raise StopDownload(fail=False)


@pytest.mark.parametrize("first", [{"DOWNLOAD_FAIL_ON_DATALOSS": False}, {"STOP": True}])
def test_lesson_27_a_page_known_to_be_cut_is_not_kept_nor_handed_to_others(
    server: FaultServer, tmp_path: Path, first: dict[str, Any]
) -> None:
    server.plan("/cut", cut, cut, html(200, b"the whole card"))
    spider = type("Pages", (PageSpider,), {"base": server.url, "paths": ("/cut", "/cut")})
    given = {"site": {"base_url": server.url, "cache_ttl": 1000.0}}
    told = []
    for own in (first, {}, {}):
        scrapy = {"ROBOTSTXT_OBEY": False, "EXTENSIONS": {Stopper: 0}, **own}
        told.append(crawl(tmp_path, spider, SITE, services=given, scrapy=scrapy, clock=FakeClock(START)))
    assert [item["receipt"].value for run in told for item in run.items] == ["HALF A CARD"] * 2 + ["THE WHOLE CARD"] * 4
    assert [item["receipt"].provenance for item in told[0].items] == ["live", "live"]
    assert server.counts["/cut"] == 3


def test_an_absent_page_is_kept_for_its_own_time(server: FaultServer, tmp_path: Path) -> None:
    for _ in range(2):
        run = crawled(tmp_path, server, cache_ttl=1000.0, paths=("/none",), absent_ok=True)
        assert run.items[0]["status"] == 404
    assert server.counts["/none"] == 1


def test_lesson_27_a_stale_page_stands_in_for_one_that_cannot_be_had(server: FaultServer, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache_ttl": 100.0, "cache_on_error": 5000.0, "retries": 0}
    crawled(tmp_path, server, **settings)
    server.plan("/a", answer(503))
    run = crawled(tmp_path, server, later=200.0, **settings)
    receipt = run.items[0]["receipt"]
    assert (receipt.value, receipt.provenance, receipt.attempts) == ("CARD", "stale", 1)
    assert [(row.success, row.provenance, row.attempts) for row in run.rows] == [(True, "stale", 1)]
    refused = crawled(tmp_path, server, later=300.0, daily_quota=0, on_exhausted="stale", **settings)
    assert refused.items[0]["receipt"].provenance == "stale"
    assert server.counts["/a"] == 2


class ForeignSpider(PageSpider):
    """A spider that knows nothing of calls."""

    async def start(self) -> Any:
        for path in self.paths:
            yield Request(self.base + path, callback=self.page)

    def page(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"status": response.status, "text": response.text, "flags": response.flags}


def test_a_foreign_spider_gains_the_cache_by_a_setting(server: FaultServer, tmp_path: Path) -> None:
    spider = type("Foreign", (ForeignSpider,), {"base": server.url, "paths": ("/a",)})
    texts = []
    for _ in range(2):
        given = {"site": {"base_url": server.url, "cache_ttl": 1000.0}}
        run = crawl(tmp_path, spider, SITE, services=given, scrapy={"ROBOTSTXT_OBEY": False})
        texts.append((run.items[0]["text"], run.items[0]["flags"]))
    assert texts == [("card", []), ("card", ["cached"])]
    assert server.counts["/a"] == 1


def test_pages_that_differ_only_behind_a_semicolon_are_two_pages(server: FaultServer, tmp_path: Path) -> None:
    for path in ("/list;page=1", "/list;page=2"):
        server.plan(path, html(200, path.encode()))
    paths = ("/list;page=1", "/list;page=2", "/list;page=1")
    spider = type("Foreign", (ForeignSpider,), {"base": server.url, "paths": paths})
    given = {"site": {"base_url": server.url, "cache_ttl": 1000.0}}
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter"}
    run = crawl(tmp_path, spider, SITE, services=given, scrapy=scrapy)
    assert [item["text"] for item in run.items] == list(paths)
    assert [server.counts[path] for path in paths[:2]] == [1, 1]


@pytest.mark.parametrize(("year", "fetched"), [(2023, 2), (2022, 1)])
def test_lesson_27_pages_of_the_current_year_are_never_taken_from_the_cache(
    server: FaultServer, tmp_path: Path, year: int, fetched: int
) -> None:
    assert datetime.fromtimestamp(START, UTC).year == 2023
    server.plan(f"/{year}/lineup", answer(200, b'{"titles": ["Lux"]}'))
    given = {"paper_site": {"base_url": server.url, "cache_ttl": 1000.0}}
    for later in (0.0, 10.0):
        clock = FakeClock(START + later)
        run = crawl(tmp_path, spider_of(PAPER), PAPER, PAPER_SITE, services=given, clock=clock, year=str(year))
    assert server.counts[f"/{year}/lineup"] == fetched
    (edition,) = run.items
    assert edition.nominations[0].source.provenance == ("cache" if fetched == 1 else "live")


def test_the_pages_of_an_edition_can_be_forgotten_together(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/2021/lineup", answer(200, b'{"titles": ["Lux"]}'))
    server.plan("/2022/lineup", answer(200, b'{"titles": ["Nox"]}'))
    given = {"paper_site": {"base_url": server.url, "cache_ttl": 1000.0}}
    for year in ("2021", "2022"):
        crawl(tmp_path, spider_of(PAPER), PAPER, PAPER_SITE, services=given, clock=FakeClock(START), year=year)
    database = Database(f"sqlite:///{tmp_path / 'crawl.db'}")
    with database.transaction() as session:
        assert purge_answers(session, "paper_site", prefix="/2021", tag="paper-2022") == 0
        assert purge_answers(session, "paper_site", tag="paper-2022") == 2  # the line-up, and that there are no awards
        assert purge_answers(session, "paper_site", tag="paper-2021") == 2
    database.close()
