"""The door for Scrapy, over real HTTP: one row per page whatever happened on the way, and typed ends."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.tickets import Receipt
from cinegraph_core.errors import BlockedError, LayoutChangedError, NetworkError, NotFoundError, ServerError
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer, hang, html, refusing_url
from tests.support.pages import SITE, PageSpider


def _crawl(folder: Path, base: str, *, spec: ServiceSpec = SITE, scrapy: dict[str, Any] | None = None, **more: Any) -> Crawled:
    spider = type("Pages", (PageSpider,), {"base": base, **more})
    return crawl(folder, spider, spec, services={"site": {"base_url": base}}, scrapy={"ROBOTSTXT_OBEY": False, **(scrapy or {})})


def test_a_page_comes_with_a_receipt_and_leaves_one_row(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, b"<p>card</p>"))
    crawled = _crawl(tmp_path, server.url)
    (item,) = crawled.items
    receipt = item["receipt"]
    assert isinstance(receipt, Receipt)
    assert (receipt.value, receipt.provenance, receipt.attempts) == ("<P>CARD</P>", "live", 1)
    assert receipt.fetched_at == crawled.clock.now()
    (row,) = crawled.rows
    assert (row.source, row.operation, row.target_identifier, row.success, row.attempts) == ("site", "fetch_card", "/a", True, 1)


def test_lesson_24_retries_are_the_doors_alone_and_one_row(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(503), answer(500), html(200, b"card"))
    crawled = _crawl(tmp_path, server.url)
    assert crawled.items[0]["receipt"].attempts == 3
    assert [(row.success, row.attempts) for row in crawled.rows] == [(True, 3)]
    assert server.counts["/a"] == 3
    assert "retry/count" not in crawled.stats


def test_a_service_that_stays_down_ends_in_its_typed_error(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(503))
    crawled = _crawl(tmp_path, server.url)
    assert isinstance(crawled.items[0]["error"], ServerError)
    assert [(row.success, row.attempts, row.error_type) for row in crawled.rows] == [(False, 4, "server_error")]
    assert server.counts["/a"] == 4


def test_retry_after_is_waited_for_on_the_clock(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(429, headers={"Retry-After": "3"}), html(200, b"card"))
    crawled = _crawl(tmp_path, server.url)
    assert crawled.items[0]["receipt"].attempts == 2
    assert sum(crawled.clock.slept) == pytest.approx(3.0)


def test_a_redirect_is_the_same_call(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(301, b"", {"Location": "/b"}))
    server.plan("/b", answer(302, b"", {"Location": f"{server.url}/c"}))
    server.plan("/c", html(200, b"card"))
    crawled = _crawl(tmp_path, server.url)
    assert crawled.items[0]["receipt"].value == "CARD"
    assert [(row.target_identifier, row.success, row.attempts) for row in crawled.rows] == [("/a", True, 3)]


def test_redirects_without_end_are_one_failed_call(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(302, b"", {"Location": "/a"}))
    crawled = _crawl(tmp_path, server.url, scrapy={"REDIRECT_MAX_TIMES": 3})
    assert "error" in crawled.items[0]
    assert [(row.success, row.attempts) for row in crawled.rows] == [(False, server.counts["/a"])]


def test_a_compressed_body_is_read_as_text(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(200, gzip.compress(b"card"), {"Content-Encoding": "gzip"}))
    assert _crawl(tmp_path, server.url).items[0]["receipt"].value == "CARD"


def test_a_changed_layout_is_not_tried_again_and_belongs_to_the_calls_row(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, b"<p>something else</p>"))
    crawled = _crawl(tmp_path, server.url)
    assert isinstance(crawled.items[0]["error"], LayoutChangedError)
    assert [(row.success, row.attempts, row.error_type) for row in crawled.rows] == [(False, 1, "layout_changed")]


def test_lesson_22_a_404_is_asked_for_once(server: FaultServer, tmp_path: Path) -> None:
    crawled = _crawl(tmp_path, server.url)
    assert isinstance(crawled.items[0]["error"], NotFoundError)
    assert server.counts["/a"] == 1


def test_an_absence_that_is_fine_reaches_the_callback(server: FaultServer, tmp_path: Path) -> None:
    crawled = _crawl(tmp_path, server.url, absent_ok=True)
    assert (crawled.items[0]["status"], crawled.items[0]["receipt"].value) == (404, None)
    assert [(row.success, row.error_type) for row in crawled.rows] == [(True, "not_found")]


def test_a_challenge_page_is_blocked(server: FaultServer, tmp_path: Path) -> None:
    spec = ServiceSpec(
        "site",
        "https://www.example.org",
        kind="site",
        judge=lambda page: BlockedError("a challenge") if page.status == 202 else None,
    )
    server.plan("/a", html(202, b"card"))
    crawled = _crawl(tmp_path, server.url, spec=spec)
    assert isinstance(crawled.items[0]["error"], BlockedError)
    assert [(row.success, row.error_type) for row in crawled.rows] == [(False, "blocked")]


def test_a_refused_connection_counts_as_unsent(tmp_path: Path) -> None:
    crawled = _crawl(tmp_path, refusing_url())
    assert isinstance(crawled.items[0]["error"], NetworkError)
    assert [(row.success, row.attempts, row.metadata) for row in crawled.rows] == [(False, 0, {"unsent": 4})]


def test_an_attempt_that_hangs_ends_at_its_timeout(server: FaultServer, tmp_path: Path) -> None:
    spec = ServiceSpec("site", "https://www.example.org", kind="site", timeout=0.2, retries=0)
    server.plan("/a", hang)
    crawled = _crawl(tmp_path, server.url, spec=spec)
    assert [(row.success, row.attempts, row.error_type) for row in crawled.rows] == [(False, 1, "timeout")]
    assert server.hung_up.wait(2.0)
    for told in (str(crawled.items[0]["error"]), crawled.rows[0].error_message or ""):
        assert "https://www.example.org/a" in told, "the public address, under which the page is stored"
        assert server.url not in told


def test_an_open_breaker_refuses_the_rest(server: FaultServer, tmp_path: Path) -> None:
    spec = ServiceSpec("site", "https://www.example.org", kind="site", retries=0, breaker_failures=2)
    paths = tuple(f"/{number}" for number in range(6))
    for path in paths:
        server.plan(path, answer(500))
    crawled = _crawl(tmp_path, server.url, spec=spec, paths=paths, scrapy={"CONCURRENT_REQUESTS": 1})
    assert [row.error_type for row in crawled.rows] == ["server_error"] * 2 + ["circuit_open"] * 4
    assert sum(server.counts.values()) == 2


def test_the_wait_for_ones_turn_is_not_the_calls_time(server: FaultServer, tmp_path: Path) -> None:
    paths = tuple(f"/{number}" for number in range(6))
    for path in paths:
        server.plan(path, answer(503), html(200, b"card"))
    spider = type("Pages", (PageSpider,), {"base": server.url, "paths": paths})
    services = {"site": {"base_url": server.url, "delay": 10.0, "deadline": 5.0, "timeout": 2.0}}
    one_by_one = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1}
    crawled = crawl(tmp_path, spider, SITE, services=services, scrapy=one_by_one)
    assert [(row.success, row.attempts) for row in crawled.rows] == [(True, 2)] * 6
    assert crawled.clock.monotonic() > 11 * 5.0  # twelve requests, at least half a delay apart
    assert max(row.response_time_ms or 0.0 for row in crawled.rows) <= 1000.0  # the backoff alone


class ForeignSpider(Spider):
    """A spider that knows nothing of Cinegraph."""

    name = "foreign"
    base = ""
    handle_httpstatus_list = (410,)

    async def start(self) -> Any:
        for path in ("/fine", "/gone", "/absent"):
            yield Request(self.base + path, errback=self.failed)

    def parse(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"status": response.status, "text": response.text}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"refused": failure.value.response.status}


def test_a_foreign_spider_keeps_its_manners_and_is_tracked(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/fine", answer(503), html(200, b"hello"))
    server.plan("/gone", html(410, b"gone"))
    spider = type("Foreign", (ForeignSpider,), {"base": server.url})
    crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False})
    host = server.url.removeprefix("http://").replace(".", "_").replace(":", "_")
    assert sorted(map(str, crawled.items)) == sorted(
        map(str, [{"status": 200, "text": "hello"}, {"status": 410, "text": "gone"}, {"refused": 404}])
    )
    assert {(row.source, row.operation) for row in crawled.rows} == {(f"host_{host}", "fetch_page")}
    assert {row.target_identifier: (row.attempts, row.error_type) for row in crawled.rows} == {
        "/fine": (2, None),
        "/gone": (1, "not_found"),
        "/absent": (1, "not_found"),
    }


def test_a_public_address_leads_to_where_the_service_really_is(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/fine", html(200, b"here"))
    spider = type("Foreign", (ForeignSpider,), {"base": "https://www.example.org"})
    crawled = crawl(tmp_path, spider, SITE, services={"site": {"base_url": server.url}}, scrapy={"ROBOTSTXT_OBEY": False})
    assert {"status": 200, "text": "here"} in crawled.items
    assert {row.source for row in crawled.rows} == {"site"}


class ClosingSpider(PageSpider):
    """Is stopped, as by Ctrl-C, when its first page has come."""

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        self.stopping = asyncio.ensure_future(self.crawler.stop_async())
        yield from super().came(response)


def test_a_page_never_sent_is_not_on_record_when_the_crawl_closes(server: FaultServer, tmp_path: Path) -> None:
    paths = tuple(f"/{number}" for number in range(5))
    for path in paths:
        server.plan(path, html(200, b"card"))
    spider = type("Pages", (ClosingSpider,), {"base": server.url, "paths": paths})
    services = {"site": {"base_url": server.url, "delay": 1000.0}}
    clock = PatientClock(patience=0.01)
    crawled = crawl(tmp_path, spider, SITE, services=services, scrapy={"ROBOTSTXT_OBEY": False}, clock=clock)
    assert sum(server.counts.values()) == 1
    assert [(row.target_identifier, row.success, row.attempts) for row in crawled.rows] == [("/0", True, 1)]


def test_a_page_that_failed_before_the_crawl_closes_stays_on_record(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", answer(503, headers={"Retry-After": "8"}))
    server.plan("/b", html(200, b"card"))
    spider = type("Pages", (ClosingSpider,), {"base": server.url, "paths": ("/a", "/b")})
    services = {"site": {"base_url": server.url, "delay": 1.0}}
    clock = PatientClock(patience=0.05)
    crawled = crawl(tmp_path, spider, SITE, services=services, scrapy={"ROBOTSTXT_OBEY": False}, clock=clock)
    (row,) = (row for row in crawled.rows if row.target_identifier == "/a")
    assert (row.success, row.attempts, row.error_type) == (False, server.counts["/a"], "cancelled")
