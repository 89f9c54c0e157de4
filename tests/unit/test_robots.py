"""robots.txt is obeyed by everyone who waits for it, once per service and crawl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware

from cinegraph_core.contracts import ServiceSpec
from cinegraph_core.crawling.robots import RobotsForbiddenError, RobotsUnreachableError, ServiceRobotsMiddleware
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Behaviour, FaultServer, answer, html

RULES = b"User-agent: *\nDisallow: /private\n"
PATHS = ("/a", "/private/c", "/b", "/private/d", "/private/e", "/private/f")
SITE = ServiceSpec("site", "https://www.example.org", kind="site", retries=1)


class VisitSpider(Spider):
    """Wants six pages at once, four of which it may not have."""

    name = "visit"
    base = ""

    async def start(self) -> Any:
        for path in PATHS:
            yield Request(self.base + path, errback=self.failed)

    def parse(self, response: Any) -> Iterator[dict[str, Any]]:
        yield {"url": response.url}

    def failed(self, failure: Any) -> Iterator[dict[str, Any]]:
        yield {"error": failure.value}


@pytest.fixture
def server(server: FaultServer) -> FaultServer:
    for path in PATHS:
        server.plan(path, html(200, b"page"))
        server.plan(f"/site{path}", html(200, b"page"))
    return server


def _visit(folder: Path, base: str, *given: object, **more: Any) -> Crawled:
    return crawl(folder, type("Visit", (VisitSpider,), {"base": base}), *given, **more)


def _errors(crawled: Crawled) -> list[Any]:
    return [item["error"] for item in crawled.items if "error" in item]


def test_every_waiter_gets_the_rules(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/robots.txt", answer(200, RULES, {"Content-Type": "text/plain"}))
    crawled = _visit(tmp_path, server.url)
    assert dict(server.counts) == {"/robots.txt": 1, "/a": 1, "/b": 1}
    assert [type(error) for error in _errors(crawled)] == [RobotsForbiddenError] * 4
    assert crawled.stats["robotstxt/forbidden"] == 4
    assert [(row.success, row.attempts) for row in crawled.calls("robots_txt")] == [(True, 1)]


def test_scrapys_own_middleware_still_has_the_hole(server: FaultServer, tmp_path: Path) -> None:
    """When this fails after an upgrade of Scrapy, the hole is closed there and ours may go."""
    server.plan("/robots.txt", answer(200, RULES, {"Content-Type": "text/plain"}))
    swapped = {"DOWNLOADER_MIDDLEWARES": {ServiceRobotsMiddleware: None, RobotsTxtMiddleware: 100}}
    _visit(tmp_path, server.url, scrapy=swapped)
    assert server.counts["/private/f"] == 1


def test_without_robots_txt_everything_may_be_fetched(server: FaultServer, tmp_path: Path) -> None:
    crawled = _visit(tmp_path, server.url)
    assert not _errors(crawled)
    assert [(row.success, row.error_type) for row in crawled.calls("robots_txt")] == [(True, "not_found")]


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "application/octet-stream"])
def test_rules_are_rules_whatever_they_are_said_to_be(server: FaultServer, tmp_path: Path, kind: str) -> None:
    server.plan("/robots.txt", answer(200, b"\xef\xbb\xbf" + RULES, {"Content-Type": kind}))
    assert len(_errors(_visit(tmp_path, server.url))) == 4
    assert not [path for path in server.counts if path.startswith("/private")]


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_refusal_of_robots_txt_is_no_rule(server: FaultServer, tmp_path: Path, status: int) -> None:
    server.plan("/robots.txt", answer(status))
    assert not _errors(_visit(tmp_path, server.url))


@pytest.mark.parametrize(
    "page",
    [
        html(200, b"<!DOCTYPE html>\n<html><script>window.gokuProps\nUser-agent: *\nDisallow: /\n</script></html>"),
        answer(200, b"\n <html>\nUser-agent: *\nDisallow: /\n</html>", {"Content-Type": "text/plain"}),
        html(200, b"\xef\xbb\xbf<!doctype html>\nUser-agent: *\nDisallow: /\n"),
        answer(202, b"User-agent: *\nDisallow: /\n", {"Content-Type": "text/plain"}),
    ],
    ids=["a challenge", "a page said to be text", "a page with a mark before it", "202"],
)
def test_lesson_16_a_page_in_place_of_robots_txt_is_no_rule(server: FaultServer, tmp_path: Path, page: Behaviour) -> None:
    server.plan("/robots.txt", page)
    assert not _errors(_visit(tmp_path, server.url))


def test_an_unreachable_robots_txt_closes_the_service_for_this_crawl(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/site/robots.txt", answer(503))
    base = f"{server.url}/site"
    crawled = _visit(tmp_path, base, SITE, services={"site": {"base_url": base}})
    errors = _errors(crawled)
    assert [type(error) for error in errors] == [RobotsUnreachableError] * 6
    assert {error.error.error_type for error in errors} == {"server_error"}
    assert dict(server.counts) == {"/site/robots.txt": 2}
    assert [(row.success, row.attempts) for row in crawled.calls("robots_txt")] == [(False, 2)]


def test_the_rules_lie_under_the_base_and_speak_of_public_paths(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/site/robots.txt", answer(200, RULES, {"Content-Type": "text/plain"}))
    crawled = _visit(tmp_path, "https://www.example.org", SITE, services={"site": {"base_url": f"{server.url}/site"}})
    assert dict(server.counts) == {"/site/robots.txt": 1, "/site/a": 1, "/site/b": 1}
    assert len(_errors(crawled)) == 4


def test_a_project_may_choose_not_to_obey(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/robots.txt", answer(200, RULES, {"Content-Type": "text/plain"}))
    crawled = _visit(tmp_path, server.url, scrapy={"ROBOTSTXT_OBEY": False})
    assert not _errors(crawled)
    assert "/robots.txt" not in server.counts
