"""A service that asks a crawl for a pause gets it, and no page is lost for it; nor for time in Scrapy's own queues."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.turns import LONGEST_PAUSE
from cinegraph_core.errors import RateLimitError
from cinegraph_core.testing import FakeClock
from tests.support.clocks import PatientClock
from tests.support.crawling import crawl
from tests.support.fault_server import FaultServer, answer, html
from tests.support.pages import SITE, PageSpider
from tests.support.visits import ClosingVisitor, Visitor, noted, statuses, too_many, visit

PATHS = tuple(f"/{number}" for number in range(12))


@pytest.mark.parametrize("places", [1, 4, 16])
def test_lesson_22_a_pause_asked_for_is_kept_and_no_page_is_lost(server: FaultServer, tmp_path: Path, places: int) -> None:
    for path in PATHS:
        server.plan(path, html(200))
    server.plan("/3", too_many(60), html(200))
    urls = [server.url + path for path in PATHS]
    crawled, handler = noted(tmp_path, *urls, clock=FakeClock(), CONCURRENT_REQUESTS=places)
    (left,) = handler.left.values()
    assert statuses(crawled) == [200] * len(PATHS)
    assert {(row.success, row.attempts) for row in crawled.rows if row.target_identifier != "/3"} == {(True, 1)}
    assert [row.attempts for row in crawled.rows if row.target_identifier == "/3"] == [2]
    assert not [moment for moment in left if 5.0 < moment < 60.0], "nothing is sent during the pause"
    assert max(left) == pytest.approx(60.0, abs=5.0)


def test_a_window_that_the_provider_says_is_used_up_is_waited_out_too(server: FaultServer, tmp_path: Path) -> None:
    used_up = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "300"}
    server.plan("/0", answer(429, b"", used_up), html(200))
    server.plan("/1", html(200))
    crawled = visit(tmp_path, f"{server.url}/0", f"{server.url}/1", CONCURRENT_REQUESTS=1)
    assert statuses(crawled) == [200, 200]
    assert crawled.clock.monotonic() == pytest.approx(300.0, abs=5.0)


def test_a_page_told_to_wait_again_and_again_comes_in_the_end(server: FaultServer, tmp_path: Path) -> None:
    spec = ServiceSpec("site", "https://www.example.org", kind="site", retries=1, deadline=30.0)
    server.plan("/a", *([too_many(100)] * 8), html(200, b"card"))
    spider = type("Pages", (PageSpider,), {"base": server.url})
    services = {"site": {"base_url": server.url}}
    crawled = crawl(tmp_path, spider, spec, services=services, scrapy={"ROBOTSTXT_OBEY": False})
    assert [(row.success, row.attempts) for row in crawled.rows] == [(True, 9)]
    assert crawled.clock.monotonic() == pytest.approx(800.0, abs=10.0)
    assert (crawled.rows[0].response_time_ms or 0.0) < 1000.0, "a pause says nothing of how fast the service is"


def test_a_pause_longer_than_the_crawl_waits_is_an_error_that_says_how_long(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", too_many(61), html(200, b"card"))
    server.plan("/b", html(200, b"card"))
    spider = type("Pages", (PageSpider,), {"base": server.url, "paths": ("/a", "/b")})
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, LONGEST_PAUSE: 60}
    crawled = crawl(tmp_path, spider, SITE, services={"site": {"base_url": server.url}}, scrapy=scrapy)
    errors = [item["error"] for item in crawled.items]
    assert all(isinstance(error, RateLimitError) for error in errors)
    assert [error.retry_after for error in errors] == pytest.approx([61.0, 61.0], abs=1.0)
    assert sum(server.counts.values()) == 1


def test_a_service_that_never_stops_asking_for_pauses_is_left_in_the_end(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", too_many(11))
    spider = type("Pages", (PageSpider,), {"base": server.url})
    scrapy = {"ROBOTSTXT_OBEY": False, LONGEST_PAUSE: 600}
    crawled = crawl(tmp_path, spider, SITE, services={"site": {"base_url": server.url}}, scrapy=scrapy)
    assert isinstance(crawled.items[0]["error"], RateLimitError)
    assert server.counts["/a"] == 10 + 1, "ten pauses, each counted as a minute"


class Sender(Visitor):
    """Sends forms, which must not be sent twice."""

    async def start(self) -> Any:
        for url in self.urls:
            yield Request(url, method="POST", body=b"x", callback=self.came, errback=self.failed)


def test_a_form_waits_for_a_pause_but_is_not_sent_again(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/told", too_many(60), html(200))
    server.plan("/waits", html(200))
    spider = type("Send", (Sender,), {"urls": (f"{server.url}/told", f"{server.url}/waits")})
    crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1})
    assert {row.target_identifier: (row.success, row.attempts) for row in crawled.rows} == {
        "/told": (False, 1),
        "/waits": (True, 1),
    }
    assert crawled.clock.monotonic() == pytest.approx(60.0, abs=2.0)


def test_what_waits_in_scrapys_queue_is_called_back_for_a_pause(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/0", too_many(30), html(200))
    for path in PATHS[1:4]:
        server.plan(path, html(200))
    urls = [server.url + path for path in PATHS[:4]]
    clock = PatientClock(patience=0.01)
    crawled, handler = noted(tmp_path, *urls, clock=clock, DOWNLOAD_DELAY=0.1, DOWNLOAD_DELAY_JITTER=0)
    (left,) = handler.left.values()
    assert statuses(crawled) == [200] * 4
    assert [round(moment) >= 30 for moment in left] == [False, True, True, True, True]
    assert {(row.success, row.attempts) for row in crawled.rows if row.target_identifier != "/0"} == {(True, 1)}


def test_the_pages_of_others_do_not_wait_for_a_service_that_wants_a_pause(tmp_path: Path) -> None:
    with FaultServer() as tired, FaultServer() as well:
        for server in (tired, well):
            for path in PATHS:
                server.plan(path, html(200))
        tired.plan("/0", too_many(1000), html(200))
        urls = [server.url + path for server in (tired, well) for path in PATHS]
        crawled, handler = noted(tmp_path, *urls, clock=FakeClock(), CONCURRENT_REQUESTS=2)
        late, early = (handler.left[server.url.removeprefix("http://")] for server in (tired, well))
    assert statuses(crawled) == [200] * len(urls)
    assert max(early) < 1000.0
    (told,) = handler.told.values()
    assert [round(moment) >= 1000 for moment in late] == [False] * told + [True] * (len(late) - told)


def test_a_crawl_that_is_stopped_does_not_wait_for_the_end_of_a_pause(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/0", too_many(80_000))
    with FaultServer() as other:
        other.plan("/late", html(200))
        spider = type("Visit", (ClosingVisitor,), {"urls": (f"{server.url}/0", f"{other.url}/late")})
        crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, LONGEST_PAUSE: 86_400})
    assert crawled.clock.monotonic() < 80_000.0
    assert [row.error_type for row in crawled.rows if row.target_identifier == "/0"] == ["cancelled"]


class HastyClock(FakeClock):
    """A clock on which a hundred seconds pass in one."""

    def now(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        return time.monotonic() * 100.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100.0)


@pytest.mark.parametrize(
    "queue",
    [{"DOWNLOAD_DELAY": 0.05}, {"DOWNLOAD_DELAY": 0.05, "AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0.05}],
    ids=["delay", "autothrottle"],
)
def test_time_in_scrapys_own_queue_is_not_the_sites(server: FaultServer, tmp_path: Path, queue: dict[str, Any]) -> None:
    for path in PATHS:
        server.plan(path, html(200))
    urls = [server.url + path for path in PATHS]
    crawled = visit(tmp_path, *urls, clock=HastyClock(), DOWNLOAD_DELAY_JITTER=0, **queue)
    assert statuses(crawled) == [200] * len(PATHS)
    # Eleven delays of 5 s on this clock; the last page waits through all of them.
    assert sorted(row.response_time_ms or 0.0 for row in crawled.rows)[len(PATHS) // 2] < 20_000.0


def test_what_another_host_asks_for_after_a_redirect_is_held_against_that_host(tmp_path: Path) -> None:
    with FaultServer() as first, FaultServer() as second:
        first.plan("/go", answer(302, b"", {"Location": f"{second.url}/there"}))
        first.plan("/own", html(200))
        second.plan("/there", too_many(3700))
        second.plan("/other", html(200))
        urls = (f"{first.url}/go", f"{first.url}/own", f"{second.url}/other")
        crawled = visit(tmp_path, *urls, CONCURRENT_REQUESTS=1)
        ours, theirs = (server.url.rpartition(":")[2] for server in (first, second))
    ends = {(row.source.rpartition("_")[2], row.target_identifier): (row.success, row.attempts) for row in crawled.rows}
    assert ends == {
        (ours, "/go"): (True, 1),
        (ours, "/own"): (True, 1),
        (theirs, "/there"): (False, 1),
        (theirs, "/other"): (False, 0),
    }
    assert second.counts == {"/there": 1}
