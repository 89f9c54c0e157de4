"""Scrapy's manners towards a project that knows nothing of Cinegraph: whose word comes first, and what an errback gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from scrapy import Request, signals
from scrapy.exceptions import DownloadConnectionRefusedError, IgnoreRequest, ResponseDataLossError, StopDownload
from scrapy.http import HtmlResponse, Response
from scrapy.spidermiddlewares.httperror import HttpError

from cinegraph_core.errors import NetworkError
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer, cut_short, html, refusing_url
from tests.support.visits import Visitor, statuses, visit


class Archive:
    """Answers in the place of what cannot be had."""

    heard: ClassVar[list[Exception]] = []

    def process_exception(self, request: Request, exception: Exception) -> Response:
        self.heard.append(exception)
        return HtmlResponse(request.url, body=b"from the archive", request=request)


def rows(crawled: Crawled) -> dict[str, tuple[bool, int, str | None]]:
    return {row.target_identifier: (row.success, row.attempts, row.error_type) for row in crawled.rows}


def test_a_middleware_of_the_project_may_answer_for_a_page_that_cannot_be_had(tmp_path: Path) -> None:
    Archive.heard.clear()
    crawled = visit(tmp_path, f"{refusing_url()}/x", DOWNLOADER_MIDDLEWARES={Archive: 543})
    assert [type(error) for error in Archive.heard] == [DownloadConnectionRefusedError]
    assert statuses(crawled) == [200]
    assert rows(crawled) == {"/x": (False, 0, "network_error")}


def test_an_errback_gets_an_error_of_ours_that_is_scrapys_as_well(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/cut", cut_short)
    urls = (f"{refusing_url()}/refused", f"{server.url}/cut")
    crawled = visit(tmp_path, *urls)
    for kind, url in zip((DownloadConnectionRefusedError, ResponseDataLossError), urls, strict=True):
        (error,) = (item["error"] for item in crawled.items if item["url"] == url)
        assert isinstance(error, NetworkError)
        assert isinstance(error, kind)


class Tolerant(Visitor):
    """Reads what a sick site answers."""

    handle_httpstatus_list: ClassVar[list[int]] = [503]


@pytest.mark.parametrize(("spider", "expected"), [(Tolerant, 503), (Visitor, HttpError)])
def test_where_a_retry_is_refused_the_last_answer_stands(
    server: FaultServer, tmp_path: Path, spider: type[Visitor], expected: Any
) -> None:
    paths = ("/0", "/1", "/2")
    for path in paths:
        server.plan(path, answer(503, b"maintenance"))
    visiting = type("Visit", (spider,), {"urls": [server.url + path for path in paths]})
    crawled = crawl(tmp_path, visiting, scrapy={"ROBOTSTXT_OBEY": False})
    assert [item.get("status") or type(item["error"]) for item in crawled.items] == [expected] * len(paths)
    assert sum(server.counts.values()) < len(paths) * 4, "the breaker opened before their last retries"


class Stopping(Visitor):
    """Wants to see no more of a page than its headers."""

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Any:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.stop, signal=signals.headers_received)
        return spider

    def stop(self) -> None:
        raise StopDownload(fail=True)


def test_a_page_that_the_project_stops_is_no_fault_of_its_site(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/0", html(200, b"x" * 50_000))
    spider = type("Visit", (Stopping,), {"urls": [f"{server.url}/0"]})
    crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False})
    assert [type(item["error"]) for item in crawled.items] == [StopDownload]
    assert rows(crawled) == {"/0": (False, 1, "cancelled")}


# -------------------------------------------------------------------------------------- redirects that go nowhere


def test_every_redirect_to_a_page_that_has_been_asked_for_is_on_record(server: FaultServer, tmp_path: Path) -> None:
    old = [f"/old{number}" for number in range(5)]
    for path in old:
        server.plan(path, answer(301, b"", {"Location": "/new"}))
    server.plan("/new", html(200))
    crawled = visit(tmp_path, *(server.url + path for path in old))
    assert statuses(crawled) == [200]
    assert sorted(rows(crawled)) == old
    assert sum(row.attempts for row in crawled.rows) == sum(server.counts.values()) == 6
    assert all(row.success for row in crawled.rows)


@pytest.mark.parametrize("location", ["file:///etc/hostname", "mailto:x@example.org"])
def test_a_redirect_to_what_is_no_page_is_the_last_answer(server: FaultServer, tmp_path: Path, location: str) -> None:
    server.plan("/0", answer(302, b"", {"Location": location}))
    assert rows(visit(tmp_path, f"{server.url}/0")) == {"/0": (True, 1, None)}


class OneHop(Visitor):
    """Follows a single redirect."""

    async def start(self) -> Any:
        for url in self.urls:
            yield Request(url, callback=self.came, errback=self.failed, meta={"redirect_ttl": 1})


class Fence:
    """Drops whatever leads where the project does not want to go."""

    def process_request(self, request: Request) -> None:
        if request.url.endswith("/outside"):
            raise IgnoreRequest("outside")


@pytest.mark.parametrize(("fence", "end"), [({}, (True, 2, None)), ({Fence: 50}, (False, 1, "cancelled"))])
def test_a_redirect_that_is_followed_no_further_is_on_record(
    server: FaultServer, tmp_path: Path, fence: dict[Any, int], end: tuple[Any, ...]
) -> None:
    server.plan("/0", answer(302, b"", {"Location": "/outside"}))
    server.plan("/outside", answer(302, b"", {"Location": "/far"}))
    spider = type("Visit", (OneHop,), {"urls": [f"{server.url}/0"]})
    crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False, "DOWNLOADER_MIDDLEWARES": fence})
    assert [isinstance(item["error"], IgnoreRequest) for item in crawled.items] == [True]
    assert rows(crawled) == {"/0": end}


class Broken:
    """Breaks on every redirect that it sees."""

    def process_response(self, request: Request, response: Response) -> Response:
        if response.status == 302:
            raise KeyError("target")
        return response


def test_a_redirect_on_which_the_project_breaks_is_on_record(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/0", answer(302, b"", {"Location": "/1"}))
    crawled = visit(tmp_path, f"{server.url}/0", DOWNLOADER_MIDDLEWARES={Broken: 602})
    assert rows(crawled) == {"/0": (False, 1, "unknown")}
    assert len(crawled.items) == 1
