"""Middlewares between the door and the network: what they reject, break or answer themselves ends the call as well."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.errors import InvalidResponseError
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer, html
from tests.support.pages import PageSpider

BROKEN = answer(200, b"this is no gzip", {"Content-Encoding": "gzip"})


class Guest(Spider):
    """A spider that knows nothing of Cinegraph; ``last`` is fetched when everything else has ended."""

    name = "guest"
    base = ""
    paths: tuple[str, ...] = ()
    last = "/good"

    async def start(self) -> Any:
        for path in self.paths:
            yield Request(self.base + path, callback=self.came, errback=self.failed)
        if self.last:
            yield Request(self.base + self.last, callback=self.came, errback=self.failed, priority=-1)

    def came(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"path": response.url.removeprefix(self.base), "flags": response.flags}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


class NoPdf:
    """Drops answers, as Scrapy allows."""

    def process_response(self, request: Request, response: Response) -> Response:
        if response.headers.get("Content-Type") == b"application/pdf":
            raise IgnoreRequest("no pdf")
        return response


class Faulty:
    """Has a bug that some answers bring to light."""

    def process_response(self, request: Request, response: Response) -> Response:
        if response.url.endswith("/trap"):
            raise KeyError("title")
        return response


def site(**more: Any) -> ServiceSpec:
    return ServiceSpec("site", "https://www.example.org", kind="site", **more)


def visit(folder: Path, server: FaultServer, *paths: str, spec: ServiceSpec, last: str = "/good", **scrapy: Any) -> Crawled:
    server.plan("/good", html(200))
    folder.mkdir(exist_ok=True)
    spider = type("Visit", (Guest,), {"base": server.url, "paths": paths, "last": last})
    services = {"site": {"base_url": server.url}}
    clock = PatientClock(patient_from=1.0, patience=5.0)
    return crawl(folder, spider, spec, services=services, scrapy={"ROBOTSTXT_OBEY": False, **scrapy}, clock=clock)


def ends(crawled: Crawled) -> dict[str, tuple[bool, str | None, int]]:
    return {row.target_identifier: (row.success, row.error_type, row.attempts) for row in crawled.rows}


def test_a_body_that_cannot_be_unpacked_is_an_invalid_response(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/bad", BROKEN)
    crawled = visit(tmp_path, server, "/bad", spec=site(retries=1))
    assert isinstance(next(item["error"] for item in crawled.items if "error" in item), InvalidResponseError)
    assert ends(crawled) == {"/bad": (False, "invalid_response", 2), "/good": (True, None, 1)}


def test_a_body_that_can_be_unpacked_the_second_time_is_a_page(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", BROKEN, answer(200, gzip.compress(b"card"), {"Content-Encoding": "gzip"}))
    spider = type("Pages", (PageSpider,), {"base": server.url})
    scrapy = {"ROBOTSTXT_OBEY": False}
    crawled = crawl(tmp_path, spider, site(retries=2), services={"site": {"base_url": server.url}}, scrapy=scrapy)
    assert crawled.items[0]["receipt"].value == "CARD"
    assert ends(crawled) == {"/a": (True, None, 2)}


def test_answers_that_a_project_drops_keep_no_place_and_leave_their_rows(server: FaultServer, tmp_path: Path) -> None:
    paths = tuple(f"/{number}" for number in range(6))
    for path in paths:
        server.plan(path, answer(200, b"%PDF", {"Content-Type": "application/pdf"}))
    spec = site(max_concurrent=2, deadline=5.0)
    crawled = visit(tmp_path, server, *paths, spec=spec, DOWNLOADER_MIDDLEWARES={NoPdf: 700})
    assert ends(crawled) == {**dict.fromkeys(paths, (False, "cancelled", 1)), "/good": (True, None, 1)}
    assert Counter(type(item.get("error")) for item in crawled.items) == {IgnoreRequest: 6, type(None): 1}


def test_a_bug_of_the_projects_own_does_not_count_against_the_site(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/trap", html(200))
    crawled = visit(tmp_path, server, "/trap", spec=site(breaker_failures=1), DOWNLOADER_MIDDLEWARES={Faulty: 700})
    assert ends(crawled) == {"/trap": (False, "unknown", 1), "/good": (True, None, 1)}


def test_a_downloader_of_the_projects_own_is_kept_and_what_that_costs_is_said(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crawled = visit(tmp_path, server, spec=site(), DOWNLOADER="scrapy.core.downloader.Downloader")
    assert ends(crawled) == {"/good": (True, None, 1)}
    assert "DOWNLOADER is not derived from" in caplog.text


class Knows:
    """Stands between the door and the network and knows some pages already."""

    def process_request(self, request: Request) -> Request | Response | None:
        if "/seen" in request.url:
            raise IgnoreRequest("seen before")
        if "/trap" in request.url:
            raise KeyError("title")
        if "/moved" in request.url:
            return request.replace(url=request.url.replace("/moved", "/known"), dont_filter=True)
        if "/known" in request.url:
            return HtmlResponse(request.url, body=b"<p>from a shelf of its own", request=request)
        return None


@pytest.mark.parametrize("last", ["/good", ""])
def test_requests_that_never_left_are_not_counted(server: FaultServer, tmp_path: Path, last: str) -> None:
    kinds = "seen", "trap", "moved", "known"
    paths = tuple(f"/{kind}/{number}" for kind in kinds for number in range(3))
    spec = site(daily_quota=1, breaker_failures=1)
    own: dict[str, Any] = {"DOWNLOADER_MIDDLEWARES": {Knows: 700}, "CONCURRENT_REQUESTS": 1}
    crawled = visit(tmp_path, server, *paths, spec=spec, last=last, **own)
    answered = {path: (True, None, 0) for path in paths if path.startswith(("/moved", "/known"))}
    assert ends(crawled) == {**answered, **({last: (True, None, 1)} if last else {})}
    assert {row.provenance for row in crawled.rows if not row.attempts} == {"cache"}
    errors = Counter(type(item["error"]) for item in crawled.items if "error" in item)
    assert errors == {IgnoreRequest: 3, KeyError: 3}
    assert sum(server.counts.values()) == len([last] if last else [])


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    """Scrapy's own HTTP cache."""
    return {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "pages")}


def test_a_page_of_scrapys_own_cache_costs_nothing(server: FaultServer, tmp_path: Path, kept: dict[str, Any]) -> None:
    paths = ("/0", "/1", "/2", "/gone")
    for path in paths[:3]:
        server.plan(path, html(200))
    for number in (1, 2):
        crawled = visit(tmp_path / str(number), server, *paths, spec=site(daily_quota=len(paths) + 1), **kept)
        assert sum(server.counts.values()) == len(paths) + 1
    crawled = visit(tmp_path / "3", server, *paths, spec=site(daily_quota=1), **kept)
    assert {row.target_identifier: (row.provenance, row.attempts, row.error_type) for row in crawled.rows} == {
        **dict.fromkeys(["/0", "/1", "/2", "/good"], ("cache", 0, None)),
        "/gone": ("cache", 0, "not_found"),
    }


def test_with_a_downloader_that_tells_no_departures_all_but_such_pages_are_counted(
    server: FaultServer, tmp_path: Path, kept: dict[str, Any]
) -> None:
    server.plan("/0", html(200))
    for attempts in (1, 0):
        own = {"DOWNLOADER": "scrapy.core.downloader.Downloader", **kept}
        crawled = visit(tmp_path / str(attempts), server, "/0", spec=site(), **own)
        assert ends(crawled) == dict.fromkeys(["/0", "/good"], (True, None, attempts))


def test_a_redirect_of_scrapys_own_cache_is_followed(server: FaultServer, tmp_path: Path, kept: dict[str, Any]) -> None:
    server.plan("/old", answer(301, b"", {"Location": "/new"}))
    server.plan("/new", html(200))
    for number in (1, 2):
        crawled = visit(tmp_path / str(number), server, "/old", spec=site(), last="", **kept)
        assert [item["path"] for item in crawled.items] == ["/new"]
        assert server.counts == {"/old": 1, "/new": 1}
    assert [(row.provenance, row.attempts, row.success) for row in crawled.rows] == [("cache", 0, True)]


def test_a_page_that_a_spider_reads_may_come_from_scrapys_own_cache(
    server: FaultServer, tmp_path: Path, kept: dict[str, Any]
) -> None:
    server.plan("/a", html(200, b"card"))
    server.plan("/b", html(200, b"something else"))
    spider = type("Pages", (PageSpider,), {"base": server.url, "paths": ("/a", "/b")})
    scrapy = {"ROBOTSTXT_OBEY": False, **kept}
    for _ in range(2):
        crawled = crawl(tmp_path, spider, site(), services={"site": {"base_url": server.url}}, scrapy=scrapy)
    (receipt,) = (item["receipt"] for item in crawled.items if "receipt" in item)
    assert (receipt.value, receipt.provenance, receipt.attempts) == ("CARD", "cache", 0)
    assert ends(crawled) == {"/a": (True, None, 0), "/b": (False, "layout_changed", 0)}
