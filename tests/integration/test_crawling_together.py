"""Pages that are asked for twice at once, or grow too old, in a crawl: fetched once for all who wait, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import CloseSpider

from cinegraph_core.contracts import Answer, Call
from cinegraph_core.crawling.services import CALL
from cinegraph_core.errors import ServerError
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, html, slowly
from tests.support.pages import SITE, PageSpider
from tests.support.waiting import within

pytestmark = pytest.mark.usefixtures("patient_cache")
START = 1_700_000_000.0


def after(holds: Callable[[], bool], then: Behaviour) -> Behaviour:
    """Return a behaviour that waits for something first."""

    def behave(exchange: Exchange) -> None:
        within(5.0, holds)
        then(exchange)

    return behave


def crawled(
    folder: Path, server: FaultServer, spider: type[PageSpider] = PageSpider, *, later: float = 0.0, **more: Any
) -> Crawled:
    scrapy = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS_PER_DOMAIN": 16, **more.pop("scrapy", {})}
    own: dict[str, Any] = {name: more.pop(name) for name in ("paths", "absent_ok") if name in more}
    given = {"site": {"base_url": server.url, "cache_ttl": 1000.0, **more}}
    kind = type("Pages", (spider,), {"base": server.url, **own})
    return crawl(folder, kind, SITE, services=given, scrapy=scrapy, clock=PatientClock(START + later, patient_from=5.0))


def brief(run: Crawled) -> list[tuple[bool, str | None, str, int]]:
    return sorted((row.success, row.error_type, row.provenance, row.attempts) for row in run.rows)


def test_lesson_27_a_page_asked_for_eight_times_at_once_is_fetched_once(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", slowly(html(200, b"card")))
    run = crawled(tmp_path, server, paths=("/a",) * 8)
    assert server.counts["/a"] == 1
    assert [item["receipt"].value for item in run.items] == ["CARD"] * 8
    assert brief(run) == [(True, None, "cache", 0)] * 7 + [(True, None, "live", 1)]


def test_lesson_27_and_once_also_when_it_fails(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", slowly(answer(503)))
    run = crawled(tmp_path, server, paths=("/a",) * 8, retries=0)
    assert server.counts["/a"] == 1
    errors = [item["error"] for item in run.items]
    assert len(errors) == 8
    assert all(isinstance(error, ServerError) for error in errors)
    assert len(set(map(id, errors))) == 8, "each has an error of its own"
    assert [(row.success, row.error_type, row.attempts) for row in run.rows].count((False, "server_error", 0)) == 7


def test_who_waits_shares_what_came_after_retries(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", slowly(answer(503)), answer(503), slowly(html(200, b"card")))
    run = crawled(tmp_path, server, paths=("/a",) * 5)
    assert server.counts["/a"] == 3
    assert sorted(item["receipt"].attempts for item in run.items) == [0, 0, 0, 0, 3]


def test_an_absence_is_shared_and_an_answer_by_a_redirect_is_another_page_s(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/none", slowly(answer(404)))
    run = crawled(tmp_path, server, paths=("/none",) * 4, absent_ok=True)
    assert server.counts["/none"] == 1
    assert [item["status"] for item in run.items] == [404] * 4
    server.plan("/moved", slowly(answer(301, b"", {"Location": "/a"})))
    server.plan("/a", html(200, b"card"))
    run = crawled(tmp_path, server, paths=("/moved",) * 3)
    assert server.counts["/moved"] == 3
    assert [item["receipt"].value for item in run.items] == ["CARD"] * 3


def test_without_a_cache_every_request_is_sent(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", slowly(html(200, b"card")))
    crawled(tmp_path, server, paths=("/a",) * 3, cache_ttl=0)
    assert server.counts["/a"] == 3


class Foreign(PageSpider):
    """A spider that knows nothing of calls."""

    async def start(self) -> Any:
        for path in self.paths:
            yield Request(self.base + path, callback=self.page, dont_filter=True)

    def page(self, response: Any) -> Any:
        yield {"status": response.status, "text": response.text}


@pytest.mark.parametrize(("behaviour", "fetched", "status"), [(html(200, b"card"), 1, 200), (answer(404, b"gone"), 4, 404)])
def test_a_foreign_spider_shares_pages_and_gets_every_error_as_a_response_of_its_own(
    server: FaultServer, tmp_path: Path, behaviour: Behaviour, fetched: int, status: int
) -> None:
    server.plan("/a", slowly(behaviour))
    run = crawled(tmp_path, server, Foreign, paths=("/a",) * 4, scrapy={"HTTPERROR_ALLOW_ALL": True})
    assert server.counts["/a"] == fetched
    assert [item["status"] for item in run.items] == [status] * 4


class Crowded(PageSpider):
    """Asks for one page twice, and twice more, with more urgency, as soon as another page has come."""

    async def start(self) -> Any:
        for path in ("/a", "/a", "/other"):
            yield self._request(path)

    def came(self, response: Any) -> Any:
        yield from super().came(response)
        if response.url.endswith("/other"):
            for _ in range(2):
                yield self._request("/a").replace(priority=1000)

    def _request(self, path: str) -> Request:
        call = Call("site", "fetch_card", path, read=Answer.json)
        meta = {CALL: call, "download_slot": "site"}  # one queue, in which the urgent ones go first
        return Request(self.base + path, callback=self.came, errback=self.failed, meta=meta, dont_filter=True)


def test_nobody_waits_for_a_request_whose_place_they_hold(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/other", after(lambda: server.counts["/a"] == 1, answer()))
    server.plan("/a", slowly(answer(503), 500), answer())
    run = crawled(tmp_path, server, Crowded, scrapy={"CONCURRENT_REQUESTS": 3})
    assert [item["receipt"].value for item in run.items] == [{"id": 1}] * 5
    assert 2 <= server.counts["/a"] <= 5


class Hasty(PageSpider):
    """Is closed while a page is under way for which two wait."""

    server: FaultServer

    async def start(self) -> Any:
        async for request in super().start():
            yield request
        await asyncio.to_thread(within, 5.0, lambda: self.server.counts["/a"] == 1)
        raise CloseSpider("hasty")


def test_who_waits_ends_with_the_crawl(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", slowly(answer(503), 500))
    Hasty.server = server
    began = time.monotonic()
    run = crawled(tmp_path, server, Hasty, paths=("/a",) * 3)
    assert time.monotonic() - began < 10.0
    assert server.counts["/a"] <= 3
    assert {row.success for row in run.rows} == {False}


def test_a_page_just_too_old_is_served_at_once_and_fetched_anew_once(server: FaultServer, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache_revalidate": 500.0}
    server.plan("/a", html(200, b"card 1"), slowly(html(200, b"card 2")))
    crawled(tmp_path, server, **settings)
    run = crawled(tmp_path, server, paths=("/a",) * 3, later=1200.0, **settings)
    assert [(item["receipt"].value, item["receipt"].provenance) for item in run.items] == [("CARD 1", "stale")] * 3
    assert brief(run) == [(True, None, "live", 1)] + [(True, None, "stale", 0)] * 3
    assert server.counts["/a"] == 2
    run = crawled(tmp_path, server, later=1300.0, **settings)
    assert (run.items[0]["receipt"].value, run.items[0]["receipt"].provenance) == ("CARD 2", "cache")


def test_a_renewal_that_fails_is_nobody_s_error(server: FaultServer, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache_revalidate": 500.0, "retries": 1}
    server.plan("/a", html(200, b"card 1"), answer(503))
    crawled(tmp_path, server, **settings)
    run = crawled(tmp_path, server, later=1200.0, **settings)
    assert [(item["receipt"].value, item["receipt"].provenance) for item in run.items] == [("CARD 1", "stale")]
    assert brief(run) == [(False, "server_error", "live", 2), (True, None, "stale", 0)]
    gone = crawled(tmp_path, server, later=1600.0, **settings)
    assert isinstance(gone.items[0]["error"], ServerError)


def test_an_absence_is_never_renewed_beyond_its_time(server: FaultServer, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache_revalidate": 500.0, "cache_negative_ttl": 10.0, "absent_ok": True, "paths": ("/none",)}
    for later in (0.0, 5.0, 20.0):
        crawled(tmp_path, server, later=later, **settings)
    assert server.counts["/none"] == 2
