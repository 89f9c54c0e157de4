"""A crawl with a ``JOBDIR`` goes on where it was stopped: what waits when it closes is fetched by the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cinegraph_core.crawling.turns import LONGEST_PAUSE
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, answer, html
from tests.support.visits import ClosingVisitor, Visitor, statuses, too_many, visit

PATHS = tuple(f"/{number}" for number in range(8))
LONG = 80_000
"""Seconds of a pause that on a clock without patience lasts longer than it takes another site to answer."""


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    return {"JOBDIR": str(tmp_path / "job"), LONGEST_PAUSE: 86_400}


def stopped(folder: Path, *urls: str, **scrapy: Any) -> Crawled:
    """Visit pages until one of them comes, and stop as by Ctrl-C."""
    spider = type("Visit", (ClosingVisitor,), {"urls": urls})
    folder.mkdir()
    return crawl(folder, spider, scrapy={"ROBOTSTXT_OBEY": False, **scrapy})


@pytest.mark.parametrize("places", [1, 4])
def test_lesson_22_a_crawl_stopped_during_a_pause_fetches_its_pages_the_next_time(
    server: FaultServer, tmp_path: Path, job: dict[str, Any], places: int
) -> None:
    for path in PATHS:
        server.plan(path, too_many(LONG), html(200))
    with FaultServer() as other:
        other.plan("/late", html(200))
        urls = [*(server.url + path for path in PATHS), late := f"{other.url}/late"]
        first = stopped(tmp_path / "first", *urls, CONCURRENT_REQUESTS=places, **job)
        told = set(server.counts)
        for path in PATHS:
            server.plan(path, html(200))
        second = visit(tmp_path, *urls, **job)
    assert {item["url"] for item in first.items} == {late}
    assert sorted(item["url"] for item in second.items) == sorted(urls[:-1])
    assert set(statuses(second)) == {200}
    assert "scheduler/unserializable" not in {**first.stats, **second.stats}
    assert {row.target_identifier for row in first.rows if row.error_type == "cancelled"} == told


def test_a_page_that_waits_for_the_rules_of_its_site_is_fetched_the_next_time(
    server: FaultServer, tmp_path: Path, job: dict[str, Any]
) -> None:
    server.plan("/robots.txt", too_many(LONG))
    with FaultServer() as other:
        other.plan("/late", html(200))
        urls = (f"{server.url}/0", f"{other.url}/late")
        first = stopped(tmp_path / "first", *urls, ROBOTSTXT_OBEY=True, **job)
        assert [item["url"] for item in first.items] == [f"{other.url}/late"]
    server.plan("/0", html(200))
    second = visit(tmp_path, *urls, **job)
    assert [item["url"] for item in second.items] == [f"{server.url}/0"]


def test_a_call_goes_on_though_its_request_lies_on_disk_meanwhile(
    server: FaultServer, tmp_path: Path, job: dict[str, Any]
) -> None:
    server.plan("/shaky", answer(503), answer(302, b"", {"Location": "/moved"}))
    server.plan("/moved", answer(503), html(200))
    crawled = visit(tmp_path, f"{server.url}/shaky", **job)
    assert statuses(crawled) == [200]
    assert [(row.target_identifier, row.attempts) for row in crawled.rows] == [("/shaky", 4)]
    assert crawled.stats["scheduler/enqueued/disk"] == 4
    assert "scheduler/enqueued/memory" not in crawled.stats


def test_a_request_keeps_its_own_timeout_while_it_lies_on_disk(server: FaultServer, tmp_path: Path, job: dict[str, Any]) -> None:
    server.plan("/0", too_many(LONG))
    with FaultServer() as other:
        other.plan("/late", html(200))
        urls = (f"{server.url}/0", f"{other.url}/late")
        stopped(tmp_path / "first", *urls, CONCURRENT_REQUESTS=1, **job)
    server.plan("/0", html(200))
    spider = type("Visit", (Looking,), {"urls": urls})
    crawled = crawl(tmp_path, spider, scrapy={"ROBOTSTXT_OBEY": False, **job})
    assert [item["timeout"] for item in crawled.items] == [180.0]


class Looking(Visitor):
    """Tells the timeout of each request as its callback sees it."""

    def came(self, response: Any) -> Any:
        yield {"timeout": response.meta["download_timeout"]}
