"""Pages that one request of a crawl brings for another: judged by each, and only where both ask for the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scrapy import Request

from cinegraph_core.contracts import Answer, Call, Replica
from cinegraph_core.crawling.services import CALL
from cinegraph_core.crawling.tickets import RECEIPT
from cinegraph_core.errors import LayoutChangedError, NotFoundError, ServiceError
from tests.support.clocks import PatientClock
from tests.support.crawling import Crawled, crawl
from tests.support.fault_server import FaultServer, html, slowly
from tests.support.pages import SITE, PageSpider

pytestmark = pytest.mark.usefixtures("patient_cache")
START = 1_700_000_000.0


def crawled(folder: Path, server: FaultServer, spider: type[PageSpider], *given: Any, **settings: Any) -> Crawled:
    clock = PatientClock(START + settings.pop("later", 0.0), patient_from=5.0)
    more = {"mode": settings.pop("mode", "real"), "scrapy": {"ROBOTSTXT_OBEY": False}, "clock": clock}
    kind = type("Pages", (spider,), {"base": server.url})
    return crawl(folder, kind, SITE, *given, services={"site": {"base_url": server.url, "cache_ttl": 1000.0, **settings}}, **more)


def unreadable(_: Answer) -> Any:
    raise LayoutChangedError("this reader does not know the page")


def plain(reply: Answer) -> str:
    return reply.body.decode()


class TwoReaders(PageSpider):
    """Asks for a page at once by a reader that does not know it, or does not expect its absence, and by one that does."""

    readers: Any = (("strict", unreadable, False), ("easy", plain, True))

    async def start(self) -> Any:
        for who, read, absent_ok in self.readers:
            call = Call("site", "fetch_card", who, read=read, absent_ok=absent_ok)
            yield Request(f"{self.base}/a", callback=self.came, errback=self.failed, meta={CALL: call}, dont_filter=True)

    def came(self, response: Any) -> Any:
        yield {response.meta[CALL].target: response.meta[RECEIPT].value}

    def failed(self, failure: Any) -> Any:
        yield {failure.request.meta[CALL].target: type(failure.value)}


@pytest.mark.parametrize(
    ("status", "strict", "easy"),
    [(200, LayoutChangedError, "card"), (404, NotFoundError, None), (503, ServiceError, ServiceError)],
)
def test_lesson_27_each_request_judges_the_page_that_came_for_all(
    server: FaultServer, tmp_path: Path, status: int, strict: type[Exception], easy: Any
) -> None:
    server.plan("/a", slowly(html(status, b"card")))
    run = crawled(tmp_path, server, TwoReaders, retries=0)
    told = {who: came for item in run.items for who, came in item.items()}
    assert issubclass(told["strict"], strict)
    assert told["easy"] == easy or issubclass(told["easy"], easy)
    assert server.counts["/a"] == 1
    assert sorted(row.attempts for row in run.rows) == [0, 1]


class PlainThenJson(TwoReaders):
    """Asks for a page at once by a reader that takes anything, and by one that wants JSON."""

    readers = (("easy", plain, True), ("strict", Answer.json, False))


def test_who_cannot_read_the_page_of_another_turns_to_the_replica_or_to_a_stale_page(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, b'"old card"'), slowly(html(200, b"card")))
    server.plan("/replica/a", html(200, b'"their card"'))
    stand_in = Replica("stand_in", ("site",), lambda: {"site": f"{server.url}/replica"})
    crawled(tmp_path, server, PageSpider, cache_on_error=5000.0)
    stale = crawled(tmp_path, server, PlainThenJson, later=1001.0, cache_on_error=5000.0)
    replaced = crawled(tmp_path, server, PlainThenJson, stand_in, later=9000.0, mode="hybrid")
    assert [dict(sorted((who, came) for item in run.items for who, came in item.items())) for run in (stale, replaced)] == [
        {"easy": "card", "strict": "old card"},
        {"easy": "card", "strict": "their card"},
    ]
    assert server.counts == {"/a": 3, "/replica/a": 1}


class OnePage(PageSpider):
    """Asks for a page by each of these requests."""

    asked: tuple[dict[str, Any], ...] = ()

    async def start(self) -> Any:
        for given in self.asked:
            call = Call("site", "fetch_card", "a", read=plain)
            yield Request(f"{self.base}/a", callback=self.came, meta={CALL: call}, dont_filter=True, **given)


def test_headers_and_bodies_of_a_spider_s_own_tell_pages_apart(server: FaultServer, tmp_path: Path) -> None:
    server.plan("/a", html(200, b"card"))
    shops = "a", ["b", "a"], ["c", "a"], "a"
    headers = [{"headers": {"X-Shop": shop, "Referer": f"{server.url}/{number}"}} for number, shop in enumerate(shops)]
    crawled(tmp_path, server, type("Shops", (OnePage,), {"asked": headers}))
    assert server.counts["/a"] == 3
    bodies = [{"body": body} for body in ("one", "two")]
    crawled(tmp_path, server, type("Bodies", (OnePage,), {"asked": bodies}))
    assert server.counts["/a"] == 5
