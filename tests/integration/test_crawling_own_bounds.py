"""What a project has said itself of its downloads counts: how long one may take, and how large it may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from scrapy import Request, Spider

from cinegraph_core.crawling.robots import RobotsUnreachableError
from cinegraph_core.errors import ClientError, ServiceTimeoutError
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer, hang, html
from tests.support.pages import SITE
from tests.support.waiting import within

LARGE = b"x" * 5000


class TimedSpider(Spider):
    """Fetches one page for each timeout of its own."""

    name = "timed"
    base = ""
    own: tuple[float | None, ...] = ()

    async def start(self) -> Any:
        for number, timeout in enumerate(self.own):
            meta = {} if timeout is None else {"download_timeout": timeout}
            yield Request(f"{self.base}/{number}", meta=meta, errback=self.failed)

    def parse(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"own": response.meta["download_timeout"]}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value, "url": failure.request.url}


class Look:
    """Stands nearest to the network and sees the timeouts that are really given."""

    seen: ClassVar[list[float]] = []

    def process_request(self, request: Request) -> None:
        self.seen.append(request.meta["download_timeout"])


def timed(folder: Path, server: FaultServer, own: tuple[float | None, ...], scrapy: dict[str, Any], *given: object) -> Crawled:
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, "DOWNLOADER_MIDDLEWARES": {Look: 900}, **scrapy}
    spider = type("Timed", (TimedSpider,), {"base": server.url, "own": own})
    Look.seen.clear()
    return crawl(
        folder, spider, *given, services={SITE.name: {"base_url": server.url, "retries": 0}} if given else {}, scrapy=scrapy
    )


@pytest.mark.parametrize(
    ("scrapy", "own", "given"),
    [
        ({}, (None, 1.0, 60.0), [30.0, 1.0, 30.0]),
        ({"DOWNLOAD_TIMEOUT": 2}, (None, 1.0, 60.0), [2.0, 1.0, 2.0]),
        ({"DOWNLOAD_TIMEOUT": 45}, (None, 1.0, 60.0), [45.0, 1.0, 45.0]),
    ],
)
def test_the_smaller_timeout_counts_and_a_foreign_hosts_is_the_projects(
    server: FaultServer, tmp_path: Path, scrapy: dict[str, Any], own: tuple[float | None, ...], given: list[float]
) -> None:
    for number in range(len(own)):
        server.plan(f"/{number}", html(200, b"page"))
    run = timed(tmp_path, server, own, scrapy)
    assert Look.seen == given
    default = scrapy.get("DOWNLOAD_TIMEOUT", 180)
    assert [item["own"] for item in run.items] == [default if timeout is None else timeout for timeout in own]


def test_a_known_service_is_bounded_by_a_timeout_somebody_chose_only(server: FaultServer, tmp_path: Path) -> None:
    longer = {SITE.name: {"base_url": server.url, "timeout": 240.0, "deadline": 300.0}}
    spider = type("Timed", (TimedSpider,), {"base": server.url, "own": (None, 5.0)})
    Look.seen.clear()
    crawl(tmp_path, spider, SITE, services=longer, scrapy={"ROBOTSTXT_OBEY": False, "DOWNLOADER_MIDDLEWARES": {Look: 900}})
    assert sorted(Look.seen) == [5.0, 240.0]


def test_a_page_that_hangs_ends_when_its_request_says(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/0", hang)
    run = timed(tmp_path, server, (0.2,), {}, SITE)
    assert [isinstance(item["error"], ServiceTimeoutError) for item in run.items] == [True]
    assert within(1.0, lambda: server.counts["/0"] == 1)


def test_a_page_larger_than_the_project_allows_is_asked_for_once_and_says_nothing_of_its_site(
    server: FaultServer, tmp_path: Path
) -> None:
    for number in range(6):
        server.plan(f"/{number}", html(200, LARGE))
    server.plan("/6", html(200, b"small"))
    run = timed(tmp_path, server, (None,) * 7, {"DOWNLOAD_MAXSIZE": 1000})
    assert server.counts == {f"/{number}": 1 for number in range(7)}
    assert [isinstance(item["error"], ClientError) for item in run.items if "error" in item] == [True] * 6
    assert [row.error_type for row in run.calls("fetch_page")] == ["client_error"] * 6 + [None]


def test_a_robots_txt_larger_than_the_project_allows_opens_nothing(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/robots.txt", answer(200, b"User-agent: *\nDisallow: /\n" + LARGE, {"Content-Type": "text/plain"}))
    run = timed(tmp_path, server, (None,), {"DOWNLOAD_MAXSIZE": 1000, "ROBOTSTXT_OBEY": True})
    assert [type(item["error"]) for item in run.items] == [RobotsUnreachableError]
    assert server.counts == {"/robots.txt": 1}
